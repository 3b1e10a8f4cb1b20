"""Systems of a comparison: brains, baselines without a network, and controls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.config import Loudness
from frame2sound.brain.corpus import Corpus
from frame2sound.brain.predictor import Predictor
from frame2sound.brain.recipe import identity_table, recipe_table
from frame2sound.brain.targets import build_target
from frame2sound.comparison.baseline_fitting import BASELINE_NAMES, fit_baselines
from frame2sound.comparison.plan import ComparisonPlan, RecipeVariant
from frame2sound.comparison.segments import Segment
from frame2sound.evaluation.controls import (
    ORIGINAL,
    SHUFFLED_SECONDS,
    SILENCE,
    shuffle_seconds,
)
from frame2sound.library.corpus import read_corpus
from frame2sound.library.pickler import film_digest
from frame2sound.rendering.offline import render_frames
from frame2sound.rendering.style import Style
from frame2sound.training.optimiser import pick_device
from frame2sound.training.training_data import TrainingData

Samples = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class System:
    """What renders soundtracks of segments: a brain, a baseline or a control.

    Attributes
    ----------
    name : str
        Name of its files.
    group : str
        Label of the recipe, or name of the baseline or control.
    kind : str
        "brain", "baseline" or "control".
    seed : int or None
        Of a brain.
    cache_key : list
        Plain values that identify its soundtracks; they are in the keys of records.
    loudness : {"film", "equal"}
        At which loudness it learned the films, so at which it is compared with their sound.
    render : function
        Returns the soundtrack of lead-in and segment; None if there is none.
    """

    name: str
    group: str
    kind: str
    seed: int | None
    cache_key: list[Any]
    loudness: Loudness
    render: Callable[[Segment], Samples | None]


def build_systems(plan: ComparisonPlan, device: str) -> Iterator[System]:
    """Yield all systems; the brains must be trained. Each is loaded when it first renders."""
    style = Style(mode=plan.mode)

    @cache
    def corpus(loudness: Loudness) -> Corpus | None:
        if plan.mode != "mosaic":
            return None
        return read_corpus(plan.split.training, plan.clock, loudness=loudness, full=False)

    def renderer(load: Callable[[], Predictor], loudness: Loudness) -> Callable[[Segment], Samples]:
        load_once = cache(load)

        def render(segment: Segment) -> Samples:
            skipped = segment.warmup_frames - segment.lead_in_frames
            predictor = load_once()
            frames = segment.frames_for(predictor)
            return segment.pad_or_trim(
                render_frames(predictor, style, frames, corpus(loudness), skipped)
            )

        return render

    for variant in plan.variants:
        loudness = variant.recipe.training.loudness
        for seed in range(plan.seeds):
            path = plan.brain_path(variant, seed)
            yield System(
                f"{variant.slug}-{seed}",
                variant.label,
                "brain",
                seed,
                ["brain", film_digest(path), plan.mode],
                loudness,
                renderer(partial(_load_brain, path, device), loudness),
            )
    for suffix, variant in _variants_by_target(plan).items():
        fitted = cache(partial(_fit_baselines, plan, variant))
        loudness = variant.recipe.training.loudness
        for name in BASELINE_NAMES:
            yield System(
                name.replace(" ", "-") + suffix.replace(", ", "-"),
                name + suffix,
                "baseline",
                None,
                [
                    "baseline",
                    name,
                    identity_table(variant.recipe),
                    plan.training_films(),
                    plan.mode,
                ],
                loudness,
                renderer(
                    lambda name=name, fitted=fitted: fitted()[name],  # type: ignore[misc]
                    loudness,
                ),
            )
    for file_name, name, render_control in (
        ("silence", SILENCE, _render_silence),
        ("shuffled", SHUFFLED_SECONDS, _render_shuffled),
        ("own", ORIGINAL, lambda segment: segment.reference),
    ):
        yield System(file_name, name, "control", None, [name], plan.loudness, render_control)


def _load_brain(path: Path, device: str) -> Brain:
    return load_brain(path).to(pick_device(device))


def baseline_suffixes(plan: ComparisonPlan) -> dict[str, str]:
    """Return the suffix of the names of each recipe's baselines, those of its target, by label."""
    first = {_target_key(variant): suffix for suffix, variant in _variants_by_target(plan).items()}
    return {variant.label: first[_target_key(variant)] for variant in plan.variants}


def _target_key(variant: RecipeVariant) -> str:
    table = recipe_table(variant.recipe)
    return json.dumps([table["target"], table["training"]["loudness"]], sort_keys=True)


def _variants_by_target(plan: ComparisonPlan) -> dict[str, RecipeVariant]:
    """Return the first variant of each target, by the suffix of the names of its baselines.

    Targets are other targets if films are learned at another loudness.
    """
    first: dict[str, RecipeVariant] = {}
    for variant in plan.variants:
        first.setdefault(_target_key(variant), variant)
    if len(first) == 1:
        return {"": plan.variants[0]}
    return {f", as {variant.slug}": variant for variant in first.values()}


def _fit_baselines(plan: ComparisonPlan, variant: RecipeVariant) -> dict[str, Predictor]:
    """Return the baselines of a variant's target; they see films as they are, on any ground."""
    plain_input = structs.replace(variant.recipe.input, match_ground=False)
    recipe = structs.replace(variant.recipe, input=plain_input)
    training_data = TrainingData.from_library(plan.split.training, recipe, 0)
    target = build_target(recipe, training_data.scale)
    return fit_baselines(plan.clock, target, training_data)


def _render_silence(segment: Segment) -> Samples | None:
    return None if segment.reference is None else np.zeros_like(segment.reference)


def _render_shuffled(segment: Segment) -> Samples | None:
    if segment.reference is None:
        return None
    lead, rate = segment.lead_in_samples, segment.clock.sample_rate
    shuffled = shuffle_seconds(segment.reference[lead:], rate).astype(np.float32, copy=False)
    return np.concatenate([segment.reference[:lead], shuffled])
