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

from frame2sound.brain.bodies import Dropout
from frame2sound.errors import TrainingError
from frame2sound.training.plans import Step

SPOKEN = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
"""The variables of the environment by which a process knows that it is one of several."""

STORE_SECONDS = 5.0
"""How long a process that has failed waits for the place where all of them meet."""


class UnansweredError(TrainingError):
    """Another process of a training has ended, or cannot be reached."""


@dataclass(frozen=True)
class Group:
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
    size: int = 1
    local: int = 0
    attempt: int = 0

    @classmethod
    def here(cls) -> Group:
        """Return what ``torchrun`` says; a group of one where it says nothing."""
        if not all(name in os.environ for name in SPOKEN):
            return cls()
        rank, size, local = (int(os.environ[name]) for name in SPOKEN)
        return cls(rank, size, local, int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")))

    @property
    def leads(self) -> bool:
        """Whether this one writes and speaks for all."""
        return self.rank == 0

    def device(self, name: str) -> str:
        """Return the device of that name that is this process's own."""
        if self.size > 1 and name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        return f"cuda:{self.local}" if self.size > 1 and name == "cuda" else name

    def share(self, step: Step) -> Step:
        """Return this process's rows of a step."""
        mine = self._taken(len(step.which))
        return Step(step.which[mine], step.over[mine], step.begins[mine])

    def mine(self, whole: torch.Tensor) -> torch.Tensor:
        """Return this process's rows of what belongs to all."""
        return whole[self._taken(len(whole))]

    def drawn(
        self, draw: Callable[..., torch.Tensor], like: torch.Tensor, rows: int
    ) -> torch.Tensor:
        """Draw at random for all ``rows``, and return this process's, shaped ``like`` its own."""
        return self.mine(draw(rows, *like.shape[1:], device=like.device))

    def share_dropout(self, network: nn.Module, rows: int) -> None:
        """Let a network drop in its rows, of so many in all, what one process would drop there."""
        for layer in network.modules():
            if isinstance(layer, Dropout):
                layer.rows, layer.taken = rows, self._taken(rows)

    def whole(self, part: torch.Tensor, rows: int) -> torch.Tensor:
        """Return all ``rows``, of all processes; only this one's own pass gradients back."""
        if self.size == 1:
            return part
        own = part[: self._count(rows, self.rank)]
        sent = part.new_zeros(-(-rows // self.size), *part.shape[1:])  # all send as much
        sent[: len(own)] = own.detach()
        parts = [torch.empty_like(sent) for _ in range(self.size)]
        with _heard():
            distributed.all_gather(parts, sent)
        parts = [each[: self._count(rows, rank)] for rank, each in enumerate(parts)]
        parts[self.rank] = own
        return torch.cat(parts)

    def sum_gradients(self, network: nn.Module) -> None:
        """Add up the gradients of all processes."""
        found = [weights.grad for weights in network.parameters() if weights.grad is not None]
        if self.size == 1 or not found:
            return
        summed = torch.cat([gradient.flatten() for gradient in found])
        with _heard():
            distributed.all_reduce(summed)
        at = 0
        for gradient in found:
            gradient.copy_(summed[at : at + gradient.numel()].reshape(gradient.shape))
            at += gradient.numel()

    def follow(self, *tensors: torch.Tensor) -> None:
        """Overwrite tensors with those of the one that leads."""
        if self.size > 1:
            with torch.no_grad(), _heard():
                for tensor in tensors:
                    distributed.broadcast(tensor, 0)

    def agreed(self, value: float) -> float:
        """Return what the one that leads has found."""
        told = torch.tensor(value, dtype=torch.float64)
        self.follow(told)
        return told.item()

    def _count(self, rows: int, rank: int) -> int:
        """Return how many of so many rows a process has: as many as others, or one more."""
        return rows // self.size + (rank < rows % self.size)

    def _taken(self, rows: int) -> slice:
        """Return the rows that this process takes.

        One that has none takes the last one, too: networks want something to see. What it makes of
        it is left out by `whole`.
        """
        first = sum(self._count(rows, rank) for rank in range(self.rank))
        first = min(first, rows - 1)
        return slice(first, first + max(self._count(rows, self.rank), 1))


ALONE = Group()

_meetings = itertools.count()


@contextmanager
def joined() -> Iterator[Group]:
    """Meet the other processes of this training, if there are any, for as long as it takes."""
    group = Group.here()
    if group.size == 1:
        yield group
        return
    with _heard():
        store, *_ = next(rendezvous("env://"))
        # Of those who met there before, in processes that died, addresses are left.
        place = distributed.PrefixStore(  # type: ignore[attr-defined]
            f"{group.attempt}/{next(_meetings)}", store
        )
        distributed.init_process_group(store=place, rank=group.rank, world_size=group.size)
    yield group  # when it fails, the others are not waited for
    distributed.destroy_process_group()


def first_to_say(text: str) -> bool:
    """Return whether no other process of this training has said this before, in any attempt."""
    group = Group.here()
    if group.size == 1:
        return True
    try:
        store = distributed.TCPStore(  # type: ignore[attr-defined]
            os.environ["MASTER_ADDR"],
            int(os.environ["MASTER_PORT"]),
            timeout=timedelta(seconds=STORE_SECONDS),
        )
        return bool(store.add(f"said/{hashlib.sha256(text.encode()).hexdigest()}", 1) == 1)
    except (RuntimeError, LookupError, ValueError):  # whoever kept count is gone
        return True


@contextmanager
def _heard() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise UnansweredError(
            "another process of this training does not answer; torchrun --max-restarts 3 goes on "
            "from the last checkpoint by itself, and --resume does when it is run again"
        ) from error
