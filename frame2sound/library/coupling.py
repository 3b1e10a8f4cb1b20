"""How far a film's sound follows its picture: held-out scores of a regression from its motion.

The measure of `frame2sound.brain.motion` predicts onsets and levels of parts of the films that it
was not fitted to; their F-measure stands beside that of as many random onsets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.event_scale import scale_of
from frame2sound.brain.ridge_regression import HIDDEN_UNITS
from frame2sound.library.event_threshold import best_threshold
from frame2sound.library.event_times import find_peaks, keep_apart, nearest_distance
from frame2sound.library.film_motion import FLOOR_DB, FilmMotion
from frame2sound.library.motion_regression import fit_frame_level, fit_onset
from frame2sound.sound.onset_matching import count_matches, count_shifted_matches

FloatArray = NDArray[np.float64]

BLOCK_SECONDS, GUARD_SECONDS, FOLDS = 4.0, 0.5, 5
"""Blocks that are predicted by a regression on others, with a guard between; in five folds."""

MIN_SECONDS = 2 * BLOCK_SECONDS
"""Less film has no scores."""

HIDDEN_ADVANTAGE = 0.015
"""The onset regression gets random units if they raise the held-out F-measure by more."""

WELL, HARDLY = 0.2, 0.07
"""A film's sound follows its picture well, or hardly, from this F-measure above chance on."""

WELL_LEVEL, HARDLY_LEVEL = 0.6, 0.3
"""The same for the correlation of levels."""

Verdict = Literal["well", "hardly", "not at all"]
"""How far sound follows picture."""

_SENTENCES: dict[Verdict, str] = {
    "well": "sound follows the picture well",
    "hardly": "sound hardly follows the picture",
    "not at all": "sound does not follow the picture at all: music or speech?",
}


class _Regression(Protocol):
    def predict(self, features: FloatArray) -> FloatArray: ...


@dataclass(frozen=True)
class Coupling:
    """How far sound follows picture, by held-out blocks.

    Attributes
    ----------
    onset_f, onset_chance : float
        F-measure of the predicted onsets at 50 ms, and that of the same, shifted circularly.
    level_correlation : float
        Between predicted and true levels of frames, in dB.
    seconds : float
        How much film was measured.
    onset_count : int
        The onsets of the sound.
    """

    onset_f: float
    onset_chance: float
    level_correlation: float
    seconds: float
    onset_count: int

    @property
    def verdict(self) -> Verdict:
        """How far the sound follows the picture."""
        gain = self.onset_f - self.onset_chance
        if gain >= WELL or self.level_correlation >= WELL_LEVEL:
            return "well"
        if gain >= HARDLY or self.level_correlation >= HARDLY_LEVEL:
            return "hardly"
        return "not at all"

    @property
    def figures(self) -> str:
        """Its figures, in a few words."""
        onsets = f"onsets {without_zero(self.onset_f)}, chance {without_zero(self.onset_chance)}"
        levels = f"levels {without_zero(self.level_correlation)}"
        return f"{onsets if self.onset_count else 'no onsets'}; {levels}"

    def describe(self) -> str:
        """Return one sentence about it.

        Examples
        --------
        >>> Coupling(0.58, 0.13, 0.4, 60.0, 80).describe()
        'sound follows the picture well (onsets .58, chance .13; levels .40)'
        """
        if self.seconds < MIN_SECONDS:
            return (
                "too short to tell how far sound follows the picture; it takes "
                f"{MIN_SECONDS:.0f} s of film"
            )
        return f"{_SENTENCES[self.verdict]} ({self.figures})"


@dataclass(frozen=True)
class HeldOutCurves:
    """The predictions of regressions on other blocks, for each stretch.

    Attributes
    ----------
    onset, level_db : list of float64 arrays (m,)
        Onset curves are divided by their film's scale.
    threshold : float
        The threshold of the onset curves with the best F-measure.
    hidden_units : int
        How many random units the onset regression has, by that score.
    coupling : Coupling
    """

    onset: list[FloatArray]
    level_db: list[FloatArray]
    threshold: float
    hidden_units: int
    coupling: Coupling


def measure_coupling(stretches: Sequence[FilmMotion]) -> Coupling:
    """Return how far the sound of stretches of film follows their picture."""
    return predict_held_out(stretches).coupling


