"""A recurrent network on the cepstra of windows over time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from frame2sound.sorting.network_classifier import network_kind
from frame2sound.sorting.window_features import COEFFICIENTS

UNITS = 32


class RecurrentNetwork(nn.Module):
    """Gated recurrent units, of which the mean and the last state are taken."""

    def __init__(self, label_count: int) -> None:
        super().__init__()
        self.units = nn.GRU(COEFFICIENTS, UNITS, batch_first=True)
        self.dropout = nn.Dropout(0.3)
        self.last = nn.Linear(2 * UNITS, label_count)

    def forward(self, windows: Tensor) -> Tensor:
        """Return logits, (n, labels), of sequences, (n, 21, 20)."""
        states, _ = self.units(windows)
        pooled = torch.cat([states.mean(dim=1), states[:, -1]], dim=1)
        logits: Tensor = self.last(self.dropout(pooled))
        return logits


RECURRENT_NETWORK = network_kind(
    "recurrent network", lambda features: features.sequences, RecurrentNetwork
)
