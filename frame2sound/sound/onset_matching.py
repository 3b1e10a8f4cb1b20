"""Match two lists of onsets, without the packages that evaluation uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def count_matches(
    estimated: NDArray[np.float64], reference: NDArray[np.float64], window_seconds: float = 0.05
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
