"""Scale features by the mean and the deviation of those that are learned from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

MIN_DEVIATION = 1e-3
"""Smallest deviation by which a feature is divided: constant features stay small."""


@dataclass(frozen=True, eq=False)
class Scaling:
    """Means and deviations of features, (features,)."""

    mean: FloatArray
    deviation: FloatArray

    @classmethod
    def fit(cls, values: FloatArray, weights: NDArray[np.float64]) -> Scaling:
        """Return the scaling of values, (n, ..., features), whose first axis has weights."""
        flat = values.reshape(len(values), -1, values.shape[-1]).astype(np.float64)
        share = weights / weights.sum()
        mean = share @ flat.mean(axis=1)
        variance = share @ ((flat - mean) ** 2).mean(axis=1)
        deviation = np.maximum(np.sqrt(variance), MIN_DEVIATION)
        return cls(mean.astype(np.float32), deviation.astype(np.float32))

    def apply(self, values: FloatArray) -> FloatArray:
        """Return scaled values of the same shape."""
        scaled: FloatArray = (values - self.mean) / self.deviation
        return scaled
