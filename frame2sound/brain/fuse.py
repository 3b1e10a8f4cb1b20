"""Folding: eyes and first layer as one, so that other tools need nothing but plain weights."""

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
    """Return the linear layers of a feed-forward brain, the first on the picture itself.

    Eigenframes are a linear map E of the picture and what the first layer W makes of them is
    another, so W E is a layer on the 4096 pixels: the same outputs, from weights of the ancestor's
    shape. Between the layers stands the recipe's activation; the last one has none.

    Raises
    ------
    BrainError
        The brain remembers, or has parts that are not linear layers and activations.
    """
    network, asked = brain.network, brain.recipe.network
    eyes, body = network.features, network.backbone
    in_the_way = {
        "network.kind=mlp": not isinstance(asked, Mlp),
        "network.brightness_branch=0": asked.brightness_branch > 0,
        "network.normalise=false": asked.normalise,
        "network.residual=false": asked.residual,
        "input.profiles=false": eyes is not None and eyes.still.profiles is not None,
    }
    if any(in_the_way.values()) or not isinstance(body, Feedforward):
        remedy = " ".join(f"--set {setting}" for setting, there in in_the_way.items() if there)
        raise BrainError(
            f"brain {brain.recipe.name!r} is not plain layers on pixels; train one with {remedy}"
        )
    layers = [part for part in (*body.modules(), network.head) if isinstance(part, nn.Linear)]
    plain = [PlainLayer(_array(layer.weight), _array(layer.bias)) for layer in layers]
    if eyes is not None:
        plain[0] = _fuse_features(eyes, layers[0])
    return plain


def export_weights(brain: Brain, path: Path, *, overwrite: bool = False) -> list[PlainLayer]:
    """Write the layers that `fold` returns as ``.npz``.

    It holds ``weight_0``, ``bias_0`` and so on; ``recipe``, JSON text, which names activation and
    target; and the target's ``scale``.
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


def _fuse_features(eyes: FrameFeatures, first: nn.Linear) -> PlainLayer:
    looks = [eyes.still] * eyes.config.still_frames + (
        [eyes.motion] if eyes.motion is not None else []
    )
    parts = first.weight.detach().double().chunk(len(looks), 1)
    weight = torch.cat(
        [part @ look.weight.double() for part, look in zip(parts, looks, strict=True)], 1
    )
    bias = first.bias.detach().double()
    for part, look in zip(parts, looks, strict=True):
        bias = bias + part @ look.bias.double()
    return PlainLayer(_array(weight), _array(bias))


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.detach().cpu().float().numpy()
    return array
