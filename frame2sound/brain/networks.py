"""Networks: vectors in, vectors out."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from frame2sound.brain.inputs import Eyes
from frame2sound.brain.recipe import Eigenframes, Recipe

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
}


def build_network(recipe: Recipe, inputs: int, outputs: int) -> nn.Sequential:
    """Build a feed-forward network: the recipe's hidden layers, then a linear one.

    Where the picture enters as eigenframes, the eyes come first. They are part of the network, but
    not of what is learned by descent.
    """
    widths = [inputs, *recipe.network.hidden]
    layers: list[nn.Module] = []
    if isinstance(recipe.input, Eigenframes):
        eyes = Eyes(recipe.input.count, recipe.input.profiles)
        widths[0] = eyes.width
        layers.append(eyes)
    for before, after in itertools.pairwise(widths):
        layers.append(nn.Linear(before, after))
        if recipe.network.normalise:
            layers.append(nn.LayerNorm(after))
        layers.append(_ACTIVATIONS[recipe.network.activation]())
        if recipe.network.dropout:
            layers.append(nn.Dropout(recipe.network.dropout))
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))


def initialise(network: nn.Sequential, seed: int) -> None:
    """Draw the weights anew.

    Layers before a ReLU start as He et al. 2015 advise, others as Glorot and Bengio 2010; the
    last one starts small, so that an untrained brain is quiet rather than loud.
    """
    generator = torch.Generator().manual_seed(seed)
    rectified = any(isinstance(layer, nn.ReLU) for layer in network)
    last = last_layer(network)
    for layer in network:
        if not isinstance(layer, nn.Linear):
            continue
        if rectified and layer is not last:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
        else:
            gain = 0.1 if layer is last else 1.0
            nn.init.xavier_normal_(layer.weight, gain=gain, generator=generator)
        nn.init.zeros_(layer.bias)


def last_layer(network: nn.Sequential) -> nn.Linear:
    """Return the layer that gives the output."""
    layer = network[-1]
    assert isinstance(layer, nn.Linear)
    return layer


def eyes_of(network: nn.Sequential) -> Eyes | None:
    """Return what the picture meets before all that learns, if there is such a layer."""
    first = network[0]
    return first if isinstance(first, Eyes) else None
