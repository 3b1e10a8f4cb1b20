"""Cut sound into windows of a second, none of which reaches across a cut."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WINDOW_SECONDS = 1.0
"""Length of a window: what a classifier hears at once."""

HOP_SECONDS = 0.5
"""From the start of one window to that of the next."""

GUARD_SECONDS = 1.0
"""Where a film is cut, the gap between windows on one side and windows on the other."""

MAX_WINDOWS_PER_FILM = 240
"""Windows of longer films are spread evenly."""


def window_samples(sample_rate: int) -> int:
    """Return the length of a window."""
    return round(WINDOW_SECONDS * sample_rate)


def window_starts(
    begin: int, end: int, sample_rate: int, most: int = MAX_WINDOWS_PER_FILM
) -> NDArray[np.int64]:
    """Return the first samples of windows that lie between two samples, in order.

    They are half a second apart, or more where there would be too many.
    """
    last = end - window_samples(sample_rate)
    if last < begin:
        return np.zeros(0, np.int64)
    count = int((last - begin) / (HOP_SECONDS * sample_rate)) + 1
    if count > most:
        return np.linspace(begin, last, most).astype(np.int64)
    return begin + np.round(np.arange(count) * HOP_SECONDS * sample_rate).astype(np.int64)


def split_at_cut(
    starts: NDArray[np.int64], cut: int, sample_rate: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which windows end a guard before a cut, and which begin at the cut or later."""
    guard = round(GUARD_SECONDS * sample_rate)
    return starts + window_samples(sample_rate) + guard <= cut, starts >= cut
