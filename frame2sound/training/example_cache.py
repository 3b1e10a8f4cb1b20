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
from frame2sound.training.dataset import IndexArray, PairDataset, mix_pairs
from frame2sound.training.memory_budget import MemoryBudget
from frame2sound.training.samplers import NO_PAIR, StepIndices

ENCODE_BATCH = 256
"""Pairs that are encoded at once."""

PREFETCH_STEPS = 2
"""Steps whose examples are read ahead."""

Batch = tuple[torch.Tensor, torch.Tensor]
"""Features ``(n, width)`` and targets ``(n, length)``."""

FeatureType = type[np.uint8] | type[np.float32]

_DTYPES: dict[FeatureType, torch.dtype] = {np.uint8: torch.uint8, np.float32: torch.float32}

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
    mixed_arrays : FramesAndAudio, optional
        Those ``m`` pairs, mixed with their overlays, if the mixtures are not cached.
    cached, mixed_cached : Batch, optional
        All ``n`` examples, and the ``m`` mixtures, if they are cached on disk.
    """

    indices: IndexArray
    mixed_rows: IndexArray
    mixed_arrays: FramesAndAudio | None
    cached: Batch | None
    mixed_cached: Batch | None


class ExampleCache:
    """Features and targets of pairs.

    Frame features are not trained, so they are computed once, and so are targets. Without frame
    features the cache holds the frames' bytes. Examples are equal to the bit wherever they are
    cached. So are mixtures of pairs that `keep_overlays` announces.

    Parameters
    ----------
    pairs : PairDataset
    brain : Brain
        Computes the features and the targets.
    device : torch.device
        Where examples are put.
    memory_budget : MemoryBudget, optional
        Decides whether examples are cached in memory or on disk.
    keeps_overlays : bool
        Whether `keep_overlays` will be called.

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
        *,
        keeps_overlays: bool = False,
    ) -> None:
        self.pairs = pairs
        self.brain = brain
        self.device = device
        self.wait_seconds = 0.0
        self._mixtures: ExampleStore | None = None
        self._overlay: IndexArray | None = None
        self._prefetched: dict[int, Future[RawBatch]] = {}
        memory_budget = memory_budget or MemoryBudget()
        available = memory_budget.available_bytes(brain.network, device) if len(pairs) else 0
        needed = self._bytes_per_example() * len(pairs)
        folder = memory_budget.cache_folder or Path(tempfile.gettempdir())
        self._examples = self._make_store(None if needed <= available else folder)
        if keeps_overlays and len(pairs):
            self._mixtures = self._make_store(None if 2 * needed <= available else folder)
        self._fill(self._examples, None)

    def __len__(self) -> int:
        return len(self.pairs)

    def keep_overlays(self, overlay: IndexArray | None) -> None:
        """Encode the mixtures of all pairs with those of ``overlay``, shape ``(N,)``, only once.

        Steps with these overlays are read from the cache from then on; those with others are
        encoded as they come.
        """
        if self._mixtures is None or overlay is None or self._keeps(overlay):
            return
        self._overlay = overlay
        self._fill(self._mixtures, overlay)

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
        mixed, overlay = indices[mixed_rows], overlay_indices[mixed_rows]
        arrays = cached = None
        if self._keeps(overlay, mixed):
            assert self._mixtures is not None
            cached = self._mixtures.read_from_disk(mixed)
        else:
            arrays = mix_pairs(self.pairs, mixed, overlay)
        return RawBatch(indices, mixed_rows, arrays, self._examples.read_from_disk(indices), cached)

    def _keeps(self, overlay: IndexArray, indices: IndexArray | slice = slice(None)) -> bool:
        """Return whether the mixtures of these pairs are in the cache."""
        return self._overlay is not None and np.array_equal(self._overlay[indices], overlay)

    def _finish_batch(self, raw_batch: RawBatch) -> Batch:
        features, targets = self._examples.get(raw_batch.indices, raw_batch.cached)
        mixed_rows = raw_batch.mixed_rows
        if len(mixed_rows):
            if raw_batch.mixed_arrays is not None:
                mixed = self._encode(raw_batch.mixed_arrays)
            else:
                assert self._mixtures is not None
                mixed = self._mixtures.get(raw_batch.indices[mixed_rows], raw_batch.mixed_cached)
            features[mixed_rows], targets[mixed_rows] = mixed
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

    def _fill(self, store: ExampleStore, overlay: IndexArray | None) -> None:
        """Encode all pairs, or all mixtures of them with ``overlay``, in batches of one size."""
        for first in range(0, len(self), ENCODE_BATCH):
            indices = np.arange(first, min(first + ENCODE_BATCH, len(self)))
            if overlay is None:
                arrays = self.pairs.load(indices)
            else:
                arrays = mix_pairs(self.pairs, indices, overlay[indices])
            store.write(first, self._encode(arrays))

    def _make_store(self, folder: Path | None) -> ExampleStore:
        features = self.brain.network.features
        shape = self.pairs.frames_shape if features is None else (features.width,)
        kind: FeatureType = np.uint8 if features is None else np.float32
        length = self.brain.target.length
        return ExampleStore(len(self), shape, kind, length, self.device, folder)

    def _bytes_per_example(self) -> int:
        features, shape = self.brain.network.features, self.pairs.frames_shape
        feature_bytes = math.prod(shape) if features is None else 4 * features.width
        return feature_bytes + 4 * self.brain.target.length