def predict_held_out(stretches: Sequence[FilmMotion]) -> HeldOutCurves:
    """Return predictions of blocks by regressions on the others, and their scores.

    Libraries of less than two blocks have no score: their F-measure and correlation are 0.
    """
    folds = _assign_folds(stretches)
    seconds = sum(each.seconds for each in stretches)
    onsets = sum(len(each.onsets) for each in stretches)
    count = max((int(fold.max(initial=-1)) for fold in folds), default=-1) + 1
    if count < 2:
        nothing = [np.zeros(len(each.times)) for each in stretches]
        return HeldOutCurves(nothing, nothing, 1.0, 0, Coupling(0.0, 0.0, 0.0, seconds, onsets))
    level = _predict_folds(stretches, folds, fit_frame_level)
    best: tuple[float, float, int, list[FloatArray]] | None = None
    for units in (0, HIDDEN_UNITS):
        fit = partial(fit_onset, hidden_units=units)
        curves = _predict_folds(stretches, folds, fit)
        curves = scale_curves(curves, usual_scale(curves))
        threshold = best_threshold(curves, stretches)
        f, chance = _score(curves, stretches, threshold)
        if best is None or f > best[0] + HIDDEN_ADVANTAGE:
            best = f, chance, units, curves
            best_at = threshold
    assert best is not None
    f, chance, units, curves = best
    true = np.concatenate([each.frame_db[each.frames] for each in stretches])
    followed = correlation(np.concatenate(level), np.maximum(true, FLOOR_DB))
    coupling = Coupling(f, chance, followed, seconds, onsets)
    return HeldOutCurves(curves, level, best_at, units, coupling)


def _predict_folds(
    stretches: Sequence[FilmMotion],
    folds: Sequence[NDArray[np.int64]],
    fit: Callable[[Sequence[FilmMotion], Sequence[NDArray[np.bool_]]], _Regression],
) -> list[FloatArray]:
    """Return what regressions that are fitted to the other folds predict of each fold."""
    predicted = [np.zeros(len(each.times)) for each in stretches]
    for fold in range(FOLDS):
        if not any((of == fold).any() for of in folds):
            continue
        regression = fit(
            stretches, [_outside(each, of, fold) for each, of in zip(stretches, folds, strict=True)]
        )
        for number, (each, of) in enumerate(zip(stretches, folds, strict=True)):
            predicted[number][of == fold] = regression.predict(each.features[of == fold])
    return predicted


def usual_scale(curves: Sequence[FloatArray]) -> float:
    """Return the median of the curves' scales, which stands in for a film that has none."""
    scales = [scale for curve in curves if (scale := scale_of(curve)) > 0]
    return float(np.median(scales)) if scales else 1.0


def scale_curves(curves: Sequence[FloatArray], usual: float) -> list[FloatArray]:
    """Return the curves, each divided by its film's scale; see `EventScale`."""
    return [curve / scale_of(curve, usual) for curve in curves]


def correlation(ours: FloatArray, theirs: FloatArray) -> float:
    """Return the correlation of two curves, 0 if either is constant."""
    if len(ours) < 2 or min(ours.std(), theirs.std()) < 1e-9:
        return 0.0
    return float(np.corrcoef(ours, theirs)[0, 1])


def _assign_folds(stretches: Sequence[FilmMotion]) -> list[NDArray[np.int64]]:
    """Return the fold of each new picture: blocks of all stretches take turns."""
    folds, used = [], 0
    for each in stretches:
        block = (each.times / BLOCK_SECONDS).astype(np.int64).clip(0)
        folds.append((block + used) % FOLDS)
        used += int(np.ceil(each.seconds / BLOCK_SECONDS))
    return folds


def _outside(each: FilmMotion, folds: NDArray[np.int64], fold: int) -> NDArray[np.bool_]:
    """Return which pictures are of other folds, and at a distance from those of this one."""
    inside = np.flatnonzero(folds == fold)
    if not len(inside):
        return np.ones(len(folds), np.bool_)
    return nearest_distance(each.times, each.times[inside]) > GUARD_SECONDS


class OnsetCounts(NamedTuple):
    """What the F-measure of a stretch is computed of.

    Attributes
    ----------
    matches, chance_matches : float
        The true onsets that were predicted, and those that circular shifts of the predictions meet.
    total : int
        Predicted and true onsets together.
    """

    matches: float
    chance_matches: float
    total: int


def count_onsets(
    curves: Sequence[FloatArray], stretches: Sequence[FilmMotion], threshold: float
) -> list[OnsetCounts]:
    """Return the counts of each stretch for predicted onset curves and a threshold."""
    counts = []
    for curve, each in zip(curves, stretches, strict=True):
        events = keep_apart(*find_peaks(curve, each.times), threshold)
        shifted = count_shifted_matches(events, each.onsets, each.seconds)
        chance = float(shifted.mean()) if len(shifted) else 0.0
        matches = count_matches(events, each.onsets)
        counts.append(OnsetCounts(matches, chance, len(events) + len(each.onsets)))
    return counts


def _score(
    curves: Sequence[FloatArray], stretches: Sequence[FilmMotion], threshold: float
) -> tuple[float, float]:
    """Return the F-measure over all stretches together, and its chance level."""
    counts = count_onsets(curves, stretches, threshold)
    total = max(sum(each.total for each in counts), 1)
    matches, chance = (sum(each[which] for each in counts) for which in (0, 1))
    return 2 * matches / total, 2 * chance / total


def without_zero(value: float) -> str:
    """Return a score of at most 1 with two decimals, as they are printed.

    Examples
    --------
    >>> without_zero(0.58), without_zero(-0.1), without_zero(1)
    ('.58', '-.10', '1.00')
    """
    return f"{value:.2f}".replace("0.", ".", 1)
