"""The control: the same cross-validation with labels that are permuted among films."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from frame2sound.sorting.classifier import ClassifierKind
from frame2sound.sorting.cross_validation import CrossValidation, cross_validate
from frame2sound.sorting.labelled_windows import IntArray, LabelledWindows

DRAWS = 3
"""Permutations of the labels."""


def permute_labels(film_labels: IntArray, film_groups: IntArray, seed: int) -> IntArray:
    """Return labels in which groups of films have exchanged theirs, (films,).

    All films of a group get the label that another group's first film had.
    """
    groups, first = np.unique(film_groups, return_index=True)
    drawn = np.random.default_rng([seed, 1]).permutation(film_labels[first])
    permuted: IntArray = drawn[np.searchsorted(groups, film_groups)]
    return permuted


def validate_with_random_labels(
    windows: LabelledWindows,
    kinds: Mapping[str, ClassifierKind],
    seed: int,
    on_fit: Callable[[], None],
) -> list[CrossValidation]:
    """Return cross-validations of windows whose films have permuted labels."""
    found = []
    for draw in range(DRAWS):
        number = DRAWS * seed + draw
        labels = permute_labels(windows.film_labels, windows.film_groups, number)
        found.append(cross_validate(windows.with_labels(labels), kinds, number, on_fit))
    return found
