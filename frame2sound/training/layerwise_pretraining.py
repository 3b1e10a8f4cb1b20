"""Layer-wise pretraining: hidden layers are trained one by one, each below its own linear head.

Greedy layer-wise training with labels (Bengio, Lamblin, Popovici and Larochelle, "Greedy layer-wise
training of deep networks", 2007, section 5), which the preset ``hindle`` starts with.
"""

from __future__ import annotations

import torch
from torch import nn

from frame2sound.brain.backbones import Feedforward, WithBrightnessBranch
from frame2sound.brain.frame_encoding import BRIGHTNESS_COUNT
from frame2sound.brain.networks import Network


class LayerwiseHeads(nn.Module):
    """A linear head for every hidden layer; not part of the trained brain.

    Parameters
    ----------
    network : Network
        Feed-forward.
    widths : tuple of int
        Of its hidden layers.
    seed : int
        Of the heads' initial weights.
    """

    def __init__(self, network: Network, widths: tuple[int, ...], seed: int) -> None:
        super().__init__()
        # A plain list, so that the network's layers are not registered as parts of this module.
        self._layers = list(feedforward_backbone(network).layers)
        random = torch.Generator().manual_seed(seed)
        self.heads = nn.ModuleList()
        for width in widths:
            head = nn.Linear(width, network.head.out_features)
            nn.init.xavier_normal_(head.weight, gain=0.1, generator=random)
            nn.init.zeros_(head.bias)
            self.heads.append(head)
        self._has_brightness = isinstance(network.backbone, WithBrightnessBranch)

    @property
    def layer_count(self) -> int:
        """Number of hidden layers."""
        return len(self.heads)

    def forward(self, features: torch.Tensor, layer_index: int) -> torch.Tensor:
        """Return the output of one layer's head; gradients reach that layer and no earlier one."""
        values = features[..., :-BRIGHTNESS_COUNT] if self._has_brightness else features
        with torch.no_grad():
            for layer in self._layers[:layer_index]:
                values = layer(values)
        output: torch.Tensor = self.heads[layer_index](self._layers[layer_index](values))
        return output


def feedforward_backbone(network: Network) -> Feedforward:
    """Return the backbone of a feed-forward network, without its brightness branch."""
    backbone = network.backbone
    if isinstance(backbone, WithBrightnessBranch):
        backbone = backbone.backbone
    assert isinstance(backbone, Feedforward)
    return backbone
