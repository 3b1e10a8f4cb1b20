"""Divide groups of films into folds, so that each label is in as many folds as it can be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

MAX_FOLDS = 5


def fold_count(film_labels: IntArray, film_groups: IntArray) -> int:
    """Return the number of folds: the groups of the label that has most, but at most five."""
    _, first = np.unique(film_groups, return_index=True)
    return min(MAX_FOLDS, int(np.bincount(film_labels[first]).max()))


def divide_into_folds(film_labels: IntArray, film_groups: IntArray, seed: int) -> IntArray:
    """Return the fold of each film, (films,).

    All films of a group are in one fold. The groups of a label go round the folds in random order,
    so that no fold holds all groups of a label that has two.

    Parameters
    ----------
    film_labels, film_groups : int arrays (films,)
        The films of a group have the same label.
    seed : int
        Of the order.
    """
    groups, first = np.unique(film_groups, return_index=True)
    label_of_group = film_labels[first]
    count = fold_count(film_labels, film_groups)
    random = np.random.default_rng(seed)
    fold_of_group = np.empty(len(groups), np.int64)
    start = 0
    for label in np.unique(label_of_group):
        members = random.permutation(np.flatnonzero(label_of_group == label))
        fold_of_group[members] = (start + np.arange(len(members))) % count
        start += len(members)
    folds: IntArray = fold_of_group[np.searchsorted(groups, film_groups)]
    return folds
