"""A dense network on the summaries of windows."""

from __future__ import annotations

from torch import nn

from frame2sound.sorting.network_classifier import network_kind
from frame2sound.sorting.window_features import SUMMARY_LENGTH

HIDDEN = 64


def build_dense_network(label_count: int) -> nn.Module:
    """Return a network with a hidden layer of 64, (n, 60) to (n, labels)."""
    return nn.Sequential(
        nn.Linear(SUMMARY_LENGTH, HIDDEN),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(HIDDEN, label_count),
    )


DENSE_NETWORK = network_kind(
    "dense network", lambda features: features.summaries, build_dense_network
)
