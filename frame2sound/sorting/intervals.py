"""Intervals of balanced scores, by resampling groups of films."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit
from scipy.stats import norm

from frame2sound.sorting.labelled_windows import IntArray
from frame2sound.sorting.resampling import draw_groups, resampled_scores
from frame2sound.sorting.scores import balanced_score

FloatArray = NDArray[np.float64]

RESAMPLES = 2000
CONFIDENCE_LEVEL = 0.95


@dataclass(frozen=True)
class Score:
    """A balanced score, 0 to 1, and its 95 % interval."""

    value: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether a value is in the interval, to rounding."""
        return self.low - 1e-9 <= value <= self.high + 1e-9


def score_with_interval(
    runs: Sequence[tuple[FloatArray, IntArray]],
    film_groups: IntArray,
    seed: int = 0,
    *,
    folds: int | None = None,
) -> Score:
    """Return the balanced score of films, and an interval from resampled groups.

    The quantiles are moved outwards as far as Student's interval is wider than the normal one
    (Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69,
    2015), since few groups vary too little among themselves. Where all groups agree, the interval
    is that of as many coins that all fall on one side (Clopper and Pearson 1934).

    Parameters
    ----------
    runs : sequence of (scores, film_labels)
        Scores and labels of the films, (films,) each. The interval of several runs is that of one
        of them, whichever it is.
    film_groups : int array (films,)
    seed : int
        Of the resampling.
    folds : int, optional
        Of the cross-validation that the scores come from. Its films are judged by classifiers that
        have learned mostly the same, so that they err together, which resampling does not show.
        The interval is widened for it (Nadeau and Bengio, "Inference for the Generalization
        Error", Machine Learning 52, 2003).
    """
    groups = np.unique(film_groups)
    random = np.random.default_rng(seed)
    per_run = -(-RESAMPLES // len(runs))
    drawn = np.concatenate(
        [
            resampled_scores(draw_groups(labels, film_groups, per_run, random), scores, labels)
            for scores, labels in runs
        ]
    )
    value = float(np.mean([balanced_score(scores, labels) for scores, labels in runs]))
    tail = (1 - CONFIDENCE_LEVEL) / 2
    spare = len(groups) - len(np.unique(runs[0][1]))
    wider = _expanded_tail(tail, len(groups), spare)
    low, high = np.quantile(drawn, [wider, 1 - wider])
    widening = 1.0 if folds is None else float(np.sqrt(1 + folds / (folds - 1)))
    low, high = value + widening * (np.array([low, high]) - value)
    sure = tail ** (1 / len(groups))
    return Score(value, max(min(float(low), sure), 0.0), min(max(float(high), 1 - sure), 1.0))


def _expanded_tail(tail: float, groups: int, spare: int) -> float:
    """Return the quantile of a bootstrap at which Student's interval would end.

    ``spare`` is the number of degrees of freedom: of the groups, one a label fixes its mean.
    """
    if spare < 1:
        return 0.0
    return float(norm.cdf(stdtrit(spare, tail) * np.sqrt(groups / spare)))
