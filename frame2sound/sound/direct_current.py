"""Taking away what is no sound: a constant, and drifts too slow to hear."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

CORNER_HZ = 5.0


class DirectCurrentRemoval:
    """A first-order high-pass filter, fed in pieces; -3 dB at 5 Hz, no audible change above 20 Hz.

    ``y[n] = g (x[n] - x[n-1]) + p y[n-1]`` with ``p = exp(-2 pi corner / rate)`` and
    ``g = (1 + p) / 2``, so that the gain at the Nyquist frequency is one.
    """

    def __init__(self, sample_rate: int) -> None:
        self._pole = math.exp(-2 * math.pi * CORNER_HZ / sample_rate)
        self._state = np.zeros(1)

    def feed(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Filter a piece of mono sound; the pieces' results join."""
        if not len(sound):
            return sound  # `lfilter` would forget its state
        gain = (1 + self._pole) / 2
        filtered, self._state = lfilter(
            [gain, -gain], [1.0, -self._pole], sound.astype(np.float64), zi=self._state
        )
        result: NDArray[np.float32] = filtered.astype(np.float32)
        return result