class ExampleStore:
    """Encoded examples of a library's pairs, in memory or on disk.

    Parameters
    ----------
    count : int
    feature_shape : tuple of int
    feature_type : type
        ``np.uint8`` or ``np.float32``.
    target_length : int
    device : torch.device
        Where examples are put.
    folder : Path, optional
        Where the examples are cached on disk; without it they are in memory.
    """

    def __init__(
        self,
        count: int,
        feature_shape: tuple[int, ...],
        feature_type: FeatureType,
        target_length: int,
        device: torch.device,
        folder: Path | None,
    ) -> None:
        self._feature_shape, self._feature_type = feature_shape, feature_type
        self._target_bytes, self._device = 4 * target_length, device
        self.in_memory: Batch | None = None
        self.on_disk: DiskCache | None = None
        if folder is None:
            self.in_memory = (
                torch.empty(count, *feature_shape, dtype=_DTYPES[feature_type], device=device),
                torch.empty(count, target_length, device=device),
            )
        else:
            feature_bytes = math.prod(feature_shape) * np.dtype(feature_type).itemsize
            self.on_disk = DiskCache(folder, count, feature_bytes + self._target_bytes)

    def write(self, first: int, batch: Batch) -> None:
        """Store the examples of the pairs from number ``first`` on."""
        if self.in_memory is not None:
            for store, part in zip(self.in_memory, batch, strict=True):
                store[first : first + len(part)] = part
        elif self.on_disk is not None:
            rows = [part.cpu().numpy().reshape(len(part), -1).view(np.uint8) for part in batch]
            self.on_disk.write(first, np.concatenate(rows, 1))

    def read_from_disk(self, indices: IndexArray) -> Batch | None:
        """Return the examples of pairs if they are on disk; several threads may call this."""
        if self.on_disk is None:
            return None
        rows = self.on_disk.read(indices)
        targets = np.ascontiguousarray(rows[:, -self._target_bytes :]).view(np.float32)
        features = np.ascontiguousarray(rows[:, : -self._target_bytes]).view(self._feature_type)
        features = features.reshape(len(rows), *self._feature_shape)
        return torch.from_numpy(features), torch.from_numpy(targets)

    def get(self, indices: IndexArray, from_disk: Batch | None) -> Batch:
        """Return copies of the examples of pairs, given what `read_from_disk` returned."""
        if self.in_memory is None:
            assert from_disk is not None
            features, targets = (part.to(self._device) for part in from_disk)
        else:
            rows = torch.from_numpy(indices).to(self._device)
            features, targets = (part[rows] for part in self.in_memory)
        return features, targets


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
