"""Who plays: brains, baselines that learned without a network, and sounds that do not look."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.corpus import Corpus
from frame2sound.brain.file import load_brain
from frame2sound.brain.recipe import recipe_table
from frame2sound.brain.sought import target_of
from frame2sound.brain.sounding import Sounding
from frame2sound.comparison.baselines import learned_baselines
from frame2sound.comparison.plan import Entry, Plan
from frame2sound.comparison.stretches import Stretch
from frame2sound.evaluation.report import shuffled
from frame2sound.library.pickler import digest_of
from frame2sound.rendering.playing import play
from frame2sound.rendering.style import Style
from frame2sound.training.material import Material
from frame2sound.training.optimiser import pick_device

Sound = NDArray[np.float32]

OWN, SILENCE, SHUFFLED = "its own sound", "silence", "shuffled seconds"
LEARNED = ("mean", "linear", "nearest")


@dataclass(frozen=True, eq=False)
class Player:
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
    identity: list[Any]
    play: Callable[[Stretch], Sound | None]


def players(plan: Plan, device: str) -> Iterator[Player]:
    """Yield all players; the brains must be trained. Each is made ready when it first plays."""
    style = Style(mode=plan.mode)

    @cache
    def corpus() -> Corpus | None:
        if plan.mode != "mosaic":
            return None
        return Corpus.of_library(plan.parted.learned, plan.clock)

    def playing(ready: Callable[[], Sounding]) -> Callable[[Stretch], Sound]:
        once = cache(ready)

        def played(stretch: Stretch) -> Sound:
            unheard = stretch.run_up - stretch.lead
            return stretch.aligned(play(once(), style, stretch.frames(), corpus(), unheard))

        return played

    for entry in plan.entries:
        for seed in range(plan.seeds):
            path = plan.brain(entry, seed)
            yield Player(
                f"{entry.slug}-{seed}",
                entry.label,
                "brain",
                seed,
                ["brain", digest_of(path), plan.mode],
                playing(partial(load_brain, path, pick_device(device))),
            )
    for suffix, entry in _targets(plan).items():
        ready = cache(partial(_baselines, plan, entry))
        for name in LEARNED:
            yield Player(
                name + suffix.replace(", ", "-"),
                name + suffix,
                "baseline",
                None,
                ["baseline", name, recipe_table(entry.recipe), plan.films(), plan.mode],
                playing(lambda name=name, ready=ready: ready()[name]),  # type: ignore[misc]
            )
    yield Player("silence", SILENCE, "control", None, [SILENCE], _silence)
    yield Player("shuffled", SHUFFLED, "control", None, [SHUFFLED], _shuffled)
    yield Player("own", OWN, "control", None, [OWN], lambda stretch: stretch.own)


def _targets(plan: Plan) -> dict[str, Entry]:
    """Return the first recipe of each target, by what is added to its baselines' names."""
    first: dict[str, Entry] = {}
    for entry in plan.entries:
        first.setdefault(json.dumps(recipe_table(entry.recipe)["target"], sort_keys=True), entry)
    if len(first) == 1:
        return {"": plan.entries[0]}
    return {f", as {entry.slug}": entry for entry in first.values()}


def _baselines(plan: Plan, entry: Entry) -> dict[str, Sounding]:
    material = Material.of(plan.parted.learned, entry.recipe, 0)
    target = target_of(entry.recipe, material.scale)
    return learned_baselines(plan.clock, target, material)


def _silence(stretch: Stretch) -> Sound | None:
    return None if stretch.own is None else np.zeros_like(stretch.own)


def _shuffled(stretch: Stretch) -> Sound | None:
    if stretch.own is None:
        return None
    lead, rate = stretch.lead_samples, stretch.clock.sample_rate
    mixed = shuffled(stretch.own[lead:], rate).astype(np.float32, copy=False)
    return np.concatenate([stretch.own[:lead], mixed])
