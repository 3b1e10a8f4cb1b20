"""The files of a training in progress: its checkpoint, and the lock on its output.

Checkpoints are .safetensors files, so that loading one runs no code.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from frame2sound.atomic import MAX_NAME_BYTES, atomic_write, truncate_name
from frame2sound.brain.backbones import State
from frame2sound.brain.brain_file import current_tensor_name
from frame2sound.brain.recipe import current_setting_name
from frame2sound.errors import TrainingError
from frame2sound.locks import exclusive_lock
from frame2sound.training.adamw import Optimiser
from frame2sound.training.distributed import ProcessGroup
from frame2sound.untrusted import parse_json, read_safetensors_prefix, refuse_newer_version

METADATA_KEY, CHECKPOINT_VERSION = "frame2sound-checkpoint", 1

_RENAMED_KEYS = {
    "best": "best_loss",
    "mark": "patience_loss",
    "marked": "patience_epoch",
    "untrained": "initial_loss",
}
"""Keys of version 0.1 and their present names."""

BEGIN_ANEW = "begin anew: leave out `resume` and give `overwrite=True`"
"""The remedy where a checkpoint is of no use."""

MAX_NAMED_SETTINGS = 4
"""Most differing settings that an error names."""


class OtherTrainingError(TrainingError):
    """A checkpoint belongs to another training; ``problem`` is the message without a remedy."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}; use those it was begun with, or {BEGIN_ANEW}")
        self.problem = problem


@dataclass
class TrainingState:
    """How far a training has come.

    Losses are relative to silence's.

    Attributes
    ----------
    signature : str
        Identifies recipe, data and seed.
    epoch, batch : int
        Completed epochs, and steps since.
    best_loss : float
        The lowest loss by which epochs are compared, so far.
    best_epoch : int
        The epoch that reached it, counted from 1; 0 before the first.
    seconds : float
        Time spent in all runs.
    loss_sum : float
        Sum of the losses of this epoch's steps, not relative.
    curve : list of (float, float or None)
        Training loss and held-out loss of each epoch; None where nothing is held out.
    patience_loss, patience_epoch : float, int
        Like the best, but only of losses that are notably lower than the one before.
    settings : dict
        What the signature identifies, in words.
    initial_loss : float
        The loss of the first step.
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
        """Return what a brain's provenance holds of the state, in plain values."""
        return {
            "epochs": self.epoch,
            "best_epoch": self.best_epoch,
            "seconds": round(self.seconds, 1),
            "loss": [loss for loss, _ in self.curve],
            "held_out_loss": [held_out for _, held_out in self.curve],
        }


def checkpoint_path(out: Path) -> Path:
    """Return the path of the checkpoint for a brain that is written to ``out``."""
    ending = ".checkpoint.safetensors"
    return out.with_name(f"{truncate_name(out.stem, MAX_NAME_BYTES - len(ending))}{ending}")


def save_checkpoint(
    path: Path,
    training_state: TrainingState,
    network: nn.Module,
    optimiser: Optimiser,
    best_weights: dict[str, torch.Tensor],
    recurrent_state: State,
) -> None:
    """Write a checkpoint atomically."""
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
    path: Path, expected: TrainingState, network: nn.Module, optimiser: Optimiser
) -> tuple[TrainingState, dict[str, torch.Tensor], State]:
    """Load a checkpoint into a network and an optimiser, if it belongs to the same training.

    Returns
    -------
    training_state : TrainingState
    best_weights : dict of tensors
    recurrent_state : tuple of tensors

    Raises
    ------
    TrainingError
        There is no checkpoint, or it is unreadable.
    OtherTrainingError
        It belongs to another recipe, library or seed.
    """
    try:
        read_safetensors_prefix(path)
        with safe_open(path, "pt") as file:
            training_state = _parse_state((file.metadata() or {})[METADATA_KEY], path)
            tensors = {current_tensor_name(n): file.get_tensor(n) for n in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, RuntimeError, LookupError, ValueError, TypeError) as error:
        raise TrainingError(f"{path} is not readable as a checkpoint; {BEGIN_ANEW}") from error
    if training_state.signature != expected.signature:
        differences = _differences(training_state.settings, expected.settings)
        raise OtherTrainingError(f"{path} belongs to another recipe, library or seed{differences}")
    try:
        network.load_state_dict(_select_prefix(tensors, "network."))
        _restore(optimiser, _select_prefix(tensors, "optimiser."))
    except (RuntimeError, ValueError) as error:
        raise TrainingError(f"{path} lacks a part of its state; {BEGIN_ANEW}") from error
    recurrent_state = tuple(t for _, t in sorted(_select_prefix(tensors, "memory.").items()))
    return training_state, _select_prefix(tensors, "best."), recurrent_state


