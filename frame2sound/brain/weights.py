"""The weights of a network: the names and shapes that its recipe asks for.

They are those of `frame2sound.brain.networks.Network`, known without building it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.config import Eigenframes, Rnn, Tcn
from frame2sound.brain.frame_encoding import (
    BRIGHTNESS_COUNT,
    PROFILE_COUNT,
    input_size,
    view_size,
)
from frame2sound.brain.recipe import Recipe

Weights = dict[str, NDArray[np.float32]]
"""The weights of a network, by name."""

Shape = tuple[int, ...]
_Shapes = Iterator[tuple[str, Shape]]

FEATURES_PREFIX = "features."
"""The names of the weights that training leaves as they are begin with this."""


def weight_shapes(recipe: Recipe, outputs: int) -> dict[str, Shape]:
    """Return the shapes of a network's weights, by name, in the order of the network.

    Parameters
    ----------
    recipe : Recipe
    outputs : int
        The number of values that the network predicts per frame.
    """
    network = recipe.network
    features = dict(_features(recipe)) if isinstance(recipe.input, Eigenframes) else {}
    feedback = network.feedback_units if isinstance(network, Rnn) else 0
    branch = network.brightness_branch
    prefix = "backbone.backbone." if branch else "backbone."
    parts, width = _backbone(recipe, features_width(recipe) + feedback)
    shapes = {f"{FEATURES_PREFIX}{name}": shape for name, shape in features.items()}
    shapes |= {f"{prefix}{name}": shape for name, shape in parts.items()}
    if branch:
        shapes |= _linear("backbone.brightness_branch.0", BRIGHTNESS_COUNT, branch)
        shapes |= _linear("backbone.brightness_branch.2", branch, branch)
    shapes |= _linear("head", width + branch, outputs)
    return shapes | (_linear("feedback", outputs, feedback) if feedback else {})


def count_trained(weights: Weights) -> int:
    """Return how many numbers training has set; those of the fixed features do not count."""
    names = (name for name in weights if not name.startswith(FEATURES_PREFIX))
    return sum(weights[name].size for name in names)


def under(weights: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the entries whose names begin with a prefix, without it."""
    return {
        name.removeprefix(prefix): value
        for name, value in weights.items()
        if name.startswith(prefix)
    }


def _linear(name: str, inputs: int, outputs: int) -> dict[str, Shape]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _features(recipe: Recipe) -> _Shapes:
    """Yield the shapes of frame features."""
    config = recipe.input
    assert isinstance(config, Eigenframes)
    for part in ("still", "motion") if config.motion else ("still",):
        yield f"{part}.weight", (config.count, view_size(config))
        yield f"{part}.bias", (config.count,)
        if config.profiles:
            yield f"{part}.profiles.gain", (PROFILE_COUNT,)
            yield f"{part}.profiles.mean", (PROFILE_COUNT,)
    if recipe.network.brightness_branch:
        yield "brightness.gain", (BRIGHTNESS_COUNT,)
        yield "brightness.mean", (BRIGHTNESS_COUNT,)


def features_width(recipe: Recipe) -> int:
    """Return the number of features per frame that enter the backbone."""
    config = recipe.input
    if not isinstance(config, Eigenframes):
        return input_size(config)
    view = config.count + PROFILE_COUNT * config.profiles
    return view * (config.still_frames + config.motion)


def _backbone(recipe: Recipe, inputs: int) -> tuple[dict[str, Shape], int]:
    """Return the shapes of a backbone, and the number of its hidden values."""
    network, width = recipe.network, (inputs, *recipe.network.hidden)[-1]
    layers = dict(_layers(recipe, inputs))
    if isinstance(network, Rnn):
        encoder = {f"encoder.{name}": shape for name, shape in layers.items()}
        return encoder | dict(_cells(network, width)), width + network.memory[-1]
    if isinstance(network, Tcn):
        encoder = {f"encoder.{name}": shape for name, shape in layers.items()}
        shapes = encoder | _linear("input_layer", width, network.channels)
        for number in range(network.layers):
            name, channels = f"convolutions.{number}", network.channels
            shapes[f"{name}.weight"] = (channels, channels, network.kernel)
            shapes[f"{name}.bias"] = (channels,)
        return shapes, width + network.channels
    return layers, width


def _layers(recipe: Recipe, inputs: int) -> _Shapes:
    for number, (before, after) in enumerate(pairwise((inputs, *recipe.network.hidden))):
        yield from _linear(f"layers.{number}.linear", before, after).items()
        if recipe.network.normalise:
            yield f"layers.{number}.norm.weight", (after,)
            yield f"layers.{number}.norm.bias", (after,)


def _cells(network: Rnn, width: int) -> _Shapes:
    gates = 3 if network.cell == "gru" else 4
    for number, (before, after) in enumerate(pairwise((width, *network.memory))):
        yield f"cells.{number}.weight_ih_l0", (gates * after, before)
        yield f"cells.{number}.weight_hh_l0", (gates * after, after)
        yield f"cells.{number}.bias_ih_l0", (gates * after,)
        yield f"cells.{number}.bias_hh_l0", (gates * after,)
