"""Confidence intervals of differences by the paired block bootstrap.

Neighbouring frames of a film are correlated, so blocks of time are resampled, not frames (Künsch,
"The jackknife and the bootstrap for general stationary observations", Annals of Statistics 17,
1989). In each resample both brains have the same blocks and the same seeds, so the difficulty of
the blocks cancels. The differences of all resamples give a percentile interval (Efron and
Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 8 and 13).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BlockSums = NDArray[np.float64]
Statistic = Callable[[BlockSums], NDArray[np.float64]]

RESAMPLES = 2000
CONFIDENCE_LEVEL = 0.95

_BATCH_RESAMPLES = 250
"""Resamples in memory at once."""


@dataclass(frozen=True)
class Difference:
    """Difference of a statistic, and its confidence interval."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval excludes 0, so the sign of the difference is clear."""
        return self.low > 0 or self.high < 0


def paired_difference(
    ours: BlockSums,
    theirs: BlockSums,
    statistic: Statistic,
    *,
    resamples: int = RESAMPLES,
    confidence_level: float = CONFIDENCE_LEVEL,
    seed: int = 0,
) -> Difference | None:
    """Return the difference of a statistic, ours minus theirs, and its confidence interval.

    The statistic is computed for each seed from the sums of the resampled blocks, and averaged over
    the resampled seeds. With one seed the interval covers the choice of blocks only, and says
    nothing about other brains of the same recipes.

    Parameters
    ----------
    ours, theirs : arrays of shape (seeds, blocks, k)
        Sums of each block of time, of each brain; seeds and blocks correspond one to one.
    statistic : function
        From sums, (..., k), to values, (...).
    resamples : int
    confidence_level : float
        In (0, 1).
    seed : int
        Seed of the random choice of blocks and seeds.

    Returns
    -------
    Difference or None
        None if the statistic of all blocks is not finite.

    Raises
    ------
    ValueError
        The shapes differ, or the arrays are empty.
    """
    if ours.shape != theirs.shape or ours.ndim != 3 or not ours.size:
        raise ValueError(
            f"got sums of shapes {ours.shape} and {theirs.shape}, "
            "expected one shape (seeds, blocks, k)"
        )
    value = np.mean(statistic(ours.sum(1)) - statistic(theirs.sum(1)))
    if not np.isfinite(value):
        return None
    seeds, blocks, _ = ours.shape
    random = np.random.default_rng(seed)
    differences = np.empty(resamples)
    for first in range(0, resamples, _BATCH_RESAMPLES):
        count = min(_BATCH_RESAMPLES, resamples - first)
        counts = random.multinomial(blocks, np.full(blocks, 1 / blocks), count).astype(np.float64)
        weights = random.multinomial(seeds, np.full(seeds, 1 / seeds), count) / seeds
        by_seed = [
            statistic(counts @ our) - statistic(counts @ their)
            for our, their in zip(ours, theirs, strict=True)
        ]
        differences[first : first + count] = (weights * np.stack(by_seed, axis=1)).sum(1)
    differences = differences[np.isfinite(differences)]
    if not len(differences):
        return None
    low, high = np.quantile(differences, [(1 - confidence_level) / 2, (1 + confidence_level) / 2])
    return Difference(float(value), float(low), float(high))
