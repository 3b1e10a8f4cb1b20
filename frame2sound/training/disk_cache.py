"""Storage: rows of bytes on disk, for what finds no room in memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.errors import TrainingError
from frame2sound.training.dataset import IndexArray

ByteRows = NDArray[np.uint8]


class DiskCache:
    """Rows of one width in a file without a name: it is gone with the process, however that ends.

    Rows are read, not mapped, so that they take no memory but the reader's; what the system keeps
    of the file in its cache it gives back as soon as somebody needs the memory. Several threads may
    read at once.

    Parameters
    ----------
    folder : Path
        On the disk that shall hold them.
    rows, width : int
        How many rows there will be, and how many bytes each is.

    Raises
    ------
    TrainingError
        The folder cannot be written, or its disk has too little room.
    """

    def __init__(self, folder: Path, row_count: int, row_bytes: int) -> None:
        self.folder, self.row_count, self.row_bytes = folder, row_count, row_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
            free = shutil.disk_usage(folder).free
        except OSError as failure:
            raise self._write_error(failure) from failure
        if free < row_count * row_bytes:
            raise self._write_error(f"{free / 1e9:.2f} GB are free")

    def write(self, first_row: int, rows: ByteRows) -> None:
        """Lay rows ``(n, width)`` down from number ``first`` on."""
        left, at = rows.reshape(-1).data, first_row * self.row_bytes
        try:
            while left:
                written = os.pwrite(self._file.fileno(), left, at)
                left, at = left[written:], at + written
        except OSError as failure:
            raise self._write_error(failure) from failure

    def read(self, indices: IndexArray) -> ByteRows:
        """Return the rows of these numbers, ``(n, width)``; what lies side by side in one go."""
        rows = np.empty((len(indices), self.row_bytes), np.uint8)
        begins = np.flatnonzero(np.diff(indices, prepend=-2) != 1)
        for begin, end in zip(begins, np.append(begins, len(indices))[1:], strict=True):
            part, at = rows[begin:end], int(indices[begin]) * self.row_bytes
            if os.preadv(self._file.fileno(), [part.data], at) < part.nbytes:
                raise TrainingError(
                    f"lessons on the disk of {self.folder} are cut short; train again with --resume"
                )
        return rows

    def _write_error(self, reason: OSError | str) -> TrainingError:
        if isinstance(reason, OSError):
            reason = (reason.strerror or str(reason)).lower()
        return TrainingError(
            f"{self.row_count * self.row_bytes / 1e9:.2f} GB of lessons cannot be laid down in "
            f"{self.folder} ({reason}); make room there, or keep them in memory with a larger --memory"
        )
