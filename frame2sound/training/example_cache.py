"""Training examples: features and targets, computed once and kept in memory or on disk."""

from __future__ import annotations

import math
import os
import shutil
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
from frame2sound.brain.frame_encoding import encode_frames
from frame2sound.errors import TrainingError
from frame2sound.training.dataset import IndexArray, PairDataset
from frame2sound.training.memory_budget import MemoryBudget
from frame2sound.training.samplers import NO_PAIR, StepIndices

ENCODE_BATCH = 256
"""Pairs that are encoded at once."""

PREFETCH_STEPS = 2
"""Steps whose examples are read ahead."""

Batch = tuple[torch.Tensor, torch.Tensor]
"""Features ``(n, width)`` and targets ``(n, length)``."""

FramesAndAudio = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Frames and excerpts of sound, as returned by `PairDataset.load`."""


class RawBatch(NamedTuple):
    """What is read of a batch, before anything is computed.

    Attributes
    ----------
    indices : int64 array (n,)
        The pairs.
    mixed_rows : int64 array (m,)
        Rows of ``indices`` that have an overlay.
    mixed_arrays : FramesAndAudio
        Those ``m`` pairs, mixed with their overlays.
    cached : Batch, optional
        All ``n`` examples, if they are cached on disk.
    """

    indices: IndexArray
    mixed_rows: IndexArray
    mixed_arrays: FramesAndAudio
    cached: Batch | None


class ExampleCache:
    """Features and targets of pairs.

    Frame features are not trained, so they are computed once, and so are targets. Without frame
    features the cache holds the frames' bytes. Examples are equal to the bit wherever they are
    cached.

    Parameters
    ----------
    pairs : PairDataset
    brain : Brain
        Computes the features and the targets.
    device : torch.device
        Where examples are put.
    memory_budget : MemoryBudget, optional
        Decides whether examples are cached in memory or on disk.

    Attributes
    ----------
    wait_seconds : float
        How long training has waited for examples to be read.
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
        if not len(pairs):
            return
        memory_budget = memory_budget or MemoryBudget()
        available = memory_budget.available_bytes(brain.network, device)
        if self._bytes_per_example() * len(pairs) <= available:
            self._cache_in_memory()
        else:
            self._cache_on_disk(memory_budget.cache_folder or Path(tempfile.gettempdir()))

    def __len__(self) -> int:
        return len(self.pairs)

    def load_batch(self, indices: IndexArray, overlay_indices: IndexArray | None = None) -> Batch:
        """Return the features and targets of pairs.

        Where ``overlay_indices``, shape ``(n,)``, is not negative, that pair is mixed in: the
        lighter of both pictures and the sum of both sounds.
        """
        return self._finish_batch(self._load_raw_batch(indices, overlay_indices))

    def load_step(self, step: StepIndices) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the features and targets of a step, and a mask of where it has pairs.

        Shapes are ``(streams, chunk, width)``, ``(streams, chunk, length)`` and
        ``(streams, chunk)``; features and targets are 0 where ``step.indices`` is negative.
        """
        present = step.indices >= 0
        mask = torch.from_numpy(present).to(self.device)
        parts = self._finish_batch(self._get_raw_batch(step))
        if present.all():
            features, targets = (part.reshape(*present.shape, -1) for part in parts)
            return features, targets, mask
        features, targets = (part.new_zeros(*present.shape, part.shape[1]) for part in parts)
        features[mask], targets[mask] = parts
        return features, targets, mask

    def prefetch(self, steps: Iterable[StepIndices]) -> Iterator[StepIndices]:
        """Yield steps for `load_step`, while threads read the examples of the next ones."""
        remaining, queue = iter(steps), deque[StepIndices]()
        with ThreadPoolExecutor(PREFETCH_STEPS) as readers:
            try:
                while True:
                    for step in islice(remaining, PREFETCH_STEPS + 1 - len(queue)):
                        self._prefetched[id(step)] = readers.submit(self._load_raw_step, step)
                        queue.append(step)
                    if not queue:
                        return
                    yield queue.popleft()
            finally:
                self._prefetched.clear()

    def load_targets(self, indices: IndexArray) -> torch.Tensor:
        """Return the targets of pairs, ``(n, length)``."""
        return self.load_batch(indices)[1]

    def _get_raw_batch(self, step: StepIndices) -> RawBatch:
        future, began = self._prefetched.pop(id(step), None), time.perf_counter()
        raw_batch = self._load_raw_step(step) if future is None else future.result()
        self.wait_seconds += time.perf_counter() - began
        return raw_batch

    def _load_raw_step(self, step: StepIndices) -> RawBatch:
        present = step.indices >= 0
        return self._load_raw_batch(step.indices[present], step.overlay_indices[present])

    def _load_raw_batch(self, indices: IndexArray, overlay_indices: IndexArray | None) -> RawBatch:
        if overlay_indices is None:
            overlay_indices = np.full(len(indices), NO_PAIR)
        mixed_rows = np.flatnonzero(overlay_indices >= 0)
        frames, excerpts = self.pairs.load(indices[mixed_rows])
        overlay_frames, overlay_excerpts = self.pairs.load(overlay_indices[mixed_rows])
        mixed = np.maximum(frames, overlay_frames), excerpts + overlay_excerpts
        return RawBatch(indices, mixed_rows, mixed, self._read_from_disk(indices))

    def _finish_batch(self, raw_batch: RawBatch) -> Batch:
        if self._in_memory is not None:
            rows = torch.from_numpy(raw_batch.indices).to(self.device)
            features, targets = (part[rows] for part in self._in_memory)
        else:
            assert raw_batch.cached is not None
            features, targets = (part.to(self.device) for part in raw_batch.cached)
        mixed_rows = raw_batch.mixed_rows
        if len(mixed_rows):
            features[mixed_rows], targets[mixed_rows] = self._encode(raw_batch.mixed_arrays)
        if self.brain.network.features is None:
            features = encode_frames(features, self.brain.recipe.input)
        return features, targets

    def _encode(self, arrays: FramesAndAudio) -> Batch:
        """Return examples as the cache holds them."""
        frames, excerpts = (torch.from_numpy(part).to(self.device) for part in arrays)
        with torch.no_grad():
            if self.brain.network.features is not None:
                inputs = encode_frames(frames, self.brain.recipe.input)
                frames = self.brain.network.extract_features(inputs)
            return frames, self.brain.target.encode(excerpts)

    def _encode_all(self) -> Iterator[tuple[int, Batch]]:
        """Yield all examples in batches, each with the number of its first."""
        for first in range(0, len(self), ENCODE_BATCH):
            indices = np.arange(first, min(first + ENCODE_BATCH, len(self)))
            yield first, self._encode(self.pairs.load(indices))

    def _cache_in_memory(self) -> None:
        for first, batch in self._encode_all():
            if self._in_memory is None:
                features, targets = (part.new_empty(len(self), *part.shape[1:]) for part in batch)
                self._in_memory = features, targets
            for cache, part in zip(self._in_memory, batch, strict=True):
                cache[first : first + len(part)] = part

    def _cache_on_disk(self, folder: Path) -> None:
        self._on_disk = DiskCache(folder, len(self), self._bytes_per_example())
        for first, batch in self._encode_all():
            rows = [part.cpu().numpy().reshape(len(part), -1).view(np.uint8) for part in batch]
            self._on_disk.write(first, np.concatenate(rows, 1))

    def _read_from_disk(self, indices: IndexArray) -> Batch | None:
        if self._on_disk is None:
            return None
        rows, target_bytes = self._on_disk.read(indices), 4 * self.brain.target.length
        targets = np.ascontiguousarray(rows[:, -target_bytes:]).view(np.float32)
        features = np.ascontiguousarray(rows[:, :-target_bytes])
        if self.brain.network.features is None:
            features = features.reshape(len(indices), *self._frames_shape)
        else:
            features = features.view(np.float32)
        return torch.from_numpy(features), torch.from_numpy(targets)

    @property
    def _frames_shape(self) -> tuple[int, ...]:
        return self.pairs.frame_windows.shape[1], *self.pairs.films[0].frames.shape[1:]

    def _bytes_per_example(self) -> int:
        features = self.brain.network.features
        feature_bytes = math.prod(self._frames_shape) if features is None else 4 * features.width
        return feature_bytes + 4 * self.brain.target.length


class DiskCache:
    """Rows of equally many bytes in a temporary file.

    The file has no name, so it is gone with the process, however that ends. Rows are read, not
    memory-mapped, so that they do not count as the process's memory. Several threads may read at
    once.

    Parameters
    ----------
    folder : Path
        On the disk that is to hold the file.
    row_count, row_bytes : int

    Raises
    ------
    TrainingError
        The folder cannot be written, or its disk has too little space.
    """

    def __init__(self, folder: Path, row_count: int, row_bytes: int) -> None:
        self.folder, self.row_count, self.row_bytes = folder, row_count, row_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
            free = shutil.disk_usage(folder).free
        except OSError as error:
            raise self._write_error(error) from error
        if free < row_count * row_bytes:
            raise self._write_error(f"{free / 1e9:.2f} GB are free")

    def write(self, first_row: int, rows: NDArray[np.uint8]) -> None:
        """Write rows ``(n, row_bytes)`` from number ``first_row`` on."""
        remaining, offset = rows.reshape(-1).data, first_row * self.row_bytes
        try:
            while remaining:
                written = os.pwrite(self._file.fileno(), remaining, offset)
                remaining, offset = remaining[written:], offset + written
        except OSError as error:
            raise self._write_error(error) from error

    def read(self, indices: IndexArray) -> NDArray[np.uint8]:
        """Return the rows of these numbers, ``(n, row_bytes)``; neighbours take one read."""
        rows = np.empty((len(indices), self.row_bytes), np.uint8)
        starts = np.flatnonzero(np.diff(indices, prepend=-2) != 1)
        for start, stop in zip(starts, np.append(starts, len(indices))[1:], strict=True):
            part, offset = rows[start:stop], int(indices[start]) * self.row_bytes
            if os.preadv(self._file.fileno(), [part.data], offset) < part.nbytes:
                raise TrainingError(
                    f"cached training data on the disk of {self.folder} is incomplete; "
                    "train again with `resume=True`"
                )
        return rows

    def _write_error(self, reason: OSError | str) -> TrainingError:
        if isinstance(reason, OSError):
            reason = (reason.strerror or str(reason)).lower()
        return TrainingError(
            f"{self.row_count * self.row_bytes / 1e9:.2f} GB of training data cannot be cached in "
            f"{self.folder} ({reason}); free space there, or raise `memory` to keep it in memory"
        )
