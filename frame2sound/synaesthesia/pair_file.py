"""The file of a pair: a .safetensors with its weights, and the rest as JSON in its header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import torch
from msgspec import Meta
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from frame2sound.atomic import atomic_write
from frame2sound.described_tensors import Arrays, TensorFileKind
from frame2sound.errors import RecipeError, SynaesthesiaError
from frame2sound.synaesthesia.pair import Pair, Training, build_networks
from frame2sound.synaesthesia.recipe import (
    SynaesthesiaRecipe,
    parse_synaesthesia_recipe,
    synaesthesia_recipe_table,
)
from frame2sound.synaesthesia.sound_windows import BANDS, FRAMES, RATE, SoundComponents
from frame2sound.untrusted import one_line_reason

PAIR_VERSION = 1

METADATA_KEY = "frame2sound.synaesthesia"
"""The header entry that holds the pair's description."""

MAX_CLIPS = 4096

_KIND = TensorFileKind(
    "a pair",
    METADATA_KEY,
    PAIR_VERSION,
    "expected a .safetensors file made by: frame2sound synaesthesia train",
    SynaesthesiaError,
)

_COMPONENTS = ("mean", "directions", "scales")


class _Description(msgspec.Struct, frozen=True):
    """The JSON in a pair's header."""

    version: int
    recipe: dict[str, Any]
    clips: Annotated[int, Meta(ge=1, le=MAX_CLIPS)]
    training: Training = Training()


def save_pair(pair: Pair, path: Path, *, overwrite: bool = True) -> None:
    """Write a pair; the file appears complete or not at all."""
    description = {
        "version": PAIR_VERSION,
        "recipe": synaesthesia_recipe_table(pair.recipe),
        "clips": len(pair.clips),
        "training": msgspec.to_builtins(pair.training),
    }
    data = save(_arrays(pair), {METADATA_KEY: json.dumps(description)})
    with atomic_write(path, SynaesthesiaError, overwrite=overwrite) as partial:
        partial.write_bytes(data)


def load_pair(path: Path) -> Pair:
    """Return the pair in a file; no code in the file is run.

    Raises
    ------
    SynaesthesiaError
        The file is missing, truncated, a Python pickle, no pair, or from a newer version; or its
        tensors do not match its recipe.
    """
    _KIND.refuse_others(path)
    try:
        with safe_open(path, "np") as file:
            description = _KIND.read_description(path, file, _Description)
            recipe = parse_synaesthesia_recipe(description.recipe)
            arrays = _KIND.read_arrays(path, file, _expected_arrays(recipe, description.clips))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise SynaesthesiaError(
            f"{path} is cut short or not a pair ({one_line_reason(error)}); copy it again or "
            "train it again"
        ) from error
    except RecipeError as error:
        raise SynaesthesiaError(f"{path}: {error}") from error
    return _build(recipe, arrays, description.training)


def _build(recipe: SynaesthesiaRecipe, arrays: Arrays, training: Training) -> Pair:
    parts = SoundComponents(*(arrays[f"components.{part}"] for part in _COMPONENTS))
    generator, reader = build_networks(recipe, components=parts)
    for name, network in (("generator", generator), ("reader", reader)):
        weights = {
            key: torch.from_numpy(arrays[f"{name}.{key}"].copy()) for key in network.state_dict()
        }
        network.load_state_dict(weights)
        network.eval()
    clips = np.asarray(arrays["clips"].astype(np.float32) / 32767, np.float32)
    return Pair(recipe, parts, generator, reader, clips, training)


def _arrays(pair: Pair) -> Arrays:
    arrays: Arrays = {f"components.{part}": getattr(pair.components, part) for part in _COMPONENTS}
    for name, network in (("generator", pair.generator), ("reader", pair.reader)):
        for key, weight in network.state_dict().items():
            arrays[f"{name}.{key}"] = weight.numpy()
    arrays["clips"] = np.rint(np.clip(pair.clips, -1, 1) * 32767).astype(np.int16)
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _expected_arrays(recipe: SynaesthesiaRecipe, clips: int) -> dict[str, tuple[str, list[int]]]:
    """Return the type and the shape of each tensor in the file of a pair."""
    count, values = recipe.network.components, FRAMES * BANDS
    shapes = {"mean": [values], "directions": [count, values], "scales": [count]}
    expected = {f"components.{part}": ("F32", shape) for part, shape in shapes.items()}
    with torch.device("meta"):
        networks = zip(("generator", "reader"), build_networks(recipe), strict=True)
        for name, network in networks:
            for key, weight in network.state_dict().items():
                expected[f"{name}.{key}"] = ("F32", list(weight.shape))
    return expected | {"clips": ("I16", [clips, RATE])}
