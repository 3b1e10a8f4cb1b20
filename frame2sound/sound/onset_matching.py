"""Match two lists of onsets, without the packages that evaluation uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TOLERANCE_SECONDS = 0.05

SHIFTS = 200
"""Circular shifts from which chance is estimated; fewer where there are very many onsets."""

_MIN_SHIFTS, _MAX_STEPS = 40, 2_000_000


def count_matches(
    estimated: NDArray[np.float64],
    reference: NDArray[np.float64],
    window_seconds: float = TOLERANCE_SECONDS,
) -> int:
    """Return the size of the largest one-to-one matching of two ascending lists of onsets.

    A pair matches if its times differ by at most ``window_seconds``. Taking the earliest possible
    partner is best where all windows are equally long.

    Examples
    --------
    >>> count_matches(np.array([0.0, 0.04, 1.0]), np.array([0.03, 0.06, 2.0]))
    2
    """
    ours, theirs = estimated.tolist(), reference.tolist()
    at = other = count = 0
    while at < len(ours) and other < len(theirs):
        if abs(ours[at] - theirs[other]) <= window_seconds:
            count, at, other = count + 1, at + 1, other + 1
        elif ours[at] < theirs[other]:
            at += 1
        else:
            other += 1
    return count


def count_shifted_matches(
    estimated: NDArray[np.float64],
    reference: NDArray[np.float64],
    seconds: float,
    window_seconds: float = TOLERANCE_SECONDS,
) -> NDArray[np.int64]:
    """Return the matches after circular shifts of the estimated onsets, (shifts,): chance.

    Shifted onsets keep their number and their rhythm, and lose only their relation to the
    reference; onsets that are uniform in time, without a rhythm, match less often. The shifts are
    longer than two tolerances either way, so that no onset can match what it matched before. There
    is one at a fixed random place in each of equal parts of the rest: even spacing would favour
    some phases of a steady beat.

    Parameters
    ----------
    estimated, reference : arrays of shape (onsets,)
        In seconds, ascending.
    seconds : float
        Length of the sound: what is shifted over its end is at its start.
    window_seconds : float
        Largest distance of a match.

    Returns
    -------
    array of shape (shifts,)
        `SHIFTS` values, always the same; empty if the sound is too short to be shifted.
    """
    least = 2 * window_seconds
    if seconds <= 2 * least:
        return np.zeros(0, np.int64)
    steps = max(len(estimated) + len(reference), 1)
    count = int(np.clip(_MAX_STEPS // steps, _MIN_SHIFTS, SHIFTS))
    places = (np.arange(count) + np.random.default_rng(0).random(count)) / count
    shifts = least + (seconds - 2 * least) * places
    shifted = (np.sort((estimated + shift) % seconds) for shift in shifts)
    matches = [count_matches(each, reference, window_seconds) for each in shifted]
    return np.array(matches, np.int64)
