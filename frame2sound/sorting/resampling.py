"""Resample groups of films, and score what is drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.sorting.labelled_windows import IntArray

FloatArray = NDArray[np.float64]


def draw_groups(
    film_labels: IntArray, film_groups: IntArray, count: int, random: np.random.Generator
) -> FloatArray:
    """Return how often each film's group is drawn in each resample, (count, films).

    As many groups of each label are drawn as there are; a group has the label of its first film.
    """
    groups, first, group_of_film = np.unique(film_groups, return_index=True, return_inverse=True)
    label_of_group = film_labels[first]
    drawn = np.zeros((count, len(groups)))
    for label in np.unique(label_of_group):
        members = np.flatnonzero(label_of_group == label)
        drawn[:, members] = random.multinomial(
            len(members), np.full(len(members), 1 / len(members)), count
        )
    weights: FloatArray = drawn[:, group_of_film]
    return weights


def resampled_scores(weights: FloatArray, scores: FloatArray, film_labels: IntArray) -> FloatArray:
    """Return the balanced score of each resample, (count,); labels that it lacks do not count.

    Parameters
    ----------
    weights : array (count, films)
    scores, film_labels : arrays (films,)
    """
    of_label = (film_labels[:, None] == np.unique(film_labels)).astype(np.float64)
    total, films = weights @ (of_label * scores[:, None]), weights @ of_label
    means = np.where(films > 0, total / np.where(films > 0, films, 1), np.nan)
    drawn: FloatArray = np.nanmean(means, axis=1)
    return drawn
