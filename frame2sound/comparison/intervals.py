"""Confidence intervals of differences between systems, over films and seeds.

Each film and each pair of seeds has a difference, and both films and seeds are draws: other films,
and other brains of the same recipes, would differ. They are crossed, since every brain is judged on
every film. A mean over them has the variance of the films' means, divided by their number, plus
that of the seeds' means, divided by theirs; where films and seeds interact, both hold what is left
over, which is subtracted once (Cameron, Gelbach and Miller, "Robust inference with multiway
clustering", Journal of Business & Economic Statistics 29, 2011; Owen, "The pigeonhole bootstrap",
Annals of Applied Statistics 1, 2007; no resampling is exact for crossed effects: McCullagh,
"Resampling and exchangeable arrays", Bernoulli 6, 2000). With five seeds or four films, percentiles
of resamples are far too narrow. The interval is that of Student's t: each variance has a divisor of
one less than its units, and its own quantile, and quantiles are averaged by variance (Cochran and
Cox, "Experimental Designs", 1950, section 4.14). With five seeds and one, four or ten
films it leaves out the truth in at most 5 % of cases if films and seeds are normal, whichever
differ most, and in up to 8.5 % if films differ most and are as skewed as exponential noise
(`benchmarks/null.py`).

Within one film, what can be drawn anew is time. Batches of successive blocks take the place of
films (Schmeiser, "Batch size effects in the analysis of simulation output", Operations Research 30,
1982), by the jackknife, since a measure is no mean of its blocks (Miller, "The jackknife: a
review", Biometrika 61, 1974).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from frame2sound.comparison.block_stats import BlockStatistic, BlockSums

CONFIDENCE_LEVEL = 0.95

MAX_BATCHES = 10
"""Batches of successive blocks of one film, so that neighbours that resemble are in one."""

_BISECTIONS = 40

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MeanInterval:
    """A mean, its confidence interval, and the two-sided p-value of 0.

    ``standard_error`` is infinite, and the interval all numbers, if there is one unit.
    """

    value: float
    low: float
    high: float
    p_value: float
    standard_error: float


@dataclass(frozen=True)
class Difference:
    """The difference of a measure between two systems, ours minus theirs.

    Attributes
    ----------
    value, low, high : float
        The difference of the means over films and seeds, and its confidence interval, in the unit
        of the measure. Means are taken on the scale of the measure, see `BlockStatistic`.
    p_value : float
        Of no difference, two-sided.
    films, seeds : int
        Films that have the measure, and seeds of both.
    """

    value: float
    low: float
    high: float
    p_value: float
    films: int
    seeds: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval excludes 0, so the sign of the difference is clear."""
        return self.low > 0 or self.high < 0


def mean_interval(
    values: Array, *, value: float | None = None, confidence_level: float = CONFIDENCE_LEVEL
) -> MeanInterval:
    """Return the mean of values of independent units, or of two crossed kinds of unit.

    Parameters
    ----------
    values : array of shape (units,) or (units, others)
        For example differences of films, each with its own seeds; or of films and seeds, where all
        seeds are judged on all films. A kind with one unit is taken as it is: nothing is said of
        others.
    value : float, optional
        What stands in place of the mean, for estimates whose values are pseudo-values.
    confidence_level : float
        In (0, 1).

    Examples
    --------
    Three units of 0, 1 and 2 have a standard error of 1 / sqrt(3), and t of 2 degrees of freedom
    is 4.303.

    >>> found = mean_interval(np.array([0.0, 1.0, 2.0]))
    >>> round(found.low, 3), found.value, round(found.high, 3)
    (-1.484, 1.0, 3.484)

    Raises
    ------
    ValueError
        The array is empty or has more than two axes.
    """
    table = values[:, None] if values.ndim == 1 else values
    if table.ndim != 2 or not table.size:
        raise ValueError(f"got values of shape {values.shape}, expected (units,) or two kinds")
    centre = float(table.mean()) if value is None else value
    variances, freedom = _variances(table)
    if not freedom:
        return MeanInterval(centre, -np.inf, np.inf, 1.0, np.inf)
    error = float(np.sqrt(_total_variance(table, variances)))
    weights = variances / variances.sum() if error else np.full(len(freedom), 1 / len(freedom))
    half = error * _critical_value(weights, freedom, 1 - confidence_level)
    p_value = _p_value(abs(centre) / error, weights, freedom) if error else float(centre == 0)
    return MeanInterval(centre, centre - half, centre + half, p_value, error)


def _variances(table: Array) -> tuple[Array, list[int]]:
    """Return the variances of the mean by each kind of more than one unit, and their freedom."""
    means = [table.mean(1 - axis) for axis in (0, 1) if table.shape[axis] > 1]
    variances = np.array([each.var(ddof=1) / len(each) for each in means])
    return variances, [len(each) - 1 for each in means]


