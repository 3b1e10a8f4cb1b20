"""A convolutional network on the cepstra of windows over time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from frame2sound.sorting.network_classifier import network_kind
from frame2sound.sorting.window_features import COEFFICIENTS

CHANNELS = 32


class ConvolutionalNetwork(nn.Module):
    """Two convolutions over time, of which mean and maximum are taken; (n, 21, 20) to labels."""

    def __init__(self, label_count: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(COEFFICIENTS, CHANNELS, 3, padding=1)
        self.second = nn.Conv1d(CHANNELS, CHANNELS, 3, padding=1)
        self.dropout = nn.Dropout(0.3)
        self.last = nn.Linear(2 * CHANNELS, label_count)

    def forward(self, windows: Tensor) -> Tensor:
        """Return logits, (n, labels)."""
        hidden = torch.relu(self.first(windows.transpose(1, 2)))
        hidden = torch.relu(self.second(hidden))
        pooled = torch.cat([hidden.mean(dim=2), hidden.amax(dim=2)], dim=1)
        logits: Tensor = self.last(self.dropout(pooled))
        return logits


CONVOLUTIONAL_NETWORK = network_kind(
    "convolutional network", lambda features: features.sequences, ConvolutionalNetwork
)
