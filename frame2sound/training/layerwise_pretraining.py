"""The scaffold: tops on which hidden layers are trained one by one, and which are then thrown away.

Greedy layer-wise training with labels (Bengio, Lamblin, Popovici and Larochelle, "Greedy layer-wise
training of deep networks", 2007, section 5), with which the ancestor began.
"""

from __future__ import annotations

import torch
from torch import nn

from frame2sound.brain.backbones import Feedforward, WithBrightnessBranch
from frame2sound.brain.features import BRIGHTNESS_COUNT
from frame2sound.brain.networks import Network


class LayerwiseHeads(nn.Module):
    """A linear top for every hidden layer.

    Parameters
    ----------
    network : Network
        Feed-forward.
    widths : tuple of int
        Of its hidden layers.
    seed : int
    """

    def __init__(self, network: Network, widths: tuple[int, ...], seed: int) -> None:
        super().__init__()
        self._layers = list(feedforward_backbone(network).layers)  # the network's, not its own
        random = torch.Generator().manual_seed(seed)
        self.heads = nn.ModuleList()
        for width in widths:
            top = nn.Linear(width, network.head.out_features)
            nn.init.xavier_normal_(top.weight, gain=0.1, generator=random)
            nn.init.zeros_(top.bias)
            self.heads.append(top)
        self._has_brightness = isinstance(network.backbone, WithBrightnessBranch)

    @property
    def layer_count(self) -> int:
        """How many layers there are to train."""
        return len(self.heads)

    def forward(self, features: torch.Tensor, layer_index: int) -> torch.Tensor:
        """Return outputs by the layers up to a stage's, of which only that one learns."""
        values = features[..., :-BRIGHTNESS_COUNT] if self._has_brightness else features
        with torch.no_grad():
            for layer in self._layers[:layer_index]:
                values = layer(values)
        output: torch.Tensor = self.heads[layer_index](self._layers[layer_index](values))
        return output


def feedforward_backbone(network: Network) -> Feedforward:
    """Return the layers of a feed-forward network."""
    body = (
        network.backbone.backbone
        if isinstance(network.backbone, WithBrightnessBranch)
        else network.backbone
    )
    assert isinstance(body, Feedforward)
    return body
