"""The classifiers that are compared, the simplest first."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from frame2sound.sorting.classifier import ClassifierKind
from frame2sound.sorting.convolutional_network import CONVOLUTIONAL_NETWORK
from frame2sound.sorting.dense_network import DENSE_NETWORK
from frame2sound.sorting.logistic_regression import LOGISTIC_REGRESSION
from frame2sound.sorting.nearest_neighbours import NEAREST_NEIGHBOURS
from frame2sound.sorting.recurrent_network import RECURRENT_NETWORK

CLASSIFIERS: Mapping[str, ClassifierKind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            LOGISTIC_REGRESSION,
            NEAREST_NEIGHBOURS,
            DENSE_NETWORK,
            CONVOLUTIONAL_NETWORK,
            RECURRENT_NETWORK,
        )
    }
)
"""All kinds of classifiers by name."""
