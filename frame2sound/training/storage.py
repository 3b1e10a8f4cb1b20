"""Storage: rows of bytes on disk, for what finds no room in memory."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.errors import TrainingError
from frame2sound.training.pairs import Numbers

Bytes = NDArray[np.uint8]


class Storage:
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

    def __init__(self, folder: Path, rows: int, width: int) -> None:
        self.folder, self.rows, self.width = folder, rows, width
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
            free = shutil.disk_usage(folder).free
        except OSError as failure:
            raise self._failed(failure) from failure
        if free < rows * width:
            raise self._failed(f"{free / 1e9:.2f} GB are free")

    def write(self, first: int, rows: Bytes) -> None:
        """Lay rows ``(n, width)`` down from number ``first`` on."""
        left, at = rows.reshape(-1).data, first * self.width
        try:
            while left:
                written = os.pwrite(self._file.fileno(), left, at)
                left, at = left[written:], at + written
        except OSError as failure:
            raise self._failed(failure) from failure

    def read(self, which: Numbers) -> Bytes:
        """Return the rows of these numbers, ``(n, width)``; what lies side by side in one go."""
        rows = np.empty((len(which), self.width), np.uint8)
        begins = np.flatnonzero(np.diff(which, prepend=-2) != 1)
        for begin, end in zip(begins, np.append(begins, len(which))[1:], strict=True):
            part, at = rows[begin:end], int(which[begin]) * self.width
            if os.preadv(self._file.fileno(), [part.data], at) < part.nbytes:
                raise TrainingError(
                    f"lessons on the disk of {self.folder} are cut short; train again with --resume"
                )
        return rows

    def _failed(self, why: OSError | str) -> TrainingError:
        if isinstance(why, OSError):
            why = (why.strerror or str(why)).lower()
        return TrainingError(
            f"{self.rows * self.width / 1e9:.2f} GB of lessons cannot be laid down in "
            f"{self.folder} ({why}); make room there, or keep them in memory with a larger --memory"
        )
