"""Networks: vectors in, vectors out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TypeGuard

import torch
from torch import nn

from frame2sound.brain.inputs import LIGHT, Eyes
from frame2sound.brain.recipe import Eigenframes, Mlp, Recipe

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
}


class Beside(nn.Module):
    """A network's body and, beside it, its glance: a small one that sees only how much light is.

    Turns what `Eyes` give, the light last, into the body's last hidden values and the glance's.
    The glance is not learned with the rest: it is silent until `frame2sound.training.glance`
    teaches it.

    Parameters
    ----------
    body : nn.Sequential
        Sees all but the light.
    width : int
        Hidden units of the glance's two layers.
    """

    def __init__(self, body: nn.Sequential, width: int) -> None:
        super().__init__()
        self.body = body
        self.glance = nn.Sequential(
            nn.Linear(LIGHT, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        )
        for tensor in self.glance.parameters():
            nn.init.zeros_(tensor.requires_grad_(False))

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """Turn ``(n, eyes' width)`` into ``(n, last hidden width + glance's width)``."""
        return torch.cat([self.body(seen[:, :-LIGHT]), self.glance(seen[:, -LIGHT:])], 1)


def build_network(recipe: Recipe, inputs: int, outputs: int) -> nn.Sequential:
    """Build a feed-forward network: the recipe's hidden layers, then a linear one.

    Where the picture enters as eigenframes, the eyes come first. They are part of the network, but
    not of what is learned by descent; nor is the glance, if there is one.
    """
    widths, glance = [inputs, *recipe.network.hidden], recipe.network.glance
    eyes = []
    if isinstance(recipe.input, Eigenframes):
        eyes = [Eyes(recipe.input.count, recipe.input.profiles, glance > 0)]
        widths[0] = eyes[0].width - LIGHT * (glance > 0)
    hidden = [
        layer for ends in itertools.pairwise(widths) for layer in _hidden(*ends, recipe.network)
    ]
    body = [Beside(nn.Sequential(*hidden), glance)] if glance else hidden
    return nn.Sequential(*eyes, *body, nn.Linear(widths[-1] + glance, outputs))


def _hidden(before: int, after: int, network: Mlp) -> Iterator[nn.Module]:
    yield nn.Linear(before, after)
    if network.normalise:
        yield nn.LayerNorm(after)
    yield _ACTIVATIONS[network.activation]()
    if network.dropout:
        yield nn.Dropout(network.dropout)


def initialise(network: nn.Sequential, seed: int) -> None:
    """Draw the weights anew.

    Layers before a ReLU start as He et al. 2015 advise, others as Glorot and Bengio 2010; the
    last one starts small, so that an untrained brain is quiet rather than loud.
    """
    generator = torch.Generator().manual_seed(seed)
    last = last_layer(network)
    learning = [layer for layer in network.modules() if _learns(layer)]
    rectified = any(isinstance(layer, nn.ReLU) for layer in network.modules())
    for layer in learning:
        if rectified and layer is not last:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
        else:
            gain = 0.1 if layer is last else 1.0
            nn.init.xavier_normal_(layer.weight, gain=gain, generator=generator)
        nn.init.zeros_(layer.bias)


def _learns(layer: nn.Module) -> TypeGuard[nn.Linear]:
    return isinstance(layer, nn.Linear) and layer.weight.requires_grad


def last_layer(network: nn.Sequential) -> nn.Linear:
    """Return the layer that gives the output."""
    layer = network[-1]
    assert isinstance(layer, nn.Linear)
    return layer


def eyes_of(network: nn.Sequential) -> Eyes | None:
    """Return what the picture meets before all that learns, if there is such a layer."""
    first = network[0]
    return first if isinstance(first, Eyes) else None


def glance_of(network: nn.Sequential) -> nn.Sequential | None:
    """Return the part that sees only how much light there is, if there is one."""
    for layer in network:
        if isinstance(layer, Beside):
            return layer.glance
    return None
