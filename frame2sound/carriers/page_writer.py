"""Draw the pictures of a sound, page by page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.colours import Planes
from frame2sound.carriers.layout import PageLayout
from frame2sound.carriers.parameters import CarrierParameters, Kind
from frame2sound.carriers.scrolling import first_column, frame_count
from frame2sound.carriers.sound_input import Block
from frame2sound.carriers.spectrum_points import LevelScale, Spectra, to_points
from frame2sound.carriers.strip import PAPER, draw_code, draw_strip
from frame2sound.carriers.tiles import to_tiles
from frame2sound.sound.stft import Stft

SpectraSource = Callable[[int, int], Spectra]
"""Returns the spectra of some columns, ``(channels, n, rows)``."""

FULL_SCALE = 1 << 15
"""A sample of 1 in 16 bits."""


class SoundReader:
    """Gives any part of a sound whose parts begin one after the other, from a stream of blocks."""

    def __init__(self, blocks: Iterator[Block], channels: int) -> None:
        self._blocks = blocks
        self._first, self._held = 0, np.zeros((0, channels), np.float32)

    def read(self, begin: int, end: int) -> Block:
        """Return samples ``(end - begin, channels)``; silent before 0 and after the end."""
        while self._first + len(self._held) < end:
            block = next(self._blocks, None)
            if block is None:
                break
            self._held = np.concatenate([self._held, block])
        spare = min(max(begin - self._first, 0), len(self._held))
        self._first, self._held = self._first + spare, self._held[spare:]
        part = np.zeros((end - begin, self._held.shape[1]), np.float32)
        first = max(self._first - begin, 0)
        found = self._held[: max(end - begin - first, 0)]
        part[first : first + len(found)] = found
        return part


def loudest_db(blocks: Iterator[Block], channels: int, stft: Stft, samples: int) -> float:
    """Return the highest magnitude of a sound's spectra in dB, rounded up to 0.01."""
    sound, highest = SoundReader(blocks, channels), 0.0
    total = column_count(samples, stft)
    for first in range(0, total, 512):
        spectra = analyse(sound, stft, first, min(first + 512, total))
        highest = max(highest, float(np.abs(spectra).max(initial=0)))
    if math.isinf(highest):
        return highest
    return math.ceil(2000 * math.log10(max(highest, 1e-6))) / 100


