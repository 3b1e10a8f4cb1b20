"""Nearest neighbours among the summaries of windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.sorting.classifier import Arrays, Classifier, ClassifierKind, check_shapes
from frame2sound.sorting.labelled_windows import LabelledWindows
from frame2sound.sorting.scaling import Scaling
from frame2sound.sorting.window_features import SUMMARY_LENGTH, WindowFeatures

NEIGHBOURS = 7
"""Neighbours that vote."""

MAX_STORED = 4096
"""Most windows that are stored; of more, they are evenly spread."""

_BATCH_WINDOWS = 512


@dataclass(frozen=True, eq=False)
class NearestNeighbours:
    """Scaled summaries of windows, (n, 60), and the vote of each for each label, (n, labels)."""

    scaling: Scaling
    stored: NDArray[np.float32]
    votes: NDArray[np.float32]

    def probabilities(self, features: WindowFeatures) -> NDArray[np.float64]:
        """Return the share of each label in the votes of the nearest windows, (n, labels).

        A vote for each label, shared out evenly, is added to those of the neighbours.
        """
        near = nearest(self.stored, self.scaling.apply(features.summaries), NEIGHBOURS)
        votes = self.votes[near].sum(axis=1, dtype=np.float64)
        votes += self.votes.mean() * near.shape[1] / NEIGHBOURS
        shares: NDArray[np.float64] = votes / votes.sum(axis=1, keepdims=True)
        return shares

    def arrays(self) -> Arrays:
        """Return the arrays to store."""
        return {
            "mean": self.scaling.mean,
            "deviation": self.scaling.deviation,
            "stored": self.stored,
            "votes": self.votes,
        }


def nearest(
    stored: NDArray[np.float32], asked: NDArray[np.float32], count: int
) -> NDArray[np.int64]:
    """Return which rows are nearest to each row that is asked for, (n, count), the nearest first.

    Of fewer rows all are returned.
    """
    count = min(count, len(stored))
    found = np.empty((len(asked), count), np.int64)
    squares = (stored**2).sum(axis=1)
    for first in range(0, len(asked), _BATCH_WINDOWS):
        batch = asked[first : first + _BATCH_WINDOWS]
        distances = squares - 2 * batch @ stored.T
        found[first : first + len(batch)] = np.argsort(distances, axis=1, kind="stable")[:, :count]
    return found


def fit_nearest_neighbours(windows: LabelledWindows, seed: int = 0) -> Classifier:
    """Return the windows as neighbours to be found; no seed matters."""
    if len(windows.films) > MAX_STORED:
        windows = windows.select(np.linspace(0, len(windows.films) - 1, MAX_STORED).astype(int))
    weights = windows.balanced_weights()
    scaling = Scaling.fit(windows.features.summaries, weights)
    votes = np.zeros((len(weights), windows.label_count), np.float32)
    votes[np.arange(len(weights)), windows.labels] = weights
    return NearestNeighbours(scaling, scaling.apply(windows.features.summaries), votes)


def load_nearest_neighbours(arrays: Arrays, label_count: int) -> Classifier:
    """Return the classifier with these arrays."""
    check_shapes(
        arrays,
        {
            "mean": (SUMMARY_LENGTH,),
            "deviation": (SUMMARY_LENGTH,),
            "stored": (-1, SUMMARY_LENGTH),
            "votes": (-1, label_count),
        },
    )
    if not 1 <= len(arrays["stored"]) == len(arrays["votes"]) <= MAX_STORED:
        raise ValueError("the numbers of stored windows and of votes differ")
    return NearestNeighbours(
        Scaling(arrays["mean"], arrays["deviation"]), arrays["stored"], arrays["votes"]
    )


NEAREST_NEIGHBOURS = ClassifierKind(
    "nearest neighbours", fit_nearest_neighbours, load_nearest_neighbours
)