def _total_variance(table: Array, variances: Array) -> float:
    if len(variances) < 2:
        return float(variances.sum())
    residuals = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
    rows, columns = table.shape
    shared = (residuals**2).sum() / ((rows - 1) * (columns - 1) * rows * columns)
    return float(max(variances.max(), variances.sum() - shared))


def _critical_value(weights: Array, freedom: list[int], p_value: float) -> float:
    quantiles = stdtrit(np.array(freedom, np.float64), 1 - p_value / 2)
    return float((weights * quantiles).sum())


def _p_value(ratio: float, weights: Array, freedom: list[int]) -> float:
    """Return the p-value whose critical value is a ratio of a mean and its standard error."""
    if len(freedom) == 1:
        return float(2 * stdtr(freedom[0], -ratio))
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _critical_value(weights, freedom, middle) > ratio:
            low = middle
        else:
            high = middle
    return high


def paired_difference(
    ours: Sequence[BlockSums],
    theirs: Sequence[BlockSums],
    statistic: BlockStatistic,
    *,
    confidence_level: float = CONFIDENCE_LEVEL,
) -> Difference | None:
    """Return the difference of a measure between two systems, and its confidence interval.

    With several films the interval is for other films and other seeds; with one film, for other
    stretches of it and other seeds; with one seed, it says nothing about others.

    Parameters
    ----------
    ours, theirs : sequence of arrays of shape (seeds, blocks, k)
        The sums of each film, by seed and block of time. Systems without a seed have one; else
        seeds correspond one to one.
    statistic : BlockStatistic
    confidence_level : float
        In (0, 1).

    Returns
    -------
    Difference or None
        None if no film has a finite value for all seeds; films without one do not count.

    Raises
    ------
    ValueError
        The shapes do not correspond, or there is no film.
    """
    _check_shapes(ours, theirs)
    means = [_film_values(each, statistic) for each in (ours, theirs)]
    known = np.isfinite(means[0]).all(1) & np.isfinite(means[1]).all(1)
    if not known.any():
        return None
    one, other = (each[known] for each in means)
    differences = one - other
    if len(differences) > 1:
        found = mean_interval(differences, confidence_level=confidence_level)
    else:
        film = int(np.flatnonzero(known)[0])
        pseudo_values = _pseudo_values(ours[film], statistic) - _pseudo_values(
            theirs[film], statistic
        )
        found = mean_interval(
            pseudo_values, value=float(differences.mean()), confidence_level=confidence_level
        )
    middle = (one.mean() + other.mean()) / 2
    value, low, high = (
        float(
            statistic.from_mean_scale(middle + each / 2)
            - statistic.from_mean_scale(middle - each / 2)
        )
        for each in (found.value, found.low, found.high)
    )
    return Difference(value, low, high, found.p_value, len(differences), differences.shape[1])


def _check_shapes(ours: Sequence[BlockSums], theirs: Sequence[BlockSums]) -> None:
    shapes = [[each.shape for each in sums] for sums in (ours, theirs)]
    is_valid = bool(ours) and len(ours) == len(theirs)
    for one, other in zip(*shapes, strict=False):
        is_valid &= len(one) == len(other) == 3 and one[1:] == other[1:] and 0 not in one + other
        is_valid &= one[0] == other[0] or 1 in (one[0], other[0])
    if not is_valid or any(len({shape[0] for shape in each}) > 1 for each in shapes):
        raise ValueError(
            f"got sums of shapes {shapes[0]} and {shapes[1]}, "
            "expected the same (seeds, blocks, k) of the same films for both"
        )


def _film_values(sums: Sequence[BlockSums], statistic: BlockStatistic) -> Array:
    """Return the values of films on the scale on which they are averaged, (films, seeds)."""
    values = np.stack([statistic(film.sum(1)) for film in sums])
    return _to_scale(values, statistic)


def _to_scale(values: Array, statistic: BlockStatistic) -> Array:
    known = np.isfinite(values)
    return np.where(known, statistic.to_mean_scale(np.where(known, values, 0.0)), np.nan)


def _pseudo_values(sums: BlockSums, statistic: BlockStatistic) -> Array:
    """Return the jackknife's pseudo-values of a film, (batches, seeds), on the mean scale.

    With one batch, it is the value itself. Leaving out a batch may leave nothing to measure: such a
    batch counts as what all others have on average.
    """
    total = sums.sum(1)
    value = _to_scale(statistic(total), statistic)
    count = min(sums.shape[1], MAX_BATCHES)
    if count < 2:
        return value[None]
    batches = np.stack([part.sum(1) for part in np.array_split(sums, count, axis=1)])
    without = _to_scale(statistic(total - batches), statistic)
    return np.where(np.isfinite(without), count * value - (count - 1) * without, value)
