"""Times of events: the peaks of a curve, what lies nearest, and what is too close."""

from __future__ import annotations

from bisect import bisect

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MIN_GAP_SECONDS = 0.07
"""Events are at least this far apart."""


def find_peaks(curve: FloatArray, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the times and heights of the local peaks of a curve, refined by a parabola."""
    if not len(curve):
        return np.empty(0), np.empty(0)
    edge = np.concatenate([[-np.inf], curve, [-np.inf]])
    at = np.flatnonzero((curve > edge[:-2]) & (curve >= edge[2:]))
    inner = (at > 0) & (at < len(curve) - 1)
    shift = np.zeros(len(at))
    left, middle, right = edge[at[inner]], edge[at[inner] + 1], edge[at[inner] + 2]
    bend = left - 2 * middle + right
    shift[inner] = np.where(bend < -1e-9, 0.5 * (left - right) / np.minimum(bend, -1e-9), 0.0)
    shift = shift.clip(-0.5, 0.5)
    forward = np.append(np.diff(times), 0.0)[at]
    backward = np.insert(np.diff(times), 0, 0.0)[at]
    return times[at] + shift * np.where(shift > 0, forward, backward), curve[at]


def keep_apart(times: FloatArray, heights: FloatArray, threshold: float) -> FloatArray:
    """Return the times of peaks above a threshold; of two that are too close, the higher."""
    above = np.flatnonzero(heights >= threshold)
    kept: list[float] = []
    for index in above[np.argsort(-heights[above], kind="stable")].tolist():
        time = float(times[index])
        place = bisect(kept, time)
        around = kept[max(place - 1, 0) : place + 1]
        if time >= 0 and all(abs(time - other) > MIN_GAP_SECONDS for other in around):
            kept.insert(place, time)
    return np.array(kept, np.float64)


def nearest_distance(times: FloatArray, onsets: FloatArray) -> FloatArray:
    """Return the distance of each time from the nearest onset; infinite without onsets."""
    return np.minimum(times - last_before(times, onsets), first_after(times, onsets) - times)


def nearest_indices(values: FloatArray, among: FloatArray) -> NDArray[np.int64]:
    """Return the index of the nearest of some ascending numbers for each value."""
    after = np.searchsorted(among, values).clip(1, max(len(among) - 1, 1))
    before = after - 1
    after = after.clip(0, len(among) - 1)
    return np.where(values - among[before] <= among[after] - values, before, after)


def last_before(times: FloatArray, onsets: FloatArray) -> FloatArray:
    """Return the last onset at or before each time; minus infinity where there is none."""
    edge = np.concatenate([[-np.inf], onsets])
    return edge[np.searchsorted(onsets, times, side="right")]


def first_after(times: FloatArray, onsets: FloatArray) -> FloatArray:
    """Return the first onset at or after each time; infinity where there is none."""
    edge = np.concatenate([onsets, [np.inf]])
    return edge[np.searchsorted(onsets, times, side="left")]
