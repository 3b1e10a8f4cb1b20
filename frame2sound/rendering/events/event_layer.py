"""The layer of events: sounds added at exact samples, taken away as they become certain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class EventLayer:
    """Adds sounds that may overlap, and returns their sum piece by piece.

    Parameters
    ----------
    channels : int
        Sounds are ``(n,)``, or ``(n, 2)`` if there are two.
    position : int
        The first sample.

    Attributes
    ----------
    position : int
        The next sample that is returned.
    """

    def __init__(self, channels: int = 1, position: int = 0) -> None:
        self.position = position
        self._sum = np.zeros((0,) if channels == 1 else (0, channels))

    def add(self, sound: FloatArray, start: int) -> None:
        """Add a sound that begins at a sample; what would be before `position` is left out."""
        first = max(self.position - start, 0)
        begin = start + first - self.position
        missing = begin + len(sound) - first - len(self._sum)
        if first < len(sound):
            self._sum = self._padded(self._sum, missing)
            self._sum[begin : begin + len(sound) - first] += sound[first:]

    def pop_until(self, end: int) -> FloatArray:
        """Return and forget the sum up to a sample, exclusive."""
        count = max(end - self.position, 0)
        ready = self._padded(self._sum[:count], count - len(self._sum))
        self._sum = self._sum[count:]
        self.position += count
        return ready

    @staticmethod
    def _padded(sound: FloatArray, missing: int) -> FloatArray:
        return np.pad(sound, [(0, max(missing, 0)), (0, 0)][: sound.ndim])