def _parse_state(text: str, path: Path) -> TrainingState:
    table = parse_json(text)
    if not isinstance(table, dict):
        raise ValueError("no table")
    refuse_newer_version(table.pop("version", 1), CHECKPOINT_VERSION, path, TrainingError)
    table = {_RENAMED_KEYS.get(key, key): value for key, value in table.items()}
    training_state = msgspec.convert(table, TrainingState)
    settings = training_state.settings.items()
    training_state.settings = {current_setting_name(name): value for name, value in settings}
    counts = training_state.epoch, training_state.batch, training_state.best_epoch
    if not all(0 <= count < 2**53 for count in counts):
        raise ValueError("counts are out of range")
    return training_state


def _differences(saved: dict[str, str], current: dict[str, str]) -> str:
    """Return in brackets which settings differ; empty if the checkpoint names none."""
    if not saved:
        return ""
    names = [name for name in {**saved, **current} if saved.get(name) != current.get(name)]
    differences = [
        f"{name} was {saved.get(name, 'not there')}, is {current.get(name, 'not there')}"
        for name in names[:MAX_NAMED_SETTINGS]
    ]
    if len(names) > MAX_NAMED_SETTINGS:
        differences.append(f"and {len(names) - MAX_NAMED_SETTINGS} more")
    return f" ({'; '.join(differences)})" if differences else ""


def _select_prefix(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _restore(optimiser: Optimiser, tensors: dict[str, torch.Tensor]) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        number, key = name.split(".", 1)
        state.setdefault(int(number), {})[key] = tensor
    optimiser.load_state_dict(optimiser.state_dict() | {"state": state})


def refuse_overwriting(out: Path, *, resume: bool, overwrite: bool) -> None:
    """Refuse to begin a training that would replace a brain or a checkpoint.

    With ``overwrite`` the checkpoint is deleted instead.

    Raises
    ------
    TrainingError
        Both options are given; ``out`` or its checkpoint exists and neither is; there is nothing to
        resume; or the name of ``out`` has another suffix than .safetensors.
    """
    if resume and overwrite:
        raise TrainingError("got `resume` and `overwrite`, expected one of them")
    checkpoint = checkpoint_path(out)
    if out.suffix != ".safetensors":
        raise TrainingError(f"got `out` {out}, expected a name that ends in .safetensors")
    if resume:
        if not checkpoint.exists():
            reason = "is trained already" if out.exists() else "has no checkpoint"
            raise TrainingError(f"nothing to resume: {out} {reason}; leave out `resume`")
    elif overwrite:
        checkpoint.unlink(missing_ok=True)
    elif checkpoint.exists():
        raise TrainingError(
            f"a training of {out} was interrupted; go on with `resume=True` or begin anew with "
            "`overwrite=True`"
        )
    elif out.exists():
        raise TrainingError(f"{out} exists already; choose another `out` or give `overwrite=True`")


@contextmanager
def lock_output(out: Path, group: ProcessGroup) -> Iterator[None]:
    """Keep other trainings from writing ``out`` within this context.

    Of several processes that train one brain only the main one holds the lock.

    Raises
    ------
    TrainingError
        Another training holds the lock, or the folder cannot be written.
    """
    if not group.is_main:
        yield
        return
    lock = out.with_name(f".{out.name}.lock")
    busy_message = (
        f"{out} is being trained by {{holder}}; "
        "wait until that is done, end it, or choose another `out`"
    )
    with exclusive_lock(
        out, lock, lock.with_name(f"{lock.name}.json"), TrainingError, busy_message
    ):
        try:
            yield
        finally:
            with suppress(OSError):  # unlinked while locked: nobody else can hold this file
                lock.unlink()
