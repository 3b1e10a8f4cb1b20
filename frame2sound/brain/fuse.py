"""Export a brain's weights: frame features and first layer are fused into one linear layer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from frame2sound.atomic import atomic_write
from frame2sound.brain.backbones import Feedforward
from frame2sound.brain.brain import Brain
from frame2sound.brain.config import Mlp
from frame2sound.brain.features import FrameFeatures
from frame2sound.brain.recipe import recipe_table
from frame2sound.errors import BrainError


class PlainLayer(NamedTuple):
    """A linear layer: ``weight`` float32 (outputs, inputs), ``bias`` float32 (outputs,)."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


def fuse_layers(brain: Brain) -> list[PlainLayer]:
    """Return the linear layers of a feed-forward brain, the first applied to pixels.

    Eigenframes are a linear map E of the picture, and the first layer W is linear too, so W E is a
    layer on the 4096 pixels with the same outputs. Between the layers the recipe's activation is
    applied; after the last layer there is none.

    Raises
    ------
    BrainError
        The brain has parts other than linear layers and activations.
    """
    network, config = brain.network, brain.recipe.network
    features, backbone = network.features, network.backbone
    obstacles = {
        "network.kind=mlp": not isinstance(config, Mlp),
        "network.brightness_branch=0": config.brightness_branch > 0,
        "network.normalise=false": config.normalise,
        "network.residual=false": config.residual,
        "input.profiles=false": features is not None and features.still.profiles is not None,
    }
    if any(obstacles.values()) or not isinstance(backbone, Feedforward):
        remedy = " ".join(setting for setting, is_obstacle in obstacles.items() if is_obstacle)
        raise BrainError(
            f"brain {brain.recipe.name!r} does not consist of plain layers on pixels; "
            f"train one with the settings {remedy}"
        )
    layers = [part for part in (*backbone.modules(), network.head) if isinstance(part, nn.Linear)]
    plain = [PlainLayer(_array(layer.weight), _array(layer.bias)) for layer in layers]
    if features is not None:
        plain[0] = _fuse_features(features, layers[0])
    return plain


def export_weights(brain: Brain, path: Path, *, overwrite: bool = False) -> list[PlainLayer]:
    """Write the layers that `fuse_layers` returns as ``.npz``.

    The file holds ``weight_0``, ``bias_0`` and so on; ``recipe`` as JSON text, which names the
    activation and the target; and the target's ``scale``.

    Raises
    ------
    BrainError
        As `fuse_layers`; or the file exists or cannot be written.
    """
    layers = fuse_layers(brain)
    arrays = {
        f"{name}_{number}": array
        for number, layer in enumerate(layers)
        for name, array in layer._asdict().items()
    }
    arrays["recipe"] = np.array(json.dumps(recipe_table(brain.recipe)))
    arrays["scale"] = np.array(brain.target.scale)
    with (
        atomic_write(path, BrainError, overwrite=overwrite) as partial,
        partial.open("wb") as file,
    ):
        np.savez(file, **arrays)
    return layers


def _fuse_features(features: FrameFeatures, first: nn.Linear) -> PlainLayer:
    maps = [features.still] * features.config.still_frames
    maps += [features.motion] if features.motion is not None else []
    parts = first.weight.detach().double().chunk(len(maps), 1)
    weight = torch.cat([part @ m.weight.double() for part, m in zip(parts, maps, strict=True)], 1)
    bias = first.bias.detach().double()
    for part, m in zip(parts, maps, strict=True):
        bias = bias + part @ m.bias.double()
    return PlainLayer(_array(weight), _array(bias))


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.detach().cpu().float().numpy()
    return array
