"""Fixtures for tests of comparisons: small films, quick recipes, and an interrupt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from frame2sound.comparison.plan import ComparisonPlan, load_variants
from frame2sound.comparison.segments import EvaluationFilm
from frame2sound.library.split import split_library
from frame2sound.library.store import Library

RATE = 8000
QUICK = [
    f"clock.sample_rate={RATE}",
    "clock.fps=10",
    "input={kind='pixels'}",
    "network.hidden=[16]",
    "training.epochs=12",
    "training.rate=0.003",
]
TWO = ["waveform", "waveform network.hidden=[32]"]


def lit_tones(seconds: float, fps: int = 10, seed: int = 0) -> dict[str, np.ndarray]:
    """Frames that flash at random, with a tone as loud as they are bright."""
    random = np.random.default_rng(seed)
    count = round(seconds * fps)
    brightness = np.where(random.random(count) < 0.3, random.integers(100, 255, count), 0)
    frames = np.zeros((count, 64, 64), np.uint8)
    frames[:, :, :32] = brightness[:, None, None]  # a white screen would be silent
    amplitude = np.repeat(brightness / 255, RATE // fps)
    tone = np.sin(2 * np.pi * 400 * np.arange(len(amplitude)) / RATE)
    return {"frames": frames, "sound": 0.5 * amplitude * tone}


def plan_of(
    library: Library,
    out: Path,
    recipes: Sequence[str] = TWO,
    *,
    seeds: int = 2,
    kind: str | None = None,
    animations: Sequence[Path] = (),
    settings: Sequence[str] = QUICK,
) -> ComparisonPlan:
    """Plan of a small comparison."""
    split = split_library(library, kind)
    films = [EvaluationFilm.from_held_out(held_out) for held_out in split.held_out]
    films += [EvaluationFilm.from_animation(path, RATE) for path in animations]
    return ComparisonPlan(out, load_variants(recipes, settings), seeds, split, tuple(films))


class Interrupt:
    """A progress callback that raises KeyboardInterrupt at the n-th report of a task."""

    def __init__(self, task: str, calls: int = 1) -> None:
        self.task, self.calls_left = task, calls

    def __call__(self, name: str, done: float, total: float | None, note: str) -> None:
        if name == self.task:
            self.calls_left -= 1
            if not self.calls_left:
                raise KeyboardInterrupt
