"""Rows that come without end, in memory that does not grow: at regular distances some are kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class BoundedRecord:
    """Keeps rows of numbers: all up to a limit; then every second, every fourth, and so on.

    Parameters
    ----------
    max_rows : int
        Most rows that are kept.

    Examples
    --------
    >>> record = BoundedRecord(4)
    >>> record.append(np.arange(10.0)[:, None])
    >>> record.rows()[:, 0].tolist(), record.stride
    ([0.0, 4.0, 8.0], 4)
    """

    def __init__(self, max_rows: int) -> None:
        self._max, self.stride = max_rows, 1
        self._parts: list[NDArray[np.float32]] = []
        self._kept, self._seen = 0, 0

    def append(self, rows: NDArray[np.floating]) -> None:
        """Take the next rows, ``(n, columns)``."""
        part = np.asarray(rows[-self._seen % self.stride :: self.stride], np.float32)
        self._parts.append(part)
        self._seen += len(rows)
        self._kept += len(part)
        while self._kept > self._max:
            self._parts = [np.concatenate(self._parts)[::2].copy()]
            self._kept = len(self._parts[0])
            self.stride *= 2

    def rows(self) -> FloatArray:
        """Return the rows that are kept, ``(kept, columns)``; the first is the first of all."""
        if not self._parts:
            return np.zeros((0, 0))
        return np.concatenate(self._parts).astype(np.float64)
