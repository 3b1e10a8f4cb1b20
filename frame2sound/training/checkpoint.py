"""Checkpoints: the state of a training, kept as .safetensors so that loading runs no code."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn
from torch.optim import Optimizer

from frame2sound.atomic import MAX_NAME_BYTES, atomic_write, truncate_name
from frame2sound.brain.backbones import State
from frame2sound.brain.brain_file import current_tensor_name
from frame2sound.errors import TrainingError
from frame2sound.untrusted import parse_json, read_safetensors_prefix, refuse_newer_version

METADATA_KEY, CHECKPOINT_VERSION = "frame2sound-checkpoint", 1

_RENAMED_KEYS = {
    "best": "best_loss",
    "mark": "patience_loss",
    "marked": "patience_epoch",
    "untrained": "initial_loss",
}
"""Keys that version 0.1 wrote, and what they are called now."""

MAX_NAMED_SETTINGS = 4
"""Settings that differ, of those that are named."""


@dataclass
class TrainingState:
    """How far a training has come.

    ``curve`` holds one entry per epoch: loss while learning, held-out loss (None without), both
    relative to silence's. ``best_loss`` is the lowest judged loss so far and ``best_epoch`` when it was;
    ``patience_loss`` and ``patience_epoch`` are the same for losses notably lower; ``seconds`` is time spent, over
    all runs. ``signature`` identifies recipe, data and seed, and ``settings`` says each of these in
    words. ``initial_loss`` is the loss of the first step, relative to silence's.
    """

    signature: str
    epoch: int = 0
    batch: int = 0
    best_loss: float = float("inf")
    best_epoch: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0
    curve: list[tuple[float, float | None]] = field(default_factory=list)
    patience_loss: float = float("inf")
    patience_epoch: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    initial_loss: float = float("inf")

    def to_provenance(self) -> dict[str, Any]:
        """Return what a brain's provenance says of it, in plain values."""
        return {
            "epochs": self.epoch,
            "best_epoch": self.best_epoch,
            "seconds": round(self.seconds, 1),
            "loss": [loss for loss, _ in self.curve],
            "held_out_loss": [held_out for _, held_out in self.curve],
        }


def checkpoint_path(out: Path) -> Path:
    """Return where the training of a brain keeps its state."""
    ending = ".checkpoint.safetensors"
    return out.with_name(f"{truncate_name(out.stem, MAX_NAME_BYTES - len(ending))}{ending}")


def save_checkpoint(
    path: Path,
    training_state: TrainingState,
    network: nn.Module,
    optimiser: Optimizer,
    best_weights: dict[str, torch.Tensor],
    recurrent_state: State,
) -> None:
    """Write the state of a training; the file appears whole or not at all."""
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in best_weights.items()}
    tensors |= {f"memory.{number:03}": tensor for number, tensor in enumerate(recurrent_state)}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {
            f"optimiser.{number}.{name}": torch.as_tensor(value)
            for name, value in state.items()
            if value is not None
        }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_write(path, TrainingError) as partial:
        partial.write_bytes(
            save(
                tensors,
                {
                    METADATA_KEY: json.dumps(
                        asdict(training_state) | {"version": CHECKPOINT_VERSION}
                    )
                },
            )
        )


def load_checkpoint(
    path: Path, expected: TrainingState, network: nn.Module, optimiser: Optimizer
) -> tuple[TrainingState, dict[str, torch.Tensor], State]:
    """Put a training back to where it stood, if it is the one that is ``asked`` for.

    Returns its course, the best weights so far, and what the network remembers.

    Raises
    ------
    TrainingError
        There is no checkpoint, it is unreadable, or it belongs to another recipe, library or seed.
    """
    try:
        read_safetensors_prefix(path)
        with safe_open(path, "pt") as file:
            course = _parse_state((file.metadata() or {})[METADATA_KEY], path)
            tensors = {current_tensor_name(n): file.get_tensor(n) for n in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, RuntimeError, LookupError, ValueError, TypeError) as error:
        raise TrainingError(f"{path} is not readable as a checkpoint; train anew") from error
    if course.signature != expected.signature:
        raise TrainingError(
            f"{path} belongs to another recipe, library or seed"
            f"{_differences(course.settings, expected.settings)}; "
            "use those it was begun with, or begin anew with --overwrite"
        )
    try:
        network.load_state_dict(_select_prefix(tensors, "network."))
        _restore(optimiser, _select_prefix(tensors, "optimiser."))
    except (RuntimeError, ValueError) as error:
        raise TrainingError(f"{path} lacks a part of its state; train anew") from error
    remembered = sorted(_select_prefix(tensors, "memory.").items())
    return course, _select_prefix(tensors, "best."), tuple(tensor for _, tensor in remembered)


def _parse_state(text: str, path: Path) -> TrainingState:
    table = parse_json(text)
    if not isinstance(table, dict):
        raise ValueError("no table")
    refuse_newer_version(table.pop("version", 1), CHECKPOINT_VERSION, path, TrainingError)
    table = {_RENAMED_KEYS.get(key, key): value for key, value in table.items()}
    course = msgspec.convert(table, TrainingState)
    if not all(0 <= n < 2**53 for n in (course.epoch, course.batch, course.best_epoch)):
        raise ValueError("a course that is not possible")
    return course


def _differences(saved: dict[str, str], current: dict[str, str]) -> str:
    """Return in brackets which settings differ; nothing for a checkpoint that has none."""
    if not saved:
        return ""
    names = [name for name in {**saved, **current} if saved.get(name) != current.get(name)]
    said = [
        f"{name} was {saved.get(name, 'not there')}, is {current.get(name, 'not there')}"
        for name in names[:MAX_NAMED_SETTINGS]
    ]
    if len(names) > MAX_NAMED_SETTINGS:
        said.append(f"and {len(names) - MAX_NAMED_SETTINGS} more")
    return f" ({'; '.join(said)})" if said else ""


def _select_prefix(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _restore(optimiser: Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        number, key = name.split(".", 1)
        state.setdefault(int(number), {})[key] = tensor
    optimiser.load_state_dict(optimiser.state_dict() | {"state": state})


def refuse_overwriting(out: Path, *, resume: bool, overwrite: bool) -> None:
    """Refuse to begin a training that would lose one that stands; with ``overwrite`` drop it.

    Raises
    ------
    TrainingError
        There is a brain, or a training that was interrupted, and neither was asked to go; or
        there is nothing to resume.
    """
    checkpoint = checkpoint_path(out)
    if out.suffix != ".safetensors":
        raise TrainingError(f"got --out {out}, expected a name that ends in .safetensors")
    if resume:
        if not checkpoint.exists():
            done = "is trained already" if out.exists() else "was never begun"
            raise TrainingError(f"nothing to resume: {out} {done}; train without --resume")
    elif overwrite:
        checkpoint.unlink(missing_ok=True)
    elif checkpoint.exists():
        raise TrainingError(
            f"a training of {out} was interrupted; go on with --resume or begin anew with "
            "--overwrite"
        )
    elif out.exists():
        raise TrainingError(f"{out} exists already; choose another --out or add --overwrite")
