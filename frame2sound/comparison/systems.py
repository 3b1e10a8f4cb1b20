"""Who plays: brains, baselines that learned without a network, and sounds that do not look."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.corpus import Corpus
from frame2sound.brain.predictor import Predictor
from frame2sound.brain.recipe import recipe_table
from frame2sound.brain.targets import build_target
from frame2sound.comparison.baseline_fitting import fit_baselines
from frame2sound.comparison.plan import ComparisonPlan, RecipeVariant
from frame2sound.comparison.segments import Segment
from frame2sound.evaluation.soundtrack_evaluation import shuffle_seconds
from frame2sound.library.corpus import read_corpus
from frame2sound.library.pickler import film_digest
from frame2sound.rendering.offline import render_frames
from frame2sound.rendering.style import Style
from frame2sound.training.optimiser import pick_device
from frame2sound.training.training_data import TrainingData

Samples = NDArray[np.float32]

ORIGINAL, SILENCE, SHUFFLED_SECONDS = "its own sound", "silence", "shuffled seconds"
BASELINE_NAMES = ("mean", "linear", "nearest")


@dataclass(frozen=True, eq=False)
class System:
    """Whoever gives a stretch a soundtrack.

    Attributes
    ----------
    name : str
        As a file may be called.
    group : str
        The recipe's label, or what the baseline is called.
    kind : str
        "brain", "baseline" or "control".
    seed : int or None
    identity : list
        What tells its sound from others', in plain values.
    play : function
        A stretch to its sound with its lead; None where it cannot be played.
    """

    name: str
    group: str
    kind: str
    seed: int | None
    cache_key: list[Any]
    render: Callable[[Segment], Samples | None]


def build_systems(plan: ComparisonPlan, device: str) -> Iterator[System]:
    """Yield all players; the brains must be trained. Each is made ready when it first plays."""
    style = Style(mode=plan.mode)

    @cache
    def corpus() -> Corpus | None:
        if plan.mode != "mosaic":
            return None
        return read_corpus(plan.split.training, plan.clock)

    def playing(ready: Callable[[], Predictor]) -> Callable[[Segment], Samples]:
        once = cache(ready)

        def played(stretch: Segment) -> Samples:
            unheard = stretch.warmup_frames - stretch.lead_in_frames
            return stretch.pad_or_trim(
                render_frames(once(), style, stretch.frames(), corpus(), unheard)
            )

        return played

    for entry in plan.variants:
        for seed in range(plan.seeds):
            path = plan.brain_path(entry, seed)
            yield System(
                f"{entry.slug}-{seed}",
                entry.label,
                "brain",
                seed,
                ["brain", film_digest(path), plan.mode],
                playing(partial(load_brain, path, pick_device(device))),
            )
    for suffix, entry in _variants_by_target(plan).items():
        ready = cache(partial(_fit_baselines, plan, entry))
        for name in BASELINE_NAMES:
            yield System(
                name + suffix.replace(", ", "-"),
                name + suffix,
                "baseline",
                None,
                ["baseline", name, recipe_table(entry.recipe), plan.training_films(), plan.mode],
                playing(lambda name=name, ready=ready: ready()[name]),  # type: ignore[misc]
            )
    yield System("silence", SILENCE, "control", None, [SILENCE], _render_silence)
    yield System(
        "shuffled", SHUFFLED_SECONDS, "control", None, [SHUFFLED_SECONDS], _render_shuffled
    )
    yield System("own", ORIGINAL, "control", None, [ORIGINAL], lambda stretch: stretch.reference)


def _variants_by_target(plan: ComparisonPlan) -> dict[str, RecipeVariant]:
    """Return the first recipe of each target, by what is added to its baselines' names."""
    first: dict[str, RecipeVariant] = {}
    for entry in plan.variants:
        first.setdefault(json.dumps(recipe_table(entry.recipe)["target"], sort_keys=True), entry)
    if len(first) == 1:
        return {"": plan.variants[0]}
    return {f", as {entry.slug}": entry for entry in first.values()}


def _fit_baselines(plan: ComparisonPlan, variant: RecipeVariant) -> dict[str, Predictor]:
    material = TrainingData.from_library(plan.split.training, variant.recipe, 0)
    target = build_target(variant.recipe, material.scale)
    return fit_baselines(plan.clock, target, material)


def _render_silence(segment: Segment) -> Samples | None:
    return None if segment.reference is None else np.zeros_like(segment.reference)


def _render_shuffled(segment: Segment) -> Samples | None:
    if segment.reference is None:
        return None
    lead, rate = segment.lead_in_samples, segment.clock.sample_rate
    mixed = shuffle_seconds(segment.reference[lead:], rate).astype(np.float32, copy=False)
    return np.concatenate([segment.reference[:lead], mixed])
