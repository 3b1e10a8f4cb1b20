"""A brain's file: one .safetensors with weights, and all the rest as JSON in its header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from frame2sound.brain.brain import Brain
from frame2sound.brain.carried import from_file, to_file
from frame2sound.brain.inputs import size_of
from frame2sound.brain.networks import build_network
from frame2sound.brain.recipe import recipe_from, recipe_table
from frame2sound.brain.sought import target_of
from frame2sound.errors import BrainError, RecipeError
from frame2sound.safe import whole_file

VERSION = 2
KEY = "frame2sound"
"""The header's entry that holds the brain's description."""

LOUDEST = 100.0
"""A brain's scale is the root mean square of sound, or 2; one beyond this is no scale."""


def save_brain(brain: Brain, path: Path, *, overwrite: bool = True) -> None:
    """Write a brain; the file appears whole or not at all."""
    corpus, sounds = to_file(brain.corpus)
    description = {
        "version": VERSION,
        "recipe": recipe_table(brain.recipe),
        "scaling": {"scale": brain.target.scale},
        "provenance": brain.provenance,
        "corpus": corpus,
    }
    tensors = {
        name: t.detach().cpu().contiguous() for name, t in brain.network.state_dict().items()
    }
    with whole_file(path, BrainError, overwrite=overwrite) as partial:
        partial.write_bytes(save(tensors | sounds, {KEY: json.dumps(description)}))


def load_brain(path: Path, device: torch.device | str = "cpu") -> Brain:
    """Read a brain; nothing in the file is run.

    Raises
    ------
    BrainError
        There is no such file, it is cut short, a Python pickle, no brain, from a newer version,
        its weights are not those that its recipe asks for, or its corpus is damaged.
    """
    tensors, description = _read(path)
    if not isinstance(description, dict):
        raise BrainError(f"{path} is not readable as a brain: its description is no table")
    version = description.get("version")
    if version != VERSION:
        older = isinstance(version, int) and version < VERSION
        remedy = "train it again" if older else "update the program"
        raise BrainError(
            f"{path} is of brain version {version}, this program reads {VERSION}; {remedy}"
        )
    try:
        recipe = recipe_from(description["recipe"])
        scale = float(description["scaling"]["scale"])
        provenance = dict(description["provenance"])
        if not 0 < scale <= LOUDEST:
            raise BrainError(f"its scale is {scale}, expected more than 0, at most {LOUDEST}")
        target = target_of(recipe, scale)
        corpus = from_file(description.get("corpus"), tensors, recipe.ticking())
        with torch.device("meta"):
            network = build_network(recipe, size_of(recipe.input), target.length, target.silent)
    except BrainError as error:
        raise BrainError(f"{path}: {error}") from error
    except (
        LookupError,
        TypeError,
        AttributeError,
        ValueError,
        ArithmeticError,
        RuntimeError,
        RecipeError,
    ) as error:
        raise BrainError(f"{path} is not readable as a brain: {_line(error)}") from error
    _check(path, network, tensors)
    # In memory of PyTorch's own: products may round otherwise where an array is not aligned.
    own = {name: tensor.clone() for name, tensor in tensors.items()}
    network.load_state_dict(own, assign=True)
    return Brain(recipe, network.to(device), target, provenance, corpus)


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    if path.exists() and not path.is_file():
        raise BrainError(f"{path} is not a file; expected a brain (.safetensors)")
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise BrainError(
            f"{path} cannot be read ({why}); expected a brain (.safetensors)"
        ) from error
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        # Only now: a brain, too, begins with 0x80 where its header is so long.
        if head[:1] == b"\x80" or head == b"PK\x03\x04":
            raise BrainError(
                f"{path} is a Python pickle, which can run code when loaded; "
                "expected a brain (.safetensors) made by: frame2sound train"
            ) from error
        raise BrainError(
            f"{path} is cut short or not a brain ({error}); copy it again or train it again"
        ) from error
    try:
        description = json.loads(metadata[KEY])
    except (KeyError, ValueError, RecursionError) as error:
        raise BrainError(
            f"{path} is a .safetensors file, but of another program; "
            "expected one made by: frame2sound train"
        ) from error
    return tensors, description


def _check(path: Path, network: nn.Module, tensors: dict[str, torch.Tensor]) -> None:
    expected = {name: _kind(tensor) for name, tensor in network.state_dict().items()}
    got = {name: _kind(tensor) for name, tensor in tensors.items()}
    for name in expected | got:
        if expected.get(name) != got.get(name):
            raise BrainError(
                f"{path}: tensor {name} is {got.get(name, 'missing')}, its recipe asks for "
                f"{expected.get(name, 'none')}; train it again"
            )


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _kind(tensor: torch.Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
