"""Which film a sound is like: each window votes for the film that has the nearest one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.sorting.film_windows import FilmWindows
from frame2sound.sorting.labelled_windows import IntArray
from frame2sound.sorting.nearest_neighbours import nearest
from frame2sound.sorting.scaling import Scaling
from frame2sound.sorting.window_features import WindowFeatures, join_features
from frame2sound.sorting.windows import split_at_cut, window_samples

WINDOWS_PER_FILM = 24
"""Windows of a film that are stored, evenly spread."""

HELD_OUT_SHARE = 1 / 3
"""The last part of each film, which is held out to see whether it is known again."""


@dataclass(frozen=True, eq=False)
class FilmLikeness:
    """Windows of films that are known.

    Attributes
    ----------
    scaling : Scaling
    stored : float32 array (n, 60)
        Scaled summaries.
    films : int array (n,)
        The number of the film that each is of.
    film_count : int
    """

    scaling: Scaling
    stored: NDArray[np.float32]
    films: IntArray
    film_count: int

    def votes(self, features: WindowFeatures) -> NDArray[np.float64]:
        """Return the share of windows that vote for each film, (films,)."""
        near = nearest(self.stored, self.scaling.apply(features.summaries), 1)[:, 0]
        counts = np.bincount(self.films[near], minlength=self.film_count)
        return counts / max(len(near), 1)


def learn_likeness(films: Sequence[WindowFeatures]) -> FilmLikeness:
    """Return what is stored of films; those without windows are never voted for."""
    kept = [film.select(_spread(len(film), WINDOWS_PER_FILM)) for film in films]
    summaries = join_features(kept).summaries
    numbers = np.repeat(np.arange(len(kept)), [len(film) for film in kept])
    weights = 1 / np.bincount(numbers, minlength=len(kept))[numbers]
    scaling = Scaling.fit(summaries, weights)
    return FilmLikeness(scaling, scaling.apply(summaries), numbers, len(kept))


def known_again(
    films: Sequence[FilmWindows], groups: IntArray, sample_rate: int
) -> NDArray[np.float64]:
    """Return the share of each film's last third that votes for a film of its group, (films,).

    What is learned ends a second before that third begins. NaN is for films too short for it.
    """
    learned, asked = [], []
    for film in films:
        if not len(film.starts):
            before = after = np.zeros(0, np.bool_)
        else:
            end = int(film.starts[-1]) + window_samples(sample_rate)
            cut = end - round(HELD_OUT_SHARE * (end - int(film.starts[0])))
            before, after = split_at_cut(film.starts, cut, sample_rate)
        usable = before.any() and after.any()
        learned.append(film.features.select(before & usable))
        asked.append(film.features.select(after & usable))
    shares = np.full(len(films), np.nan)
    if not any(map(len, learned)):
        return shares
    likeness = learn_likeness(learned)
    for number, features in enumerate(asked):
        if len(features):
            shares[number] = likeness.votes(features)[groups == groups[number]].sum()
    return shares


def _spread(count: int, most: int) -> IntArray:
    """Return at most so many indices below a count, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
