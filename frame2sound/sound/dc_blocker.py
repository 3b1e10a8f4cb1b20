"""Remove a constant offset and drifts that are too slow to hear."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

CUTOFF_HZ = 5.0
BLOCK_TIME_CONSTANTS = 4


class DcBlocker:
    """A streaming first-order high-pass: -3 dB at 5 Hz, no audible change above 20 Hz.

    ``y[n] = g (x[n] - x[n-1]) + p y[n-1]`` with ``p = exp(-2 pi cutoff / rate)`` and
    ``g = (1 + p) / 2``, so that the gain at the Nyquist frequency is one.

    Divided by ``p**n`` the recursion is a cumulative sum. It is computed in blocks counted from
    the first sample of the stream, each of which ends before ``p**n`` is too small.

    Parameters
    ----------
    sample_rate : int
    first_sample : int
        The number of the stream's first sample where blocks are counted from an earlier one.
    """

    def __init__(self, sample_rate: int, first_sample: int = 0) -> None:
        self._pole = math.exp(-2 * math.pi * CUTOFF_HZ / sample_rate)
        length = max(1, round(BLOCK_TIME_CONSTANTS * sample_rate / (2 * math.pi * CUTOFF_HZ)))
        self._powers = self._pole ** np.arange(length)
        self._weights = (1 + self._pole) / 2 / self._powers
        self._position = first_sample % length
        self._sum = self._last = 0.0

    def process(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the next chunk of mono sound, filtered."""
        if not len(samples):
            return samples
        steps = np.diff(samples.astype(np.float64), prepend=self._last)
        self._last = float(samples[-1])
        filtered = np.empty(len(samples))
        done = 0
        while done < len(samples):
            count = min(len(self._powers) - self._position, len(samples) - done)
            here, part = slice(done, done + count), slice(self._position, self._position + count)
            summed = np.cumsum(np.append(self._sum, steps[here] * self._weights[part]))[1:]
            filtered[here] = summed * self._powers[part]
            done, self._position, self._sum = (
                done + count,
                self._position + count,
                float(summed[-1]),
            )
            if self._position == len(self._powers):
                self._position, self._sum = 0, self._pole * float(filtered[done - 1])
        return filtered.astype(np.float32)
