"""Sliding maximum and mean along the last axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sliding_max(values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Return the maximum of non-negative values within ``radius`` of each.

    Parameters
    ----------
    values : float32, shape (..., n)
        Beyond the ends there are zeros.

    Examples
    --------
    >>> sliding_max(np.array([0, 3, 0, 0, 1], np.float32), 1).tolist()
    [3.0, 3.0, 3.0, 1.0, 1.0]
    """
    width, known = 2 * radius + 1, 1
    highest = _padded(values, radius, radius, "constant")
    while known < width:  # each is the highest of the ``known`` values from it on
        step = min(known, width - known)
        highest = np.maximum(highest[..., :-step], highest[..., step:])
        known += step
    return highest


def sliding_mean(values: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return the mean of ``width`` values around each: as many after it, or one less.

    Parameters
    ----------
    values : float32, shape (..., n)
        Beyond the ends the first and the last are repeated.

    Examples
    --------
    >>> sliding_mean(np.array([0, 3, 0, 0, 3], np.float32), 3).tolist()
    [1.0, 1.0, 1.0, 1.0, 2.0]
    """
    part = _padded(values, width // 2, (width - 1) // 2, "edge")
    count, size, done = values.shape[-1], 1, 0
    total = np.zeros(values.shape, np.float32)
    while (
        size <= width
    ):  # ``part`` has sums of ``size``; those that the width's bits name are taken
        if width & size:
            total += part[..., done : done + count]
            done += size
        part = part[..., :-size] + part[..., size:]
        size *= 2
    return total / np.float32(width)


def _padded(values: NDArray[np.float32], before: int, after: int, how: str) -> NDArray[np.float32]:
    sides = [(0, 0)] * (values.ndim - 1) + [(before, after)]
    return np.pad(values, sides, how)  # type: ignore[call-overload, no-any-return]
