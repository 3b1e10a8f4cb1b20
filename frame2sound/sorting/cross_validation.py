"""Cross-validation by groups of films: every film is judged by classifiers that never heard it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from frame2sound.sorting.classifier import Classifier, ClassifierKind
from frame2sound.sorting.folds import divide_into_folds
from frame2sound.sorting.labelled_windows import IntArray, LabelledWindows
from frame2sound.sorting.scores import film_scores, films_right

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """Answers of classifiers about films that they have not heard.

    Attributes
    ----------
    windows : LabelledWindows
    folds : int array (films,)
        In which fold each film was held out.
    probabilities : dict of str to array (windows, labels)
        By name of the classifier.
    fitted : dict of str to tuple of Classifier
        What each kind learned for each fold, by name.
    """

    windows: LabelledWindows
    folds: IntArray
    probabilities: Mapping[str, FloatArray]
    fitted: Mapping[str, tuple[Classifier, ...]]

    @cached_property
    def scores(self) -> Mapping[str, FloatArray]:
        """The share of each film's windows that are right, (films,), by name of the classifier."""
        return {name: film_scores(each, self.windows) for name, each in self.probabilities.items()}

    @cached_property
    def right(self) -> Mapping[str, FloatArray]:
        """Whether each film's mean answer is right, 0 or 1, (films,), by name of the classifier."""
        return {
            name: films_right(each, self.windows).astype(np.float64)
            for name, each in self.probabilities.items()
        }


def cross_validate(
    windows: LabelledWindows,
    kinds: Mapping[str, ClassifierKind],
    seed: int,
    on_fit: Callable[[], None],
) -> CrossValidation:
    """Fit classifiers of each kind to all folds but one, and ask them about that one.

    Parameters
    ----------
    windows : LabelledWindows
        Each label has two groups of films or more.
    kinds : dict of str to ClassifierKind
    seed : int
        Of the folds and of networks.
    on_fit : function
        Called after each fit.
    """
    folds = divide_into_folds(windows.film_labels, windows.film_groups, seed)
    shape = len(windows.films), windows.label_count
    probabilities = {name: np.empty(shape) for name in kinds}
    fitted: dict[str, list[Classifier]] = {name: [] for name in kinds}
    for fold in range(folds.max() + 1):
        held_out = folds[windows.films] == fold
        learned = windows.select(~held_out)
        for name, kind in kinds.items():
            classifier = kind.fit(learned, seed)
            probabilities[name][held_out] = classifier.probabilities(
                windows.features.select(held_out)
            )
            fitted[name].append(classifier)
            on_fit()
    return CrossValidation(
        windows, folds, probabilities, {name: tuple(each) for name, each in fitted.items()}
    )
