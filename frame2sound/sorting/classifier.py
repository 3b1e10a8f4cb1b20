"""What all classifiers of windows have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.sorting.labelled_windows import LabelledWindows
from frame2sound.sorting.window_features import WindowFeatures

Arrays = Mapping[str, NDArray[np.float32]]


class Classifier(Protocol):
    """A classifier that has learned from windows."""

    def probabilities(self, features: WindowFeatures) -> NDArray[np.float64]:
        """Return the probability of each label for each window, (n, labels)."""

    def arrays(self) -> Arrays:
        """Return the arrays of which `ClassifierKind.load` makes it again."""


@dataclass(frozen=True)
class ClassifierKind:
    """A way to classify windows.

    Attributes
    ----------
    name : str
    fit : function
        From the windows to learn from and a seed to a classifier.
    load : function
        From arrays to the classifier that had them; `ValueError` if they do not fit the number of
        labels.
    """

    name: str
    fit: Callable[[LabelledWindows, int], Classifier]
    load: Callable[[Arrays, int], Classifier]


def check_shapes(arrays: Arrays, expected: Mapping[str, tuple[int, ...]]) -> None:
    """Raise `ValueError` unless arrays have these names and shapes; -1 is any length."""
    if arrays.keys() != expected.keys():
        names = ", ".join(sorted(arrays.keys() ^ expected.keys()))
        raise ValueError(f"missing or unknown arrays: {names[:100]}")
    for name, shape in expected.items():
        got = arrays[name].shape
        if len(got) != len(shape) or any(
            length not in (-1, size) for length, size in zip(shape, got, strict=True)
        ):
            raise ValueError(f"array {name} has shape {got}, expected {shape}")
