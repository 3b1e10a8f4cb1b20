"""A temporary file for sound that must be complete before it is processed further."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

READ_SAMPLES = 65536
"""Samples that are read at once."""


class AudioSpool:
    """Sound in a temporary file, written once and read any number of times.

    The file has no name where the system allows it, so that nothing remains even if the process is
    killed.

    Parameters
    ----------
    folder : Path, optional
        Where the file is created, such as the folder of the output; by default where the system
        has its temporary files.

    Attributes
    ----------
    sample_count : int
        Samples written so far.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._shape: tuple[int, ...] = ()
        self.sample_count = 0

    def __enter__(self) -> AudioSpool:
        return self

    def __exit__(self, *failure: object) -> None:
        self._file.close()

    def write(self, chunks: Iterable[NDArray[np.float32]]) -> None:
        """Write chunks, all ``(n,)`` or all ``(n, channels)``."""
        for _ in self.tee(chunks):
            pass

    def tee(self, chunks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Yield chunks, each after it is written."""
        for chunk in chunks:
            self._shape = chunk.shape[1:]
            self._file.write(np.ascontiguousarray(chunk, np.float32).data)
            self.sample_count += len(chunk)
            yield chunk

    def read(self, chunk_samples: int = READ_SAMPLES) -> Iterator[NDArray[np.float32]]:
        """Yield all samples, ``chunk_samples`` at a time."""
        for start in range(0, self.sample_count, chunk_samples):
            yield self._read_range(start, min(start + chunk_samples, self.sample_count))

    def memory_map(self) -> NDArray[np.float32]:
        """Return all samples as an array on disk."""
        self._file.flush()
        if not self.sample_count:
            return np.zeros((0, *self._shape), np.float32)
        return np.memmap(self._file, np.float32, "r").reshape(-1, *self._shape)

    def read_reversed(self, chunk_samples: int = READ_SAMPLES) -> Iterator[NDArray[np.float32]]:
        """Yield all samples in reverse order."""
        for end in range(self.sample_count, 0, -chunk_samples):
            yield self._read_range(max(end - chunk_samples, 0), end)[::-1]

    def _read_range(self, start: int, end: int) -> NDArray[np.float32]:
        sample = 4 * math.prod(self._shape)
        self._file.seek(start * sample)
        raw = bytearray(self._file.read((end - start) * sample))
        return np.frombuffer(raw, np.float32).reshape(-1, *self._shape)
