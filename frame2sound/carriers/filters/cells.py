"""The cells of a sound's pictures as one long row of columns, on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.page_writer import total_columns
from frame2sound.carriers.parameters import CarrierParameters
from frame2sound.carriers.spectrum_points import LevelScale, Spectra

BLOCK_COLUMNS = 512


class Filtered(NamedTuple):
    """What a filter makes: new parameters, and spectra ``(channels, n, rows)`` in order of time."""

    parameters: CarrierParameters
    blocks: Iterator[Spectra]


class Cells:
    """The spectra that pictures show, of which any columns can be read.

    Parameters
    ----------
    file : Path
        To be written: complex64, ``(columns, channels, rows)``.
    parameters : CarrierParameters
    spectra : iterator of complex arrays (channels, n, rows)
        In order of time; what lacks at the end is silent.

    Attributes
    ----------
    parameters : CarrierParameters
    scale : LevelScale
    total : int
        Columns of the whole sound.
    found : int
        Columns that pictures show.
    """

    def __init__(
        self, file: Path, parameters: CarrierParameters, spectra: Iterator[Spectra]
    ) -> None:
        self.parameters = parameters
        self.scale = LevelScale(parameters.reference_db, parameters.range_db)
        self.total = total_columns(parameters)
        with file.open("wb") as out:
            for block in spectra:
                out.write(np.ascontiguousarray(block.transpose(1, 0, 2), np.complex64).data)
        shape = -1, parameters.channels, parameters.rows
        stored = np.memmap(file, np.complex64, "r") if file.stat().st_size else np.zeros(0)
        self._stored: NDArray[Any] = stored.reshape(shape)[: self.total]
        self.found = len(self._stored)

    def read(self, first: int, end: int) -> Spectra:
        """Return columns ``(channels, end - first, rows)``; silent before 0 and after the end."""
        shape = self.parameters.channels, end - first, self.parameters.rows
        columns: Spectra = np.zeros(shape, np.complex64)
        begin, stop = max(first, 0), max(min(end, self.found), 0)
        if stop > begin:
            part = self._stored[begin:stop].transpose(1, 0, 2)
            columns[:, begin - first : stop - first] = part
        return columns

    def at(self, numbers: NDArray[np.int64]) -> Spectra:
        """Return columns of any numbers, ``(channels, n, rows)``."""
        if not len(numbers):
            return self.read(0, 0)
        first = int(numbers.min())
        return self.read(first, int(numbers.max()) + 1)[:, numbers - first]


class SpectraReader:
    """Gives successive columns of spectra from a stream of blocks."""

    def __init__(self, blocks: Iterator[Spectra], parameters: CarrierParameters) -> None:
        self._blocks = blocks
        self._held = np.zeros((parameters.channels, 0, parameters.rows), np.complex64)

    def read(self, first: int, end: int) -> Spectra:
        """Return the next ``end - first`` columns; silent ones after the end."""
        count = end - first
        while self._held.shape[1] < count:
            block = next(self._blocks, None)
            if block is None:
                lacking = count - self._held.shape[1]
                return np.pad(self._held, ((0, 0), (0, lacking), (0, 0)))
            self._held = np.concatenate([self._held, block], axis=1)
        part, self._held = self._held[:, :count], self._held[:, count:]
        return part


def spans(total: int) -> Iterator[tuple[int, int]]:
    """Yield the first number and the end of blocks of at most `BLOCK_COLUMNS`."""
    for first in range(0, total, BLOCK_COLUMNS):
        yield first, min(first + BLOCK_COLUMNS, total)


def turns(parameters: CarrierParameters, rows: NDArray[Any], columns: NDArray[Any]) -> Spectra:
    """Return by how much sines at the middle of bins have turned since time 0.

    Parameters
    ----------
    parameters : CarrierParameters
    rows, columns : int arrays
        Numbers that are broadcast against each other.

    Returns
    -------
    complex array
        Of magnitude 1: ``exp(2 pi i row column hop / n_fft)``.
    """
    n_fft, hop = parameters.n_fft, parameters.hop
    turned: Spectra = np.exp(2j * np.pi / n_fft * np.mod(rows * columns * hop, n_fft))
    return turned


def directions(spectra: Spectra) -> Spectra:
    """Return complex numbers of magnitude 1 with the phases of others; 1 for 0."""
    size = np.abs(spectra)
    unit: Spectra = np.where(size > 0, spectra / np.maximum(size, 1e-30), 1)
    return unit
