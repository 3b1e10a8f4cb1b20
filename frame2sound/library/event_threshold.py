"""Choose the threshold of onset curves: the one whose events are most often true.

The F-measure jumps wherever a peak crosses the threshold, so it is smoothed over thresholds that
are nearly equal; and events are charged for what as many random ones would score, since a film
with many onsets rewards many guesses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from frame2sound.library.event_times import find_peaks, keep_apart
from frame2sound.library.film_motion import FilmMotion
from frame2sound.sound.onset_matching import count_matches

FloatArray = NDArray[np.float64]

LOG_STEP = 0.04
"""Candidates are a geometric series with this step, over the heights of the peaks."""

SMOOTHING_STEPS = 4
"""Scores are smoothed over so many candidates on both sides."""

LOWEST_HEIGHT, MAX_CANDIDATES = 0.02, 200

CHANCE_SHARE = 0.5
"""How much of what chance would score is subtracted from the F-measure."""

F_TOLERANCE, HIGH_PRECISION = 0.02, 0.9
"""How much F-measure a lower threshold may cost, where so few of its events are false."""

MATCH_SECONDS = 0.05
"""An event is true if an onset is this near."""


def best_threshold(curves: Sequence[FloatArray], stretches: Sequence[FilmMotion]) -> float:
    """Return the threshold whose events score best over all stretches together; above 0.

    Of thresholds that are nearly as good, the lowest with a precision of `HIGH_PRECISION` is taken:
    where hardly any event is false, the faint ones of other films are worth having.
    """
    peaks = [find_peaks(curve, each.times) for curve, each in zip(curves, stretches, strict=True)]
    candidates = _candidates(np.concatenate([*(heights for _, heights in peaks), np.zeros(0)]))
    scores = np.array([_score(peaks, stretches, one) for one in candidates.tolist()])
    f, chance, precision = scores.T
    best = int(_smooth(f - CHANCE_SHARE * chance).argmax())
    good = np.flatnonzero((f >= f[best] - F_TOLERANCE) & (precision >= HIGH_PRECISION))
    return float(candidates[min([best, *good[:1].tolist()])])


def _candidates(heights: FloatArray) -> FloatArray:
    """Return a geometric series from the lowest to the highest of the peaks' heights."""
    heights = heights[heights > LOWEST_HEIGHT]
    if not len(heights):
        return np.array([LOWEST_HEIGHT])
    low, high = np.log([heights.min(), heights.max()])
    count = min(int((high - low) / LOG_STEP) + 1, MAX_CANDIDATES)
    return np.asarray(np.exp(high - LOG_STEP * np.arange(count)[::-1]), np.float64)


class _Score(NamedTuple):
    f: float
    chance: float
    precision: float


def _score(
    peaks: Sequence[tuple[FloatArray, FloatArray]],
    stretches: Sequence[FilmMotion],
    threshold: float,
) -> _Score:
    """Return the F-measure of a threshold's events, that of as many random ones, and precision."""
    matches = found = true = 0
    by_chance = 0.0
    for each_peaks, each in zip(peaks, stretches, strict=True):
        events = keep_apart(*each_peaks, threshold)
        count, onsets = len(events), len(each.onsets)
        matches += count_matches(events, each.onsets)
        covered = 1 - np.exp(-2 * MATCH_SECONDS * count / max(each.seconds, MATCH_SECONDS))
        by_chance += min(onsets * covered, count)
        found, true = found + count, true + onsets
    total = max(found + true, 1)
    return _Score(2 * matches / total, 2 * by_chance / total, matches / max(found, 1))


def _smooth(scores: FloatArray) -> FloatArray:
    """Return scores averaged with their neighbours by a Hann window; the ends are repeated."""
    window = np.hanning(2 * SMOOTHING_STEPS + 3)[1:-1]
    padded = np.pad(scores, SMOOTHING_STEPS, mode="edge")
    return np.convolve(padded, window / window.sum(), mode="valid")
