"""Distributed training: several processes train one brain, each on a shard of every step.

``torchrun`` starts the processes and numbers them in environment variables. All follow the same
sampler, and each takes its rows of every step: equally many, or one more; with fewer rows than
processes, some take none. Outputs are gathered before the loss is computed and gradients are
summed, so that a step equals that of a single process, whatever the loss. Random numbers are drawn
for all rows, and each process uses its own. What differs is rounding: sums are added in another
order, and bfloat16 factors are rounded in parts.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed, nn
from torch.distributed.rendezvous import rendezvous

from frame2sound.brain.backbones import Dropout
from frame2sound.errors import TrainingError
from frame2sound.training.samplers import StepIndices

RANK_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
"""Environment variables that ``torchrun`` sets."""

STORE_TIMEOUT_SECONDS = 5.0
"""How long a process that has failed waits for the store that all of them share."""


class LostProcessError(TrainingError):
    """Another process of a training has ended, or cannot be reached."""


@dataclass(frozen=True)
class ProcessGroup:
    """The processes of a training and which one this is; by default there is only one.

    Attributes
    ----------
    rank : int
        Number of this process, from 0.
    world_size : int
        Number of processes.
    local_rank : int
        Number of this process on its computer.
    restart_count : int
        How often all processes were restarted because one died.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    restart_count: int = 0

    @classmethod
    def from_environment(cls) -> ProcessGroup:
        """Return the group that ``torchrun`` describes; without it, a group of one."""
        if not all(name in os.environ for name in RANK_VARIABLES):
            return cls()
        rank, size, local = (int(os.environ[name]) for name in RANK_VARIABLES)
        return cls(rank, size, local, int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")))

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and reports progress."""
        return self.rank == 0

    def device_name(self, name: str) -> str:
        """Return the device that this process uses for a device name."""
        if self.world_size > 1 and name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        return f"cuda:{self.local_rank}" if self.world_size > 1 and name == "cuda" else name

    def shard_step(self, step: StepIndices) -> StepIndices:
        """Return this process's rows of a step."""
        rows = self._shard_slice(len(step.indices))
        return StepIndices(step.indices[rows], step.overlay_indices[rows], step.starts[rows])

    def shard(self, rows: torch.Tensor) -> torch.Tensor:
        """Return this process's rows of a tensor that has those of all."""
        return rows[self._shard_slice(len(rows))]

    def draw_shard(
        self, draw: Callable[..., torch.Tensor], like: torch.Tensor, row_count: int
    ) -> torch.Tensor:
        """Draw random numbers for all rows and return this process's, shaped like ``like``."""
        return self.shard(draw(row_count, *like.shape[1:], device=like.device))

    def shard_dropout(self, network: nn.Module, row_count: int) -> None:
        """Make a network's dropout equal to that of a single process with all rows."""
        for layer in network.modules():
            if isinstance(layer, Dropout):
                layer.total_rows, layer.own_rows = row_count, self._shard_slice(row_count)

    def all_gather(self, part: torch.Tensor, row_count: int) -> torch.Tensor:
        """Return the rows of all processes; gradients flow through this process's rows only."""
        if self.world_size == 1:
            return part
        own = part[: self._rows_of_rank(row_count, self.rank)]
        # All processes must send equally many rows.
        padded = part.new_zeros(-(-row_count // self.world_size), *part.shape[1:])
        padded[: len(own)] = own.detach()
        parts = [torch.empty_like(padded) for _ in range(self.world_size)]
        with _detect_lost_process():
            distributed.all_gather(parts, padded)
        parts = [rows[: self._rows_of_rank(row_count, rank)] for rank, rows in enumerate(parts)]
        parts[self.rank] = own
        return torch.cat(parts)

    def all_reduce_gradients(self, network: nn.Module) -> None:
        """Replace gradients by their sums over all processes."""
        gradients = [part.grad for part in network.parameters() if part.grad is not None]
        if self.world_size == 1 or not gradients:
            return
        summed = torch.cat([gradient.flatten() for gradient in gradients])
        with _detect_lost_process():
            distributed.all_reduce(summed)
        first = 0
        for gradient in gradients:
            part = summed[first : first + gradient.numel()]
            gradient.copy_(part.reshape(gradient.shape))
            first += gradient.numel()

    def broadcast(self, *tensors: torch.Tensor) -> None:
        """Overwrite tensors with those of the main process."""
        if self.world_size > 1:
            with torch.no_grad(), _detect_lost_process():
                for tensor in tensors:
                    distributed.broadcast(tensor, 0)

    def broadcast_value(self, value: float) -> float:
        """Return the main process's value."""
        tensor = torch.tensor(value, dtype=torch.float64)
        self.broadcast(tensor)
        return tensor.item()

    def _rows_of_rank(self, row_count: int, rank: int) -> int:
        """Return how many rows a process has: as many as the others, or one more."""
        return row_count // self.world_size + (rank < row_count % self.world_size)

    def _shard_slice(self, row_count: int) -> slice:
        """Return which rows this process takes.

        One that has none takes the last row, too, because networks need an input; `all_gather`
        leaves its output out.
        """
        first = sum(self._rows_of_rank(row_count, rank) for rank in range(self.rank))
        first = min(first, row_count - 1)
        return slice(first, first + max(self._rows_of_rank(row_count, self.rank), 1))


SINGLE_PROCESS = ProcessGroup()

_join_counter = itertools.count()


@contextmanager
def join_process_group() -> Iterator[ProcessGroup]:
    """Connect to the other processes of this training, if any, within this context."""
    group = ProcessGroup.from_environment()
    if group.world_size == 1:
        yield group
        return
    with _detect_lost_process():
        store, *_ = next(rendezvous("env://"))
        # Under older prefixes the store still has the addresses of processes that died.
        own_store = distributed.PrefixStore(  # type: ignore[attr-defined]
            f"{group.restart_count}/{next(_join_counter)}", store
        )
        distributed.init_process_group(
            store=own_store, rank=group.rank, world_size=group.world_size
        )
    yield group  # after an exception the others are not waited for
    distributed.destroy_process_group()


def is_first_to_report(message: str) -> bool:
    """Return whether no process of this training has reported a message, in any attempt."""
    group = ProcessGroup.from_environment()
    if group.world_size == 1:
        return True
    try:
        store = distributed.TCPStore(  # type: ignore[attr-defined]
            os.environ["MASTER_ADDR"],
            int(os.environ["MASTER_PORT"]),
            timeout=timedelta(seconds=STORE_TIMEOUT_SECONDS),
        )
        return bool(store.add(f"said/{hashlib.sha256(message.encode()).hexdigest()}", 1) == 1)
    except (RuntimeError, LookupError, ValueError):  # the store is gone
        return True


@contextmanager
def _detect_lost_process() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostProcessError(
            "another process of this training does not answer; torchrun --max-restarts 3 goes on "
            "from the last checkpoint by itself, and `resume=True` when it is run again"
        ) from error
