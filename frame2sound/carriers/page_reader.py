"""Turn pictures that carry a sound, and what tools have made of them, back into the sound."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.calibration import Calibration
from frame2sound.carriers.colours import Planes, luma_of
from frame2sound.carriers.deblur import find_blur
from frame2sound.carriers.layout import BAND, TILES, PageLayout
from frame2sound.carriers.magnitude_phases import MagnitudePhases
from frame2sound.carriers.page_source import FoundPage, PageSource, Picture
from frame2sound.carriers.page_writer import FULL_SCALE, page_count
from frame2sound.carriers.parameters import CarrierParameters, Kind
from frame2sound.carriers.scrolling import ColumnCollector, Run, first_column
from frame2sound.carriers.sound_input import Block
from frame2sound.carriers.spectrum_points import (
    BRIGHTEST,
    DARKEST,
    LevelScale,
    Spectra,
    from_points,
)
from frame2sound.carriers.tiles import from_tiles
from frame2sound.carriers.yuv_image import YuvImage
from frame2sound.sound.stft import InverseStft, Stft

STRIPE = 64
"""Rows of pixels that are read at once: a multiple of all cells, so few that they stay cached."""

SILENT_BLOCK = 1 << 16
"""Samples of silence that are returned at once."""

LEAST_CHROMA = 2.0
"""Mean of what sounds, in levels, below which phases cannot be read."""

MOST_MISSING, MOST_MISSING_SECONDS = 20, 600
"""Sound that may be missing: so many times what was found, and so many seconds."""


@dataclass
class Findings:
    """What a reader found in pictures.

    Attributes
    ----------
    parameters : CarrierParameters
    pages, missing, repeated : int
        Pictures that were read; those that the sound lacks; those that came again, or too late.
    unreadable : list of str
        Why pictures were left out.
    levels_changed, hues_error : bool, float
        Whether levels or hues were put right, and the largest error that is left in the patches.
    colourless : int
        Pages of spectra whose chroma is gone, so that their phases were guessed.
    blur : float
        Widest blur that was undone: its standard deviation in pixels.
    """

    parameters: CarrierParameters
    pages: int = 0
    missing: int = 0
    repeated: int = 0
    unreadable: list[str] = field(default_factory=list)
    levels_changed: bool = False
    hues_error: float = 0.0
    colourless: int = 0
    blur: float = 0.0


class PictureSound:
    """The sound of pictures, read one by one.

    Parameters
    ----------
    pictures : iterable of Picture
    known : CarrierParameters, optional
        From a file beside the pictures; used where the pictures say nothing.

    Attributes
    ----------
    findings : Findings
        Complete once `blocks` has ended.

    Raises
    ------
    ValueError
        The first picture carries no sound that can be read.
    """

    def __init__(self, pictures: Iterable[Picture], known: CarrierParameters | None = None) -> None:
        self._source = PageSource(pictures, known)
        self._first = self._source.first
        self.findings = Findings(self._first.parameters, unreadable=self._source.unreadable)

    def blocks(self) -> Iterator[Block]:
        """Yield the sound in blocks ``(n, channels)``, as many samples as were drawn."""
        parameters, done = self.findings.parameters, 0
        for block in self._all_blocks():
            part = block[: parameters.samples - done]
            done += len(part)
            yield part
        self.check_missing(parameters.samples - done, done)
        while done < parameters.samples:
            silent = min(parameters.samples - done, SILENT_BLOCK)
            done += silent
            yield np.zeros((silent, parameters.channels), np.float32)

    def check_missing(self, missing: int, found: int) -> None:
        """Refuse to write endless silence because a picture claims to be one of very many.

        Parameters
        ----------
        missing, found : int
            Samples.

        Raises
        ------
        ValueError
            Far more is missing than was found.
        """
        rate = self.findings.parameters.sample_rate
        if missing > MOST_MISSING * found + MOST_MISSING_SECONDS * rate:
            raise ValueError(
                f"{missing / rate:.0f} s are missing beside {found / rate:.0f} s that were found"
            )

    def _all_blocks(self) -> Iterator[Block]:
        parameters = self.findings.parameters
        if parameters.kind is Kind.SAMPLES:
            yield from self._sample_blocks()
            return
        stft = Stft(parameters.n_fft, parameters.hop)
        inverses = [InverseStft(stft) for _ in range(parameters.channels)]
        for spectra in self.spectra():
            sides = ((0, 0), (0, 0), (0, stft.bins - spectra.shape[2]))
            padded = np.pad(spectra, sides).astype(np.complex64)
            yield _stack(inverse.process(s) for inverse, s in zip(inverses, padded, strict=True))
        yield _stack(inverse.flush(fade_out=False) for inverse in inverses)

    def spectra(self, *, find_phases: bool = True) -> Iterator[Spectra]:
        """Yield spectra ``(channels, n, rows)`` in order of time, silent where pages lack.

        Parameters
        ----------
        find_phases : bool
            Find the phases of magnitudes that stand alone; else they are 0.
        """
        parameters = self.findings.parameters
        if parameters.kind is Kind.SCROLL:
            yield from self._scrolled()
            return
        scale = LevelScale(parameters.reference_db, parameters.range_db)
        phases = _reconstructors(parameters)
        for _, cells in self._in_order(self._cells()):
            if cells is None:
                shape = parameters.channels, parameters.columns, parameters.rows
                yield np.zeros(shape, np.complex64)
            elif parameters.kind is Kind.SPECTRUM and not _is_grey(cells):
                yield _by_channel(from_points(cells, scale), parameters)
            else:
                low, high = 0.0, 255.0
                if parameters.kind is Kind.SPECTRUM:
                    self.findings.colourless += 1
                    low, high = DARKEST, BRIGHTEST
                shares = _by_channel((cells[..., 0] - low) / (high - low), parameters)
                magnitude = scale.magnitudes(shares).astype(np.float32)
                if not find_phases:
                    yield magnitude.astype(np.complex64)
                    continue
                yield np.stack(
                    [
                        phase.reconstruct(_padded(m, parameters))
                        for phase, m in zip(phases, magnitude, strict=True)
                    ]
                )

    def _scrolled(self) -> Iterator[Spectra]:
        parameters = self.findings.parameters
        scale = LevelScale(parameters.reference_db, parameters.range_db)
        collector, end, last = ColumnCollector(parameters), 0, None

        def batch(runs: Iterator[Run]) -> Iterator[Spectra]:
            nonlocal end
            for run in runs:
                tiles = run.cells.reshape(len(run.cells), TILES[Kind.SCROLL], -1)
                luma = tiles[:, :, run.begin : run.end].reshape(len(tiles), -1)
                yield from _silent_columns(run.first - end, parameters)
                spectra = _by_channel(from_tiles(luma, scale), parameters)
                end = run.first + spectra.shape[1]
                yield spectra

        for page, cells in self._cells():
            if page == last:
                self.findings.repeated += 1
                continue
            hops = max(first_column(parameters, page) - end, 0)
            self.check_missing(hops * parameters.hop, end * parameters.hop)
            last = page
            yield from batch(collector.add(page, cells[..., 0]))
        yield from batch(collector.flush())
        self.findings.missing = collector.missing

    def _sample_blocks(self) -> Iterator[Block]:
        parameters = self.findings.parameters
        size = parameters.rows * parameters.columns
        for _, cells in self._in_order(self._cells()):
            if cells is None:
                yield np.zeros((size, parameters.channels), np.float32)
                continue
            stored = np.rint(cells[..., 0] * 257).reshape(parameters.channels, -1)
            yield ((stored.T - FULL_SCALE) / FULL_SCALE).astype(np.float32)

    def _in_order(self, pages: Iterator[tuple[int, Planes]]) -> Iterator[tuple[int, Planes | None]]:
        """Yield each page once, and None for those that lack; what comes again is left out."""
        expected = 0
        for page, cells in pages:
            if page < expected:
                self.findings.repeated += 1
                continue
            step = self._samples_per_page()
            self.check_missing((page - expected) * step, self.findings.pages * step)
            for absent in range(expected, page):
                self.findings.missing += 1
                yield absent, None
            yield page, cells
            expected = page + 1
        self.findings.missing += max(page_count(self.findings.parameters) - expected, 0)

    def _samples_per_page(self) -> int:
        parameters = self.findings.parameters
        return parameters.columns * (parameters.hop or parameters.rows)

    def _cells(self) -> Iterator[tuple[int, Planes]]:
        """Yield the number of each picture, and luma and chroma of its cells."""
        for found in self._source.pages():
            self.findings.pages += 1
            yield found.parameters.page, self._read_cells(found)

    def _read_cells(self, found: FoundPage) -> Planes:
        page, parameters, bits = found.rgb, found.parameters, found.bits
        layout = PageLayout.of(parameters)
        if parameters.kind is Kind.SAMPLES:
            if bits < 16:
                raise ValueError(f"samples in {bits} bits, expected 16: a tool has rounded them")
            return np.asarray(page[layout.cells])
        calibration = Calibration(page, layout)
        self.findings.levels_changed |= calibration.changed
        self.findings.hues_error = max(self.findings.hues_error, calibration.error)
        blur = find_blur(_bands(page, calibration, layout), layout, parameters)
        if blur is not None:
            self.findings.blur = max(self.findings.blur, blur.width)
            planes = blur.undo(calibration.apply(np.asarray(page)))
            return _means(planes[layout.cells], parameters)
        rows, columns = layout.cells
        bounds = [*range(rows.start, rows.stop, STRIPE), rows.stop]
        stripes = (page[top:bottom, columns] for top, bottom in itertools.pairwise(bounds))
        return np.concatenate([_planes(cells, calibration, parameters) for cells in stripes])


def _planes(cells: Planes, calibration: Calibration, parameters: CarrierParameters) -> Planes:
    """Return luma and chroma, or luma alone if there is no more, of the RGB of cells."""
    if not calibration.is_linear:
        return _means(calibration.apply(cells), parameters)
    if parameters.kind is not Kind.SPECTRUM:
        return _means(luma_of(cells)[..., None], parameters)
    return calibration.apply(_means(cells, parameters))


def _bands(page: Planes | YuvImage, calibration: Calibration, layout: PageLayout) -> Planes:
    """Return luma and chroma of the bands of a page, and nothing of its cells."""
    planes = np.zeros((*page.shape[:2], 3), np.float32)
    for lower in (False, True):
        top, _ = layout.band(lower)
        planes[top : top + BAND] = calibration.apply(page[top : top + BAND, :])
    return planes


def _is_grey(cells: Planes) -> bool:
    """Return whether a page has lost its chroma, though not all of it is silent."""
    sounds = cells[..., 0] > DARKEST + 3
    return bool(sounds.any() and np.abs(cells[sounds][:, 1:]).mean() < LEAST_CHROMA)


def _means(cells: Planes, parameters: CarrierParameters) -> Planes:
    """Return the mean of the pixels of each cell."""
    side, columns = parameters.cell, parameters.columns * TILES[parameters.kind]
    if side == 1:
        return cells
    size = columns, cells.shape[0] // side
    means = np.asarray(cv2.resize(cells, size, interpolation=cv2.INTER_AREA), cells.dtype)
    return means.reshape(*size[::-1], -1)


def _silent_columns(count: int, parameters: CarrierParameters) -> Iterator[Spectra]:
    """Yield silent spectra, no more at once than a picture has."""
    for first in range(0, count, parameters.columns):
        columns = min(parameters.columns, count - first)
        yield np.zeros((parameters.channels, columns, parameters.rows), np.complex64)


def _by_channel(cells: NDArray[Any], parameters: CarrierParameters) -> NDArray[Any]:
    """Return cells ``(channels * rows, columns)``, top row first, as (channels, columns, rows)."""
    upright = cells.reshape(parameters.channels, parameters.rows, -1)
    return upright[:, ::-1].transpose(0, 2, 1)


def _padded(magnitude: NDArray[np.float32], parameters: CarrierParameters) -> NDArray[np.float32]:
    missing = parameters.n_fft // 2 + 1 - magnitude.shape[1]
    return np.pad(magnitude, ((0, 0), (0, missing)))


def _reconstructors(parameters: CarrierParameters) -> list[MagnitudePhases]:
    stft = Stft(parameters.n_fft, parameters.hop)
    return [MagnitudePhases(stft) for _ in range(parameters.channels)]


def _stack(channels: Iterator[NDArray[np.float32]]) -> Block:
    return np.stack(list(channels), axis=-1)
