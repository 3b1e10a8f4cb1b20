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
from frame2sound.brain.features import encode_frames
from frame2sound.training.dataset import IndexArray, PairDataset
from frame2sound.training.disk_cache import DiskCache
from frame2sound.training.memory_budget import MemoryBudget
from frame2sound.training.samplers import NO_PAIR, StepIndices

ENCODE_BATCH = 256

PREFETCH_STEPS = 2
"""Steps whose lessons are read before their turn."""

Batch = tuple[torch.Tensor, torch.Tensor]
"""Looks ``(n, width)`` and wanted outputs ``(n, length)``."""

FramesAndAudio = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Moments and excerpts of sound, as `Pairs.take` gives them."""


class RawBatch(NamedTuple):
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

    indices: IndexArray
    mixed_rows: IndexArray
    mixed_arrays: FramesAndAudio
    cached: Batch | None


class ExampleCache:
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
        self,
        pairs: PairDataset,
        brain: Brain,
        device: torch.device,
        memory_budget: MemoryBudget | None = None,
    ) -> None:
        self.pairs = pairs
        self.brain = brain
        self.device = device
        self.wait_seconds = 0.0
        self._in_memory: Batch | None = None
        self._on_disk: DiskCache | None = None
        self._prefetched: dict[int, Future[RawBatch]] = {}
        memory_budget = memory_budget or MemoryBudget()
        if not len(pairs):
            return
        if self._bytes_per_example() * len(pairs) <= memory_budget.available_bytes(
            brain.network, device
        ):
            self._cache_in_memory()
        else:
            self._cache_on_disk(memory_budget.cache_folder or Path(tempfile.gettempdir()))

    def __len__(self) -> int:
        return len(self.pairs)

    def load_batch(self, indices: IndexArray, overlay_indices: IndexArray | None = None) -> Batch:
        """Return the lessons of the pairs of these numbers.

        Where ``over``, shape ``(n,)``, is not below 0, the picture of that pair is laid over this
        one, lighter over darker, and the sounds of both are mixed.
        """
        return self._finish_batch(self._load_raw_batch(indices, overlay_indices))

    def load_step(self, step: StepIndices) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the lessons of a step ``(streams, chunk)``, and where there are any, bool.

        Shapes are ``(streams, chunk, width)`` and ``(streams, chunk, length)``; zeros where
        ``step.which`` is below 0.
        """
        there = step.indices >= 0
        mask = torch.from_numpy(there).to(self.device)
        parts = self._finish_batch(self._get_raw_batch(step))
        if there.all():
            looks, wanted = (part.reshape(*there.shape, -1) for part in parts)
            return looks, wanted, mask
        looks, wanted = (part.new_zeros(*there.shape, part.shape[1]) for part in parts)
        looks[mask], wanted[mask] = parts
        return looks, wanted, mask

    def prefetch(self, steps: Iterable[StepIndices]) -> Iterator[StepIndices]:
        """Yield steps for `grid`; what must be read for the next ones is read meanwhile."""
        coming, waiting = iter(steps), deque[StepIndices]()
        with ThreadPoolExecutor(PREFETCH_STEPS) as readers:
            try:
                while True:
                    for step in islice(coming, PREFETCH_STEPS + 1 - len(waiting)):
                        self._prefetched[id(step)] = readers.submit(self._load_raw_step, step)
                        waiting.append(step)
                    if not waiting:
                        return
                    yield waiting.popleft()
            finally:
                self._prefetched.clear()

    def load_targets(self, indices: IndexArray) -> torch.Tensor:
        """Return what is wanted of the pairs of these numbers."""
        return self.load_batch(indices)[1]

    def _get_raw_batch(self, step: StepIndices) -> RawBatch:
        awaited, begun = self._prefetched.pop(id(step), None), time.perf_counter()
        found = self._load_raw_step(step) if awaited is None else awaited.result()
        self.wait_seconds += time.perf_counter() - begun
        return found

    def _load_raw_step(self, step: StepIndices) -> RawBatch:
        there = step.indices >= 0
        return self._load_raw_batch(step.indices[there], step.overlay_indices[there])

    def _load_raw_batch(self, indices: IndexArray, overlay_indices: IndexArray | None) -> RawBatch:
        overlay_indices = (
            np.full(len(indices), NO_PAIR) if overlay_indices is None else overlay_indices
        )
        mixed = np.flatnonzero(overlay_indices >= 0)
        moments, excerpts = self.pairs.load(indices[mixed])
        others = self.pairs.load(overlay_indices[mixed])
        raw = np.maximum(moments, others[0]), excerpts + others[1]
        return RawBatch(indices, mixed, raw, self._read_from_disk(indices))

    def _finish_batch(self, raw_batch: RawBatch) -> Batch:
        if self._in_memory is not None:
            at = torch.from_numpy(raw_batch.indices).to(self.device)
            looks, wanted = (part[at] for part in self._in_memory)
        else:
            assert raw_batch.cached is not None
            looks, wanted = (part.to(self.device) for part in raw_batch.cached)
        if len(raw_batch.mixed_rows):
            looks[raw_batch.mixed_rows], wanted[raw_batch.mixed_rows] = self._encode(
                raw_batch.mixed_arrays
            )
        if self.brain.network.features is None:
            looks = encode_frames(looks, self.brain.recipe.input)
        return looks, wanted

    def _encode(self, raw: FramesAndAudio) -> Batch:
        """Return lessons as they are kept."""
        looks, excerpts = (torch.from_numpy(part).to(self.device) for part in raw)
        with torch.no_grad():
            if self.brain.network.features is not None:
                looks = self.brain.network.extract_features(
                    encode_frames(looks, self.brain.recipe.input)
                )
            return looks, self.brain.target.encode(excerpts)

    def _encode_all(self) -> Iterator[tuple[int, Batch]]:
        """Make all lessons, some at a time; with the number of the first."""
        for at in range(0, len(self), ENCODE_BATCH):
            which = np.arange(at, min(at + ENCODE_BATCH, len(self)))
            yield at, self._encode(self.pairs.load(which))

    def _cache_in_memory(self) -> None:
        for at, lesson in self._encode_all():
            if self._in_memory is None:
                looks, wanted = (part.new_empty(len(self), *part.shape[1:]) for part in lesson)
                self._in_memory = looks, wanted
            for whole, part in zip(self._in_memory, lesson, strict=True):
                whole[at : at + len(part)] = part

    def _cache_on_disk(self, folder: Path) -> None:
        self._on_disk = DiskCache(folder, len(self), self._bytes_per_example())
        for at, lesson in self._encode_all():
            rows = [part.cpu().numpy().reshape(len(part), -1).view(np.uint8) for part in lesson]
            self._on_disk.write(at, np.concatenate(rows, 1))

    def _read_from_disk(self, indices: IndexArray) -> Batch | None:
        if self._on_disk is None:
            return None
        rows, split = self._on_disk.read(indices), 4 * self.brain.target.length
        wanted = np.ascontiguousarray(rows[:, -split:]).view(np.float32)
        looks = np.ascontiguousarray(rows[:, :-split])
        if self.brain.network.features is None:
            looks = looks.reshape(len(indices), *self._frames_shape)
        else:
            looks = looks.view(np.float32)
        return torch.from_numpy(looks), torch.from_numpy(wanted)

    @property
    def _frames_shape(self) -> tuple[int, ...]:
        return self.pairs.frame_windows.shape[1], *self.pairs.films[0].frames.shape[1:]

    def _bytes_per_example(self) -> int:
        """Return how much a lesson takes."""
        eyes = self.brain.network.features
        look = math.prod(self._frames_shape) if eyes is None else 4 * eyes.width
        return look + 4 * self.brain.target.length