def column_count(samples: int, stft: Stft) -> int:
    """Return how many windows cover a sound."""
    return -(-(samples + stft.window_size // 2) // stft.hop)


def analyse(
    sound: SoundReader, stft: Stft, first: int, end: int
) -> NDArray[np.complexfloating[Any, Any]]:
    """Return the spectra of some windows, ``(channels, end - first, bins)``."""
    half = stft.n_fft // 2
    begin = first * stft.hop - half
    part = sound.read(begin, (end - 1) * stft.hop + half)
    centres = np.arange(end - first) * stft.hop + half
    return np.stack([stft.analyse(channel, centres) for channel in part.T])


def page_count(parameters: CarrierParameters) -> int:
    """Return how many pictures a sound takes."""
    if parameters.kind is Kind.SCROLL:
        return frame_count(parameters)
    if parameters.kind is Kind.SAMPLES:
        return -(-parameters.samples // (parameters.rows * parameters.columns))
    return -(-total_columns(parameters) // parameters.columns)


def total_columns(parameters: CarrierParameters) -> int:
    """Return how many columns of spectra a sound has, in all pictures together."""
    return column_count(parameters.samples, Stft(parameters.n_fft, parameters.hop))


def draw_pages(blocks: Iterator[Block], parameters: CarrierParameters) -> Iterator[Planes]:
    """Yield the pictures of a sound.

    Parameters
    ----------
    blocks : iterator of float32 arrays (n, channels)
    parameters : CarrierParameters

    Yields
    ------
    float32 array (height, width, 3)
        Luma and chroma; for samples, luma in steps of 1/257 of 0 to 255, which are 16 bits.
    """
    sound = SoundReader(blocks, parameters.channels)
    if parameters.kind is Kind.SAMPLES:
        yield from _on_pages(_sample_cells(sound, parameters), parameters)
        return
    stft = Stft(parameters.n_fft, parameters.hop)
    yield from draw_spectra(lambda first, end: analyse(sound, stft, first, end), parameters)


def draw_spectra(columns: SpectraSource, parameters: CarrierParameters) -> Iterator[Planes]:
    """Yield the pictures of spectra, as `draw_pages` yields those of a sound.

    Parameters
    ----------
    columns : callable
        Takes the numbers of the first column and of the one after the last, and returns their
        spectra ``(channels, n, rows or more)``. It is asked for each column once, in order.
    parameters : CarrierParameters
    """
    cells = _scroll_cells if parameters.kind is Kind.SCROLL else _spectrum_cells
    yield from _on_pages(cells(columns, parameters), parameters)


def _on_pages(cells: Iterator[Planes], parameters: CarrierParameters) -> Iterator[Planes]:
    """Yield pages around cells: luma ``(rows, columns)``, or luma and chroma ``(..., 3)``."""
    layout, side = PageLayout.of(parameters), parameters.cell
    blank = np.zeros((*layout.size, 3), np.float32)
    blank[..., 0] = PAPER
    draw_strip(blank, layout, parameters)
    for page, drawn in enumerate(cells):
        picture, planes = blank.copy(), drawn.reshape(*drawn.shape[:2], -1)
        height, width, count = planes.shape
        squares = picture[layout.cells].reshape(height, side, width, side, 3)
        squares[..., :count] = planes[:, None, :, None]
        draw_code(picture, layout, parameters.on_page(page))
        yield picture


def _sample_cells(sound: SoundReader, parameters: CarrierParameters) -> Iterator[Planes]:
    size = parameters.rows * parameters.columns
    for page in range(page_count(parameters)):
        part = sound.read(page * size, (page + 1) * size)
        stored = np.clip(np.rint(part * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1) + FULL_SCALE
        yield stored.T.reshape(-1, parameters.columns) / 257


def _spectrum_cells(columns: SpectraSource, parameters: CarrierParameters) -> Iterator[Planes]:
    scale = LevelScale(parameters.reference_db, parameters.range_db)
    total = total_columns(parameters)
    for first in range(0, page_count(parameters) * parameters.columns, parameters.columns):
        end = min(first + parameters.columns, total)
        spectra = columns(first, end)[..., : parameters.rows]
        missing = parameters.columns - spectra.shape[1]
        padded = np.pad(spectra, ((0, 0), (0, missing), (0, 0)))
        upright = padded.transpose(0, 2, 1)[:, ::-1].reshape(-1, parameters.columns)
        if parameters.kind is Kind.MAGNITUDE:
            yield 255 * scale.shares(np.abs(upright))
        else:
            yield to_points(upright, scale)


def _scroll_cells(columns: SpectraSource, parameters: CarrierParameters) -> Iterator[Planes]:
    scale = LevelScale(parameters.reference_db, parameters.range_db)
    total, width = total_columns(parameters), parameters.columns
    shape = parameters.channels * parameters.rows, width
    silent = _planes(np.zeros((shape[0], 1), np.complex64), scale)
    shown, at = np.repeat(silent, width, axis=2), first_column(parameters, 0)
    seen = 0  # columns that have been analysed
    for frame in range(page_count(parameters)):
        begin = first_column(parameters, frame)
        shown = np.roll(shown, at - begin, axis=2)
        shown[..., max(seen - begin, 0) :] = silent
        end = min(begin + width, total)
        if end > seen:
            spectra = columns(seen, end)[..., : parameters.rows]
            upright = spectra.transpose(0, 2, 1)[:, ::-1].reshape(shape[0], -1)
            fresh = _planes(upright[:, max(begin - seen, 0) :], scale)
            shown[..., max(seen - begin, 0) : end - begin] = fresh
        seen, at = max(seen, begin + width), begin
        yield shown.reshape(shape[0], -1)


def _planes(spectra: Spectra, scale: LevelScale) -> NDArray[np.floating[Any]]:
    """Return the luma of the three tiles of spectra ``(rows, n)``, ``(rows, 3, n)``."""
    tiles: NDArray[np.floating[Any]] = to_tiles(spectra, scale)[..., 0]
    return tiles.reshape(len(spectra), 3, -1)
