"""True peaks: the highest that sound gets between its samples too."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

OVERSAMPLING = 4
INTERPOLATION_REACH = 12
"""Samples on either side that decide the value between two."""

_AT = np.arange(-OVERSAMPLING * INTERPOLATION_REACH, OVERSAMPLING * INTERPOLATION_REACH + 1)
_PHASES = np.sinc(_AT / OVERSAMPLING) * np.kaiser(len(_AT), 6.0)
_INTERPOLATOR = (_PHASES * (OVERSAMPLING / _PHASES.sum())).astype(np.float32)
"""A low-pass at a quarter of the rate, by the window method; its gain for a constant is one."""

_BLOCK = 2 * INTERPOLATION_REACH
"""Samples that are interpolated by one row of a matrix product."""
_MOST_GAIN = max(float(np.abs(_INTERPOLATOR[k::OVERSAMPLING]).sum()) for k in range(OVERSAMPLING))


def _interpolating(phase: int) -> NDArray[np.float32]:
    """Return the matrix that turns a block, and 12 samples on either side, into the between."""
    taps = _INTERPOLATOR[phase::OVERSAMPLING][::-1]
    matrix = np.zeros((_BLOCK + 2 * INTERPOLATION_REACH, _BLOCK), np.float32)
    for sample in range(_BLOCK):
        first = sample + 1
        matrix[first : first + len(taps), sample] = taps
    return matrix


_BETWEEN = [_interpolating(phase) for phase in range(1, OVERSAMPLING)]

TOGETHER = 8192
"""Samples that a meter judges at once."""


def true_peaks(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return, for every sample, the highest absolute value up to the next one between samples too.

    Four-fold oversampling as ITU-R BS.1770-4, annex 2, asks for; shape ``(n,)``. The first and
    last 12 samples see zeros beyond the ends.
    """
    blocks = max(1, -(-len(sound) // _BLOCK))
    beyond = INTERPOLATION_REACH + blocks * _BLOCK - len(sound)
    padded = np.pad(sound, (INTERPOLATION_REACH, beyond))
    windows = sliding_window_view(padded, len(_BETWEEN[0]))[::_BLOCK]
    peaks = np.abs(sound)
    for phase in _BETWEEN:
        between = (windows @ phase).reshape(-1)[: len(sound)]
        np.maximum(peaks, np.abs(between, out=between), out=peaks)
    return peaks


def most_between(sound: NDArray[np.float32]) -> float:
    """Return a bound that no true peak of the sound exceeds, found without interpolating."""
    return _MOST_GAIN * max(float(sound.max(initial=0)), -float(sound.min(initial=0)))


class PeakMeter:
    """Takes note of the highest true peak of sound that comes in pieces.

    Attributes
    ----------
    peak : float
        The highest so far; 1 is full scale. It is complete after `finish`.
    """

    def __init__(self, channels: int = 1) -> None:
        self.peak = 0.0
        self._pieces = [np.zeros((channels, 2 * INTERPOLATION_REACH), np.float32)]
        self._length = 0

    @property
    def peak_db(self) -> float:
        """The highest true peak in dBTP; -200 for silence."""
        return 20 * math.log10(max(self.peak, 1e-10))

    def hear(self, planes: NDArray[np.float32]) -> None:
        """Take the next piece, ``(channels, n)``."""
        self._pieces.append(planes)
        self._length += planes.shape[1]
        if self._length >= TOGETHER:
            self._judge()

    def finish(self) -> None:
        """Judge the last samples: silence follows them."""
        self._pieces.append(np.zeros((len(self._pieces[0]), 2 * INTERPOLATION_REACH), np.float32))
        self._judge()

    def _judge(self) -> None:
        planes = np.concatenate(self._pieces, axis=1)
        known = slice(INTERPOLATION_REACH, -INTERPOLATION_REACH)
        for plane in planes:
            if most_between(plane) > self.peak:
                self.peak = max(self.peak, float(true_peaks(plane)[known].max(initial=0)))
        self._pieces, self._length = [planes[:, -2 * INTERPOLATION_REACH :]], 0
