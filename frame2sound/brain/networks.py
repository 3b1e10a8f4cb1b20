"""Networks: vectors in, vectors out."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from frame2sound.brain.recipe import Eigenframes, Recipe

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
}


def build_network(recipe: Recipe, inputs: int, outputs: int) -> nn.Sequential:
    """Build a feed-forward network: the recipe's hidden layers, then a linear one.

    Where the picture enters as eigenframes, the layer that projects on them comes first. It is
    part of the network, but not of what is learned by descent.
    """
    widths = [inputs, *recipe.network.hidden]
    layers: list[nn.Module] = []
    if isinstance(recipe.input, Eigenframes):
        widths[0] = recipe.input.count
        layers.append(nn.Linear(inputs, widths[0]).requires_grad_(False))
    for before, after in itertools.pairwise(widths):
        layers += [nn.Linear(before, after), _ACTIVATIONS[recipe.network.activation]()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))


def initialise(network: nn.Sequential, seed: int) -> None:
    """Draw the weights anew.

    Layers before a ReLU start as He et al. 2015 advise, others as Glorot and Bengio 2010; the
    last one starts small, so that an untrained brain is quiet rather than loud.
    """
    generator = torch.Generator().manual_seed(seed)
    layers = list(network)
    for layer, following in zip(layers, [*layers[1:], None], strict=True):
        if not isinstance(layer, nn.Linear):
            continue
        if isinstance(following, nn.ReLU):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
        else:
            gain = 0.1 if following is None else 1.0
            nn.init.xavier_normal_(layer.weight, gain=gain, generator=generator)
        nn.init.zeros_(layer.bias)


def last_layer(network: nn.Sequential) -> nn.Linear:
    """Return the layer that gives the output."""
    layer = network[-1]
    assert isinstance(layer, nn.Linear)
    return layer


def first_layer(network: nn.Sequential) -> nn.Linear:
    """Return the layer that takes the picture."""
    layer = network[0]
    assert isinstance(layer, nn.Linear)
    return layer
