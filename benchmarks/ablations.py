"""What each part of the motion head brings: onsets of clips that were left out, part by part.

    python benchmarks/ablations.py FOLDER [--group hits]

Each clip of a group (files named GROUP__ANYTHING) is predicted by what the others taught, without
rendering; onset F is pooled over clips, beside as many random onsets. Each row leaves one part out
or puts another in its place; levels are the correlation of the predicted levels of events with the
films' own at those times.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.motion import MOTION_NUMBERS, PAST_PICTURES
from frame2sound.brain.recipe import load_recipe
from frame2sound.brain.ridge_regression import HIDDEN_UNITS
from frame2sound.evaluation.onsets import onset_chance
from frame2sound.library import (
    coupling,
    event_threshold,
    event_times,
    film_motion,
    motion_regression,
)
from frame2sound.library.film_loudness import film_gains_db
from frame2sound.library.film_motion import FilmMotion
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library
from frame2sound.sound.onset_matching import count_matches

FLOW = ("speed", "largest speed", "deceleration", "divergence", "mean divergence",
        "downward speed", "camera speed", "local deceleration", "local acceleration",
        "reversal")  # fmt: skip
LOCAL = ("local deceleration", "local acceleration", "reversal")


@dataclass(frozen=True)
class Variant:
    """A row of the table: what is left out.

    Attributes
    ----------
    numbers : tuple of str
        Motion numbers that are set to 0.
    past : int
        Pictures before the current one.
    constants : dict
        Constants of `frame2sound.library.motion_regression` that differ.
    hidden_units : int
    follows_film : bool
        Whether the threshold follows each film's scale.
    """

    name: str
    numbers: tuple[str, ...] = ()
    past: int = PAST_PICTURES
    constants: tuple[tuple[str, object], ...] = ()
    hidden_units: int = 0
    follows_film: bool = True


VARIANTS = (
    Variant("all parts"),
    Variant("no optical flow", FLOW),
    Variant("no local numbers", LOCAL),
    Variant("no past pictures", past=0),
    Variant("two past pictures", past=2),
    Variant("motion as it is, not enlarged", constants=(("MOTION_FACTORS", (1.0,)),)),
    Variant("one threshold for all films", follows_film=False),
    Variant("with random units", hidden_units=HIDDEN_UNITS),
)


def measure(folder: Path, group: str) -> list[FilmMotion]:
    """Return the motion of a group's clips."""
    clock = load_recipe("deep").to_clock()
    with tempfile.TemporaryDirectory() as work:
        library = Library.create(Path(work) / "library", clock.sample_rate)
        for path in sorted(folder.glob(f"{group}__*")):
            pickle_film(path, library)
        films = library.films()
        return film_motion.measure_motion(films, clock, 1e9, film_gains_db(films, "equal"))


def masked(each: FilmMotion, variant: Variant) -> FilmMotion:
    """Return a clip whose features lack what a variant leaves out."""
    keep = np.ones((PAST_PICTURES + 1, len(MOTION_NUMBERS)))
    keep[:, [MOTION_NUMBERS.index(name) for name in variant.numbers]] = 0
    keep[: PAST_PICTURES - variant.past] = 0
    return replace(each, features=each.features * keep.ravel())


@contextmanager
def constants(values: Sequence[tuple[str, object]]) -> Iterator[None]:
    """Set constants of the module for a while."""
    before = [(name, getattr(motion_regression, name)) for name, _ in values]
    for name, value in values:
        setattr(motion_regression, name, value)
    yield
    for name, value in before:
        setattr(motion_regression, name, value)


def judge(clips: list[FilmMotion], variant: Variant) -> tuple[float, float, float]:
    """Return pooled onset F, chance, and the correlation of levels."""
    matches = chance = total = 0.0
    ours: list[NDArray[np.float64]] = []
    theirs: list[NDArray[np.float64]] = []
    for number, clip in enumerate(clips):
        others = clips[:number] + clips[number + 1 :]
        events = predict(others, clip, variant)
        count = len(events) + len(clip.onsets)
        matches, total = matches + count_matches(events, clip.onsets), total + count
        by_chance = onset_chance(events, clip.onsets, clip.seconds)
        chance += count / 2 * by_chance.mean if by_chance else 0.0
        nearest = np.abs(clip.times[:, None] - events).argmin(axis=0)
        known = coupling.predict_held_out(others)
        level = motion_regression.fit_event_level(others, known.onset, known.threshold)
        ours.append(level.predict(clip.features[nearest]))
        theirs.append(clip.levels_near(events))
    levels = coupling.correlation(np.concatenate(ours), np.concatenate(theirs))
    return 2 * matches / total, 2 * chance / total, levels


def predict(others: list[FilmMotion], clip: FilmMotion, variant: Variant) -> NDArray[np.float64]:
    """Return the events of a clip, predicted by what others teach."""
    everything = [np.ones(len(each.times), np.bool_) for each in others]
    onset = motion_regression.fit_onset(others, everything, variant.hidden_units)
    curves = [onset.predict(each.features) for each in others]
    usual = coupling.usual_scale(curves)
    scale: Callable[[list[NDArray[np.float64]]], list[NDArray[np.float64]]] = (
        (lambda each: coupling.scale_curves(each, usual))
        if variant.follows_film
        else (lambda each: [curve / usual for curve in each])
    )
    threshold = event_threshold.best_threshold(scale(curves), others)
    (curve,) = scale([onset.predict(clip.features)])
    return event_times.keep_apart(*event_times.find_peaks(curve, clip.times), threshold)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--group", default="hits")
    given = parser.parse_args()
    clips = measure(given.folder, given.group)
    print(f"{len(clips)} clips of {given.group}, each left out\n")
    print("| | onset F | chance | levels |\n|---|--:|--:|--:|")
    for variant in VARIANTS:
        with constants(variant.constants):
            f, chance, levels = judge([masked(clip, variant) for clip in clips], variant)
        print(f"| {variant.name} | {f:.2f} | {chance:.2f} | {levels:.2f} |", flush=True)


if __name__ == "__main__":
    main()
