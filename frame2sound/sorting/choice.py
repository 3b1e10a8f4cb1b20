"""Choose the best of several classifiers, and say how good the choice is without bias.

The best figure of several is too high: it was chosen on the films that it is a figure of. So groups
of films are resampled, the classifier that is best on those drawn is chosen, and it is scored on
those that were not drawn (Tsamardinos, Greasidou and Borboudakis, "Bootstrapping the out-of-sample
predictions for efficient and accurate cross-validation", Machine Learning 107, 2018).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from frame2sound.sorting.labelled_windows import IntArray
from frame2sound.sorting.resampling import draw_groups, resampled_scores
from frame2sound.sorting.scores import balanced_score

FloatArray = NDArray[np.float64]

RESAMPLES = 400


def best_classifier(scores: Mapping[str, FloatArray], film_labels: IntArray) -> str:
    """Return the name of the classifier with the best balanced score; the first of equals.

    Parameters
    ----------
    scores : dict of str to array (films,)
    film_labels : int array (films,)
    """
    balanced = {name: round(balanced_score(each, film_labels), 9) for name, each in scores.items()}
    return max(balanced, key=lambda name: balanced[name])


def choice_shares(
    scores: Mapping[str, FloatArray], film_labels: IntArray, film_groups: IntArray, seed: int
) -> FloatArray:
    """Return how often each classifier is chosen without each film, (classifiers, films).

    The shares of a film add to 1. A film's score under the choice is the mean of its scores by
    these shares.
    """
    random = np.random.default_rng([seed, 2])
    weights = draw_groups(film_labels, film_groups, RESAMPLES, random)
    drawn = [resampled_scores(weights, each, film_labels) for each in scores.values()]
    best = np.round(drawn, 9).argmax(axis=0)
    left_out = weights == 0
    counts = np.stack([left_out[best == kind].sum(axis=0) for kind in range(len(drawn))])
    shares: FloatArray = counts / counts.sum(axis=0)
    return shares
