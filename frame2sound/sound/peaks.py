"""True peaks: the highest that sound gets between its samples too."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import firwin, upfirdn

OVERSAMPLING = 4
INTERPOLATION_REACH = 12
"""Samples on either side that decide the value between two."""

_PHASES = firwin(
    OVERSAMPLING * 2 * INTERPOLATION_REACH + 1, 1 / OVERSAMPLING, window=("kaiser", 6.0)
)
_INTERPOLATOR = (_PHASES * OVERSAMPLING).astype(np.float32)


def true_peaks(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return, for every sample, the highest absolute value up to the next one between samples too.

    Four-fold oversampling as ITU-R BS.1770-4, annex 2, asks for; shape ``(n,)``. The first and
    last 12 samples see zeros beyond the ends.
    """
    if not len(sound):
        return np.empty(0, np.float32)
    dense = upfirdn(_INTERPOLATOR, sound, up=OVERSAMPLING)
    dense = np.abs(dense[OVERSAMPLING * INTERPOLATION_REACH :][: OVERSAMPLING * len(sound)])
    between = np.maximum.reduce(dense.reshape(len(sound), OVERSAMPLING), axis=1)
    return np.maximum(between, np.abs(sound))


class PeakMeter:
    """Takes note of the highest true peak of sound that comes in pieces.

    Attributes
    ----------
    peak : float
        The highest so far; 1 is full scale. It is complete after `finish`.
    """

    def __init__(self, channels: int = 1) -> None:
        self.peak = 0.0
        self._heard = np.zeros((channels, 2 * INTERPOLATION_REACH), np.float32)

    @property
    def peak_db(self) -> float:
        """The highest true peak in dBTP; -200 for silence."""
        return 20 * math.log10(max(self.peak, 1e-10))

    def hear(self, planes: NDArray[np.float32]) -> None:
        """Take the next piece, ``(channels, n)``."""
        planes = np.concatenate([self._heard, planes], axis=1)
        known = slice(INTERPOLATION_REACH, -INTERPOLATION_REACH)
        peaks = (float(true_peaks(plane)[known].max(initial=0)) for plane in planes)
        self.peak = max(self.peak, *peaks)
        self._heard = planes[:, -2 * INTERPOLATION_REACH :]

    def finish(self) -> None:
        """Judge the last samples: silence follows them."""
        self.hear(np.zeros_like(self._heard))
