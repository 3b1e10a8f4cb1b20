"""Windows of sound with the film, the group and the label that each is of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.sorting.window_features import WindowFeatures

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class LabelledWindows:
    """Windows of films, and the labels of these films.

    Attributes
    ----------
    features : WindowFeatures
    films : int array (windows,)
        The number of the film that each window is of.
    film_labels : int array (films,)
        The number of the label of each film.
    film_groups : int array (films,)
        The number of the group of each film: near-duplicates are in one group.
    label_count : int
    """

    features: WindowFeatures
    films: IntArray
    film_labels: IntArray
    film_groups: IntArray
    label_count: int

    @property
    def labels(self) -> IntArray:
        """The label of each window, (windows,)."""
        labels: IntArray = self.film_labels[self.films]
        return labels

    def of_films(self, chosen: NDArray[np.bool_]) -> LabelledWindows:
        """Return the windows of chosen films; the numbers of films stay."""
        return self.select(chosen[self.films])

    def select(self, windows: NDArray[np.bool_] | IntArray) -> LabelledWindows:
        """Return some of the windows; the numbers of films stay."""
        return LabelledWindows(
            self.features.select(windows),
            self.films[windows],
            self.film_labels,
            self.film_groups,
            self.label_count,
        )

    def with_labels(self, film_labels: IntArray) -> LabelledWindows:
        """Return the same windows with other labels of the films."""
        return LabelledWindows(
            self.features, self.films, film_labels, self.film_groups, self.label_count
        )

    def balanced_weights(self) -> NDArray[np.float64]:
        """Return weights of the windows, (windows,), with a mean of 1.

        All labels weigh the same, and so do all films of a label, however long they are.
        """
        windows_of_film = np.bincount(self.films, minlength=len(self.film_labels))
        heard = windows_of_film > 0
        films_of_label = np.bincount(self.film_labels[heard], minlength=self.label_count)
        weights = 1 / (windows_of_film[self.films] * films_of_label[self.labels])
        balanced: NDArray[np.float64] = weights / weights.mean()
        return balanced
