"""True peaks: the highest absolute values of the sound, also between its samples."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

SILENCE_DBTP = -200.0
"""The true peak of silence, in dBTP, in place of minus infinity."""

OVERSAMPLING = 4
TAPS_PER_SIDE = 12
"""Samples on either side from which a value between two samples is interpolated."""

_TAP_POSITIONS = np.arange(-OVERSAMPLING * TAPS_PER_SIDE, OVERSAMPLING * TAPS_PER_SIDE + 1)
_WINDOWED_SINC = np.sinc(_TAP_POSITIONS / OVERSAMPLING) * np.kaiser(len(_TAP_POSITIONS), 6.0)
_INTERPOLATOR = (_WINDOWED_SINC * (OVERSAMPLING / _WINDOWED_SINC.sum())).astype(np.float32)
"""A low-pass at a quarter of the rate, by the window method; its gain for a constant is one."""

_BLOCK = 2 * TAPS_PER_SIDE
"""Samples that are interpolated by one row of a matrix product."""
_MAX_GAIN = max(float(np.abs(_INTERPOLATOR[k::OVERSAMPLING]).sum()) for k in range(OVERSAMPLING))


def _interpolation_matrix(phase: int) -> NDArray[np.float32]:
    """Return the matrix that interpolates a block from its samples and 12 on either side."""
    taps = _INTERPOLATOR[phase::OVERSAMPLING][::-1]
    matrix = np.zeros((_BLOCK + 2 * TAPS_PER_SIDE, _BLOCK), np.float32)
    for sample in range(_BLOCK):
        first = sample + 1
        matrix[first : first + len(taps), sample] = taps
    return matrix


_INTERPOLATION_MATRIX = np.stack(
    [_interpolation_matrix(phase) for phase in range(1, OVERSAMPLING)], axis=2
).reshape(2 * _BLOCK, -1)
"""All values between the samples of a block, those after its first sample first."""

BATCH_SAMPLES = 8192
"""Samples that a meter measures at once."""


def true_peaks(samples: NDArray[np.float32], above: float = 0.0) -> NDArray[np.float32]:
    """Return the highest absolute value from each sample to the next, interpolated between them.

    Four-fold oversampling after ITU-R BS.1770-4, annex 2; shape ``(n,)``. The first and
    last 12 samples are interpolated with zeros beyond the ends.

    Parameters
    ----------
    above : float
        Where no peak can be higher, the samples' own values are returned.
    """
    blocks = max(1, -(-len(samples) // _BLOCK))
    padded = np.zeros((blocks + 1) * _BLOCK, np.float32)
    padded[TAPS_PER_SIDE : TAPS_PER_SIDE + len(samples)] = samples
    peaks = np.zeros(blocks * _BLOCK, np.float32)
    np.abs(samples, out=peaks[: len(samples)])
    rows = peaks.reshape(blocks, _BLOCK)
    highest = np.abs(padded.reshape(-1, _BLOCK)).max(axis=1)
    reach = np.maximum(highest[:-1], highest[1:])
    loud = np.flatnonzero(_MAX_GAIN * reach > above)
    if len(loud):
        windows = sliding_window_view(padded, 2 * _BLOCK)[::_BLOCK][loud]
        between = np.abs(windows @ _INTERPOLATION_MATRIX)
        rows[loud] = np.maximum(rows[loud], between.reshape(-1, _BLOCK, OVERSAMPLING - 1).max(2))
    return peaks[: len(samples)]


def true_peak_bound(samples: NDArray[np.float32]) -> float:
    """Return an upper bound of the true peaks, computed without interpolation."""
    return _MAX_GAIN * max(float(samples.max(initial=0)), -float(samples.min(initial=0)))


class TruePeakMeter:
    """Measures the highest true peak of a stream.

    Attributes
    ----------
    true_peak : float
        The highest so far; 1 is full scale. It is final after `finish`.
    """

    def __init__(self, channels: int = 1) -> None:
        self.true_peak = 0.0
        self._pieces = [np.zeros((channels, 2 * TAPS_PER_SIDE), np.float32)]
        self._length = 0

    @property
    def true_peak_db(self) -> float:
        """The highest true peak in dBTP; -200 for silence."""
        return 20 * math.log10(max(self.true_peak, 10 ** (SILENCE_DBTP / 20)))

    def update(self, samples: NDArray[np.float32]) -> None:
        """Measure the next chunk, ``(n,)`` or ``(n, channels)``."""
        self._pieces.append(np.atleast_2d(samples.T))
        self._length += len(samples)
        if self._length >= BATCH_SAMPLES:
            self._measure()

    def finish(self) -> None:
        """Measure the last samples, which silence follows."""
        self._pieces.append(np.zeros((len(self._pieces[0]), 2 * TAPS_PER_SIDE), np.float32))
        self._measure()

    def _measure(self) -> None:
        planes = np.concatenate(self._pieces, axis=1)
        known = slice(TAPS_PER_SIDE, -TAPS_PER_SIDE)
        for plane in planes:
            if true_peak_bound(plane) > self.true_peak:
                peaks = true_peaks(plane, self.true_peak)
                self.true_peak = max(self.true_peak, float(peaks[known].max(initial=0)))
        self._pieces, self._length = [planes[:, -2 * TAPS_PER_SIDE :]], 0
