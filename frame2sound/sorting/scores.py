"""Score answers: of the seconds of each label, the share that is given it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.sorting.labelled_windows import IntArray, LabelledWindows

FloatArray = NDArray[np.float64]


def film_scores(probabilities: FloatArray, windows: LabelledWindows) -> FloatArray:
    """Return the share of each film's windows that get its label, (films,); NaN without windows.

    Parameters
    ----------
    probabilities : array (windows, labels)
    windows : LabelledWindows
    """
    right = (probabilities.argmax(axis=1) == windows.labels).astype(np.float64)
    return _film_means(right, windows)


def films_right(probabilities: FloatArray, windows: LabelledWindows) -> NDArray[np.bool_]:
    """Return whether the mean probability of each film is highest for its label, (films,)."""
    means = np.stack([_film_means(column, windows) for column in probabilities.T], axis=1)
    right: NDArray[np.bool_] = np.nan_to_num(means).argmax(axis=1) == windows.film_labels
    return right & np.isfinite(means[:, 0])


def balanced_score(scores: FloatArray, film_labels: IntArray) -> float:
    """Return the mean over labels of the mean score of their films.

    Whoever guesses, or always gives the same label, has one by the number of labels, however
    many films each label has.
    """
    return float(np.mean([scores[film_labels == label].mean() for label in np.unique(film_labels)]))


def _film_means(values: FloatArray, windows: LabelledWindows) -> FloatArray:
    films = len(windows.film_labels)
    count = np.bincount(windows.films, minlength=films)
    total = np.bincount(windows.films, values, films)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
