"""Together: several processes that train one brain, each with its share of every step.

``torchrun`` starts them and says, in the environment, which one each is. Each goes through the same
plan and takes its rows of every step: as many as the others, or one more; where there are fewer
rows than processes, some have none. What all of them give is brought together before it is judged,
and gradients are summed, so that a step is what one process would have made of all rows, whatever
the loss and however they are shared. All draw chance for all rows, and take their own. What differs
is rounding: sums are added up in another order, and factors of bfloat16 are rounded in parts.
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
"""The variables of the environment by which a process knows that it is one of several."""

STORE_TIMEOUT_SECONDS = 5.0
"""How long a process that has failed waits for the place where all of them meet."""


class LostProcessError(TrainingError):
    """Another process of a training has ended, or cannot be reached."""


@dataclass(frozen=True)
class ProcessGroup:
    """The processes of a training, as one of them sees them; by itself unless told otherwise.

    Attributes
    ----------
    rank, size : int
        Which one this is, from 0, and how many there are.
    local : int
        Which one it is on this computer.
    attempt : int
        How often all of them were started anew, because one died.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int = 0
    restart_count: int = 0

    @classmethod
    def from_environment(cls) -> ProcessGroup:
        """Return what ``torchrun`` says; a group of one where it says nothing."""
        if not all(name in os.environ for name in RANK_VARIABLES):
            return cls()
        rank, size, local = (int(os.environ[name]) for name in RANK_VARIABLES)
        return cls(rank, size, local, int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")))

    @property
    def is_main(self) -> bool:
        """Whether this one writes and speaks for all."""
        return self.rank == 0

    def device_name(self, name: str) -> str:
        """Return the device of that name that is this process's own."""
        if self.world_size > 1 and name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        return f"cuda:{self.local_rank}" if self.world_size > 1 and name == "cuda" else name

    def shard_step(self, step: StepIndices) -> StepIndices:
        """Return this process's rows of a step."""
        mine = self._shard_slice(len(step.indices))
        return StepIndices(step.indices[mine], step.overlay_indices[mine], step.starts[mine])

    def shard(self, rows: torch.Tensor) -> torch.Tensor:
        """Return this process's rows of what belongs to all."""
        return rows[self._shard_slice(len(rows))]

    def draw_shard(
        self, draw: Callable[..., torch.Tensor], like: torch.Tensor, row_count: int
    ) -> torch.Tensor:
        """Draw at random for all ``rows``, and return this process's, shaped ``like`` its own."""
        return self.shard(draw(row_count, *like.shape[1:], device=like.device))

    def shard_dropout(self, network: nn.Module, row_count: int) -> None:
        """Let a network drop in its rows, of so many in all, what one process would drop there."""
        for layer in network.modules():
            if isinstance(layer, Dropout):
                layer.total_rows, layer.own_rows = row_count, self._shard_slice(row_count)

    def all_gather(self, part: torch.Tensor, row_count: int) -> torch.Tensor:
        """Return all ``rows``, of all processes; only this one's own pass gradients back."""
        if self.world_size == 1:
            return part
        own = part[: self._rows_of_rank(row_count, self.rank)]
        sent = part.new_zeros(-(-row_count // self.world_size), *part.shape[1:])  # all send as much
        sent[: len(own)] = own.detach()
        parts = [torch.empty_like(sent) for _ in range(self.world_size)]
        with _detect_lost_process():
            distributed.all_gather(parts, sent)
        parts = [each[: self._rows_of_rank(row_count, rank)] for rank, each in enumerate(parts)]
        parts[self.rank] = own
        return torch.cat(parts)

    def all_reduce_gradients(self, network: nn.Module) -> None:
        """Add up the gradients of all processes."""
        found = [weights.grad for weights in network.parameters() if weights.grad is not None]
        if self.world_size == 1 or not found:
            return
        summed = torch.cat([gradient.flatten() for gradient in found])
        with _detect_lost_process():
            distributed.all_reduce(summed)
        at = 0
        for gradient in found:
            gradient.copy_(summed[at : at + gradient.numel()].reshape(gradient.shape))
            at += gradient.numel()

    def broadcast(self, *tensors: torch.Tensor) -> None:
        """Overwrite tensors with those of the one that leads."""
        if self.world_size > 1:
            with torch.no_grad(), _detect_lost_process():
                for tensor in tensors:
                    distributed.broadcast(tensor, 0)

    def broadcast_value(self, value: float) -> float:
        """Return what the one that leads has found."""
        told = torch.tensor(value, dtype=torch.float64)
        self.broadcast(told)
        return told.item()

    def _rows_of_rank(self, row_count: int, rank: int) -> int:
        """Return how many of so many rows a process has: as many as others, or one more."""
        return row_count // self.world_size + (rank < row_count % self.world_size)

    def _shard_slice(self, row_count: int) -> slice:
        """Return the rows that this process takes.

        One that has none takes the last one, too: networks want something to see. What it makes of
        it is left out by `whole`.
        """
        first = sum(self._rows_of_rank(row_count, rank) for rank in range(self.rank))
        first = min(first, row_count - 1)
        return slice(first, first + max(self._rows_of_rank(row_count, self.rank), 1))


SINGLE_PROCESS = ProcessGroup()

_join_counter = itertools.count()


@contextmanager
def join_process_group() -> Iterator[ProcessGroup]:
    """Meet the other processes of this training, if there are any, for as long as it takes."""
    group = ProcessGroup.from_environment()
    if group.world_size == 1:
        yield group
        return
    with _detect_lost_process():
        store, *_ = next(rendezvous("env://"))
        # Of those who met there before, in processes that died, addresses are left.
        place = distributed.PrefixStore(  # type: ignore[attr-defined]
            f"{group.restart_count}/{next(_join_counter)}", store
        )
        distributed.init_process_group(store=place, rank=group.rank, world_size=group.world_size)
    yield group  # when it fails, the others are not waited for
    distributed.destroy_process_group()


def is_first_to_report(message: str) -> bool:
    """Return whether no other process of this training has said this before, in any attempt."""
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
    except (RuntimeError, LookupError, ValueError):  # whoever kept count is gone
        return True


@contextmanager
def _detect_lost_process() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostProcessError(
            "another process of this training does not answer; torchrun --max-restarts 3 goes on "
            "from the last checkpoint by itself, and --resume does when it is run again"
        ) from error
