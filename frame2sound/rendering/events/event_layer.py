"""The layer of events: sounds added at exact samples, taken away as they become certain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class EventLayer:
    """Adds sounds that may overlap, and returns their sum piece by piece.

    Attributes
    ----------
    position : int
        The next sample that is returned.
    """

    def __init__(self) -> None:
        self.position = 0
        self._sum = np.zeros(0)

    def add(self, sound: FloatArray, start: int) -> None:
        """Add a sound that begins at a sample; what would be before `position` is left out."""
        first = max(self.position - start, 0)
        begin = start + first - self.position
        missing = begin + len(sound) - first - len(self._sum)
        if first < len(sound):
            self._sum = np.pad(self._sum, (0, max(missing, 0)))
            self._sum[begin : begin + len(sound) - first] += sound[first:]

    def pop_until(self, end: int) -> FloatArray:
        """Return and forget the sum up to a sample, exclusive."""
        count = max(end - self.position, 0)
        ready = np.pad(self._sum[:count], (0, max(count - len(self._sum), 0)))
        self._sum = self._sum[count:]
        self.position += count
        return ready
