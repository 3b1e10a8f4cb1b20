"""Write a .npy file row by row, so that a film of any length needs little memory."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class NpyWriter:
    """Appends rows to a ``.npy`` file (format 1.0); closing it writes the final length.

    Examples
    --------
    >>> with NpyWriter(Path("rows.npy"), np.uint8, (64, 64)) as rows:  # doctest: +SKIP
    ...     rows.append(np.zeros((10, 64, 64), np.uint8))
    """

    def __init__(self, path: Path, dtype: DTypeLike, row_shape: tuple[int, ...] = ()) -> None:
        self.dtype = np.dtype(dtype)
        self.row_shape = row_shape
        self.row_count = 0
        self._file = path.open("wb")
        self._write_header()

    def append(self, rows: NDArray[np.generic]) -> None:
        """Append rows of shape ``(n, *row_shape)``, converted to the array's type."""
        if rows.shape[1:] != self.row_shape:
            raise ValueError(f"got rows of shape {rows.shape[1:]}, expected {self.row_shape}")
        self._file.write(np.ascontiguousarray(rows, self.dtype).data)
        self.row_count += len(rows)

    def truncate(self, row_count: int) -> None:
        """Remove the rows from ``row_count`` on."""
        if row_count < self.row_count:
            self._file.flush()
            row_bytes = self.dtype.itemsize * int(np.prod(self.row_shape, dtype=np.int64))
            self._file.truncate(self._file.tell() - (self.row_count - row_count) * row_bytes)
            self._file.seek(0, 2)
            self.row_count = row_count

    def __enter__(self) -> NpyWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._file.seek(0)
                self._write_header()
        finally:
            self._file.close()

    def _write_header(self) -> None:
        # NumPy pads the header so that the first axis can grow in place.
        write_npy_header(self._file, self.dtype, (self.row_count, *self.row_shape))


def write_npy_header(file: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """Write the header of a ``.npy`` file (format 1.0) for an array in C order."""
    descr = np.lib.format.dtype_to_descr(dtype)
    header = {"shape": shape, "fortran_order": False, "descr": descr}
    np.lib.format.write_array_header_1_0(file, header)
