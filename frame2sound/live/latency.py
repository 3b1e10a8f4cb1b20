"""Delays, counted in a histogram, so that memory does not grow."""

from __future__ import annotations

import math

import numpy as np

BIN_MS, BINS = 0.02, 50_000
"""The resolution, and how many bins there are: delays up to a second."""


class LatencyCounter:
    """Counts delays, and says how long and how steady they are."""

    def __init__(self) -> None:
        self._counts = np.zeros(BINS, np.int64)
        self._max_ms = 0.0

    def add(self, seconds: float) -> None:
        """Count a delay; a negative one counts as none."""
        milliseconds = max(1000 * seconds, 0.0)
        self._max_ms = max(self._max_ms, milliseconds)
        self._counts[min(int(milliseconds / BIN_MS), BINS - 1)] += 1

    @property
    def count(self) -> int:
        """How many delays were counted."""
        return int(self._counts.sum())

    def percentile_ms(self, percent: float) -> float:
        """Return the delay in ms that so many percent do not exceed, to the bin; 0 for none."""
        if not self.count:
            return 0.0
        rank = max(math.ceil(percent / 100 * self.count), 1)
        place = int(np.searchsorted(np.cumsum(self._counts), rank))
        return min((place + 1) * BIN_MS, self._max_ms)

    def summary(self) -> dict[str, float]:
        """Return percentiles in ms; the jitter is half of what lies between the 1st and 99th."""
        low, median, high = (self.percentile_ms(percent) for percent in (1, 50, 99))
        return {
            "median_ms": round(median, 3),
            "p99_ms": round(high, 3),
            "max_ms": round(self._max_ms, 3),
            "jitter_ms": round((high - low) / 2, 3),
        }
