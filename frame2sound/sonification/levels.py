"""Levels of brightness, in decibels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.sonification.pictures import Brightness

DEFAULT_RANGE_DB = 40.0
"""Structural similarity of drawings is highest at 40 dB (``benchmarks/sonification.py``)."""


def amplitudes(brightness: Brightness, range_db: float) -> NDArray[np.float32]:
    """Return amplitudes: 1 for brightness 1, falling evenly in decibels to ``-range_db``.

    A step of grey, 1 / 255, is ``range_db / 255`` dB; brightness 0 is silent.

    Examples
    --------
    >>> amplitudes(np.float32([1, 0.5, 0]), 40.0).round(6).tolist()
    [1.0, 0.10000000149011612, 0.0]
    """
    level = 10 ** ((brightness - 1) * np.float32(range_db / 20))
    return np.where(brightness > 0, level, 0).astype(np.float32)
