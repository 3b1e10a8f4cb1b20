"""Choose the parameters of a carrier for a sound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from frame2sound.carriers.layout import BAND, MIN_INNER, STEP, TILES, PageLayout, margin_of
from frame2sound.carriers.page_writer import column_count, loudest_db
from frame2sound.carriers.parameters import (
    MAX_FPS_DENOMINATOR,
    MAX_SAMPLE_RATE,
    MAX_SIDE,
    CarrierParameters,
    Kind,
)
from frame2sound.carriers.sound_input import SoundInput
from frame2sound.errors import CarrierError
from frame2sound.film.limits import DEFAULT_LIMITS
from frame2sound.sound.stft import Stft

RANGE_DB = 80
"""Levels below the loudest that are drawn."""

ROWS, SCROLL_ROWS = 384, 512
"""Bins of a spectrum."""

SCROLL_COLUMNS = 136
"""Columns in a frame of a scrolling film: the code is as wide as three tiles of so many."""

OVERLAP, SCROLL_OVERLAP = 4, 7
"""Windows that share a sample."""

MIN_SIZE, MAX_SIZE = MIN_INNER + 2 * margin_of(MIN_INNER), 8192
"""Of pages: as wide as the marks, and so small that they can be read again."""

MAX_LEVEL_DB = 200
"""The loudest, in dB of full scale."""


@dataclass(frozen=True)
class PageChoice:
    """What the user may choose.

    Attributes
    ----------
    kind : Kind
    cell : int
        Side of a cell in pixels: 1, 2 or 4.
    size : int, optional
        Greatest height and width of a page in pixels, from `MIN_SIZE` to `MAX_SIZE`; by default
        what the bins need. A single picture and a frame of a scrolling film have as many bins.
    fps : Fraction
        Frame rate of a scrolling film.
    whole : bool
        One picture for all of the sound, as wide as it needs.
    """

    kind: Kind
    cell: int = 1
    size: int | None = None
    fps: Fraction = Fraction(25)
    whole: bool = False


def plan_pages(sound: SoundInput, choice: PageChoice) -> CarrierParameters:
    """Return the parameters of the pictures of a sound; its level is measured.

    Raises
    ------
    CarrierError
        The sound is too long for one picture, or beyond what a carrier can hold.
    """
    if sound.sample_rate > MAX_SAMPLE_RATE:
        raise CarrierError(
            f"{sound.path} has {sound.sample_rate} samples a second, expected {MAX_SAMPLE_RATE} "
            "at most; resample it"
        )
    if choice.kind is Kind.SAMPLES:
        return _plan_samples(sound, choice)
    rows = _rows(sound, choice)
    n_fft = 2 * rows
    scrolls = choice.kind is Kind.SCROLL
    hop = round(n_fft / SCROLL_OVERLAP) if scrolls else n_fft // OVERLAP
    fps = choice.fps.limit_denominator(MAX_FPS_DENOMINATOR)
    if scrolls and fps * SCROLL_COLUMNS * hop < sound.sample_rate:
        least = sound.sample_rate / (SCROLL_COLUMNS * hop)
        raise CarrierError(
            f"got {float(choice.fps):g} frames a second, expected at least {least:.3g}: "
            "a frame shows no more of the sound"
        )
    stft = Stft(n_fft, hop)
    columns = SCROLL_COLUMNS if scrolls else _columns(rows * sound.channels, choice)
    if choice.whole and not scrolls:
        columns = column_count(sound.samples, stft)
    level = loudest_db(sound.blocks(), sound.channels, stft, sound.samples)
    if level > MAX_LEVEL_DB:
        raise CarrierError(
            f"{sound.path} reaches {level:.0f} dB of full scale, expected {MAX_LEVEL_DB} at most; "
            "make it quieter"
        )
    return check_size(
        CarrierParameters(
            choice.kind, sound.sample_rate, sound.channels, sound.samples, min(columns, MAX_SIDE),
            rows, choice.cell, n_fft, hop, level, RANGE_DB, int(scrolls),
            fps if scrolls else Fraction(0),
        ),
        columns,
    )  # fmt: skip


def _plan_samples(sound: SoundInput, choice: PageChoice) -> CarrierParameters:
    rows = _free(choice.size or 512, high=True) // sound.channels
    columns = _columns(rows * sound.channels, replace(choice, cell=1))
    if choice.whole:
        rows = max(rows, -(-sound.samples // columns))
    parameters = CarrierParameters(
        Kind.SAMPLES, sound.sample_rate, sound.channels, sound.samples, columns,
        min(rows, MAX_SIDE),
    )  # fmt: skip
    return check_size(parameters, rows)


def check_size(parameters: CarrierParameters, wanted: int) -> CarrierParameters:
    """Return parameters whose pages, of ``wanted`` cells a side, are not too large.

    Raises
    ------
    CarrierError
        The sound is too long for one picture.
    """
    height, width = PageLayout.of(parameters).size
    is_readable = height * width <= DEFAULT_LIMITS.max_pixels
    if max(height, width, wanted) > MAX_SIDE or not is_readable:
        seconds = parameters.samples / parameters.sample_rate
        raise CarrierError(
            f"{seconds:.0f} s are too long for one picture, expected {MAX_SIDE} pixels a side and "
            f"{DEFAULT_LIMITS.max_megapixels:g} megapixels at most; give the name of a folder or "
            "of a film (.mkv)"
        )
    return parameters


def _rows(sound: SoundInput, choice: PageChoice) -> int:
    """Return how many bins a picture has."""
    if choice.size is not None:
        return _free(choice.size, high=True) // (choice.cell * sound.channels) // 2 * 2
    return SCROLL_ROWS if choice.kind is Kind.SCROLL else ROWS


def _columns(rows: int, choice: PageChoice) -> int:
    """Return how many columns make a picture square."""
    size = choice.size
    if size is None:
        inner = rows * choice.cell + 2 * BAND
        return inner // choice.cell // TILES[choice.kind]
    return _free(size, high=False) // choice.cell // TILES[choice.kind]


def _free(size: int, *, high: bool) -> int:
    """Return the pixels of a side that are left for cells on a page no larger than a size."""
    inner = size // STEP * STEP
    while inner + 2 * margin_of(inner) > size:
        inner -= STEP
    return inner - (2 * BAND if high else 0)
