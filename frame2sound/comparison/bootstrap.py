"""How sure a difference is: the paired block bootstrap.

Neighbouring moments of a film are alike, so blocks of time are drawn, not moments (Künsch, "The
jackknife and the bootstrap for general stationary observations", Annals of Statistics 17, 1989);
two brains are judged on the same blocks and the same seeds in each draw, so that what is hard for
both cancels; and what they differ by over the draws gives a percentile interval (Efron and
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
"""Draws that are in memory at once."""


@dataclass(frozen=True)
class Difference:
    """By how much one exceeds another, and the interval in which that lies by so much certainty."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval says which is more."""
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
    """Return by how much a statistic of ours exceeds theirs, and its interval.

    The statistic is computed for each seed from the sums of the drawn blocks, and averaged over the
    drawn seeds. With one seed the interval covers blocks of film only: it tells of these two
    brains, not of others that the same recipes would give.

    Parameters
    ----------
    ours, theirs : arrays of shape (seeds, blocks, k)
        Sums over each block of time, of each brain; seeds and blocks belong together one by one.
    statistic : function
        Of sums, ``(..., k)``, to a figure, ``(...)``.
    draws : int
    level : float
        In (0, 1).
    seed : int
        The same seed draws the same blocks and seeds.

    Returns
    -------
    Difference or None
        None where the statistic is not a number for all of the blocks.

    Raises
    ------
    ValueError
        The shapes differ, or there is nothing in them.
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
    drawn = np.empty(resamples)
    for first in range(0, resamples, _BATCH_RESAMPLES):
        count = min(_BATCH_RESAMPLES, resamples - first)
        chosen = random.multinomial(blocks, np.full(blocks, 1 / blocks), count).astype(np.float64)
        weight = random.multinomial(seeds, np.full(seeds, 1 / seeds), count) / seeds
        apart = [statistic(chosen @ our) - statistic(chosen @ their)
                 for our, their in zip(ours, theirs, strict=True)]  # fmt: skip
        drawn[first : first + count] = (weight * np.stack(apart, axis=1)).sum(1)
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return None
    low, high = np.quantile(drawn, [(1 - confidence_level) / 2, (1 + confidence_level) / 2])
    return Difference(float(value), float(low), float(high))
