"""Lessons: pairs as the part that learns takes them, made once and kept in memory or on disk."""

from __future__ import annotations

import math
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.brain.brain import Brain
from frame2sound.brain.inputs import see
from frame2sound.training.pairs import Numbers, Pairs
from frame2sound.training.plans import NONE, Step
from frame2sound.training.room import Room
from frame2sound.training.storage import Storage

BATCH = 256

AHEAD = 2
"""Steps whose lessons are read before their turn."""

Lesson = tuple[torch.Tensor, torch.Tensor]
"""Looks ``(n, width)`` and wanted outputs ``(n, length)``."""

Raw = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Moments and excerpts of sound, as `Pairs.take` gives them."""


class Found(NamedTuple):
    """What lessons are made of, as far as it is read and not computed.

    Attributes
    ----------
    which : int64 array (n,)
    mixed : int64 array (m,)
        Which of them are exposed twice.
    raw : Raw
        Those, one laid over the other.
    stored : Lesson, optional
        All of them as they were laid down, where that is on disk.
    """

    which: Numbers
    mixed: Numbers
    raw: Raw
    stored: Lesson | None


class Lessons:
    """The lessons of pairs.

    Eyes do not learn, so what they see of a frame is found once, and so is what is wanted of it.
    Where the network sees the pixels themselves, these are kept as bytes until it takes them. What
    is given is the same, to the bit, wherever it was kept.

    Parameters
    ----------
    pairs : Pairs
    brain : Brain
        Whose eyes look, and whose target is wanted.
    device : torch.device
        Where lessons are given.
    room : Room, optional
        Where they are kept.

    Attributes
    ----------
    waited : float
        Seconds that the learner has waited for what is read.
    """

    def __init__(
        self, pairs: Pairs, brain: Brain, device: torch.device, room: Room | None = None
    ) -> None:
        self.pairs = pairs
        self.brain = brain
        self.device = device
        self.waited = 0.0
        self._kept: Lesson | None = None
        self._storage: Storage | None = None
        self._awaited: dict[int, Future[Found]] = {}
        room = room or Room()
        if not len(pairs):
            return
        if self._bytes() * len(pairs) <= room.left(brain.network, device):
            self._keep()
        else:
            self._store(room.folder or Path(tempfile.gettempdir()))

    def __len__(self) -> int:
        return len(self.pairs)

    def take(self, which: Numbers, over: Numbers | None = None) -> Lesson:
        """Return the lessons of the pairs of these numbers.

        Where ``over``, shape ``(n,)``, is not below 0, the picture of that pair is laid over this
        one, lighter over darker, and the sounds of both are mixed.
        """
        return self._given(self._find(which, over))

    def grid(self, step: Step) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the lessons of a step ``(streams, chunk)``, and where there are any, bool.

        Shapes are ``(streams, chunk, width)`` and ``(streams, chunk, length)``; zeros where
        ``step.which`` is below 0.
        """
        there = step.which >= 0
        mask = torch.from_numpy(there).to(self.device)
        parts = self._given(self._answer(step))
        if there.all():
            looks, wanted = (part.reshape(*there.shape, -1) for part in parts)
            return looks, wanted, mask
        looks, wanted = (part.new_zeros(*there.shape, part.shape[1]) for part in parts)
        looks[mask], wanted[mask] = parts
        return looks, wanted, mask

    def ahead(self, steps: Iterable[Step]) -> Iterator[Step]:
        """Yield steps for `grid`; what must be read for the next ones is read meanwhile."""
        coming, waiting = iter(steps), deque[Step]()
        with ThreadPoolExecutor(AHEAD) as readers:
            try:
                while True:
                    for step in islice(coming, AHEAD + 1 - len(waiting)):
                        self._awaited[id(step)] = readers.submit(self._find_step, step)
                        waiting.append(step)
                    if not waiting:
                        return
                    yield waiting.popleft()
            finally:
                self._awaited.clear()

    def wanted(self, which: Numbers) -> torch.Tensor:
        """Return what is wanted of the pairs of these numbers."""
        return self.take(which)[1]

    def _answer(self, step: Step) -> Found:
        awaited, begun = self._awaited.pop(id(step), None), time.perf_counter()
        found = self._find_step(step) if awaited is None else awaited.result()
        self.waited += time.perf_counter() - begun
        return found

    def _find_step(self, step: Step) -> Found:
        there = step.which >= 0
        return self._find(step.which[there], step.over[there])

    def _find(self, which: Numbers, over: Numbers | None) -> Found:
        over = np.full(len(which), NONE) if over is None else over
        mixed = np.flatnonzero(over >= 0)
        moments, excerpts = self.pairs.take(which[mixed])
        others = self.pairs.take(over[mixed])
        raw = np.maximum(moments, others[0]), excerpts + others[1]
        return Found(which, mixed, raw, self._read(which))

    def _given(self, found: Found) -> Lesson:
        if self._kept is not None:
            at = torch.from_numpy(found.which).to(self.device)
            looks, wanted = (part[at] for part in self._kept)
        else:
            assert found.stored is not None
            looks, wanted = (part.to(self.device) for part in found.stored)
        if len(found.mixed):
            looks[found.mixed], wanted[found.mixed] = self._made(found.raw)
        if self.brain.network.eyes is None:
            looks = see(looks, self.brain.recipe.input)
        return looks, wanted

    def _made(self, raw: Raw) -> Lesson:
        """Return lessons as they are kept."""
        looks, excerpts = (torch.from_numpy(part).to(self.device) for part in raw)
        with torch.no_grad():
            if self.brain.network.eyes is not None:
                looks = self.brain.network.look(see(looks, self.brain.recipe.input))
            return looks, self.brain.target.wanted(excerpts)

    def _all(self) -> Iterator[tuple[int, Lesson]]:
        """Make all lessons, some at a time; with the number of the first."""
        for at in range(0, len(self), BATCH):
            which = np.arange(at, min(at + BATCH, len(self)))
            yield at, self._made(self.pairs.take(which))

    def _keep(self) -> None:
        for at, lesson in self._all():
            if self._kept is None:
                looks, wanted = (part.new_empty(len(self), *part.shape[1:]) for part in lesson)
                self._kept = looks, wanted
            for whole, part in zip(self._kept, lesson, strict=True):
                whole[at : at + len(part)] = part

    def _store(self, folder: Path) -> None:
        self._storage = Storage(folder, len(self), self._bytes())
        for at, lesson in self._all():
            rows = [part.cpu().numpy().reshape(len(part), -1).view(np.uint8) for part in lesson]
            self._storage.write(at, np.concatenate(rows, 1))

    def _read(self, which: Numbers) -> Lesson | None:
        if self._storage is None:
            return None
        rows, split = self._storage.read(which), 4 * self.brain.target.length
        wanted = np.ascontiguousarray(rows[:, -split:]).view(np.float32)
        looks = np.ascontiguousarray(rows[:, :-split])
        if self.brain.network.eyes is None:
            looks = looks.reshape(len(which), *self._moment)
        else:
            looks = looks.view(np.float32)
        return torch.from_numpy(looks), torch.from_numpy(wanted)

    @property
    def _moment(self) -> tuple[int, ...]:
        return self.pairs.rows.shape[1], *self.pairs.films[0].frames.shape[1:]

    def _bytes(self) -> int:
        """Return how much a lesson takes."""
        eyes = self.brain.network.eyes
        look = math.prod(self._moment) if eyes is None else 4 * eyes.width
        return look + 4 * self.brain.target.length
