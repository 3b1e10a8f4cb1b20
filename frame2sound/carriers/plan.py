"""Choose the parameters of a carrier for a sound."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from frame2sound.carriers.layout import BAND, MARGIN_SHARE, STEP, TILES, PageLayout
from frame2sound.carriers.page_writer import column_count, loudest_db
from frame2sound.carriers.parameters import MAX_SIDE, CarrierParameters, Kind
from frame2sound.carriers.sound_input import SoundInput
from frame2sound.errors import CarrierError
from frame2sound.sound.stft import Stft

RANGE_DB = 80
"""Levels below the loudest that are drawn."""

ROWS, SCROLL_ROWS = 384, 512
"""Bins of a spectrum."""

SCROLL_COLUMNS = 136
"""Columns in a frame of a scrolling film: the code is as wide as three tiles of so many."""

OVERLAP, SCROLL_OVERLAP = 4, 7
"""Windows that share a sample."""

LEAST_ROWS = 32


@dataclass(frozen=True)
class PageChoice:
    """What the user may choose.

    Attributes
    ----------
    kind : Kind
    cell : int
        Side of a cell in pixels: 1, 2 or 4.
    size : int, optional
        Height and width of a picture in pixels; by default what the bins need.
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
        The size is too small, or the sound too long for one picture.
    """
    if choice.kind is Kind.SAMPLES:
        return _plan_samples(sound, choice)
    rows = _rows(sound, choice)
    n_fft = 2 * rows
    scrolls = choice.kind is Kind.SCROLL
    hop = round(n_fft / SCROLL_OVERLAP) if scrolls else n_fft // OVERLAP
    if scrolls and choice.fps * SCROLL_COLUMNS * hop < sound.sample_rate:
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
    return check_size(
        CarrierParameters(
            choice.kind, sound.sample_rate, sound.channels, sound.samples, min(columns, MAX_SIDE),
            rows, choice.cell, n_fft, hop, level, RANGE_DB, int(scrolls),
            choice.fps if scrolls else Fraction(0),
        ),
        columns,
    )  # fmt: skip


def _plan_samples(sound: SoundInput, choice: PageChoice) -> CarrierParameters:
    rows = _free(choice.size or 512, high=True) // sound.channels
    columns = _columns(rows * sound.channels, choice)
    if choice.whole:
        rows = max(rows, -(-sound.samples // columns))
    if rows < LEAST_ROWS:
        raise CarrierError(f"got a size of {choice.size}, expected at least 256")
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
    if max(PageLayout.of(parameters).size) > MAX_SIDE or wanted > MAX_SIDE:
        seconds = parameters.samples / parameters.sample_rate
        raise CarrierError(
            f"{seconds:.0f} s are too long for one picture of at most {MAX_SIDE} pixels; "
            "give the name of a folder or of a film (.mkv)"
        )
    return parameters


def _rows(sound: SoundInput, choice: PageChoice) -> int:
    """Return how many bins a picture has."""
    if choice.size is not None:
        rows = _free(choice.size, high=True) // (choice.cell * sound.channels) // 2 * 2
        if rows < LEAST_ROWS:
            raise CarrierError(
                f"got a size of {choice.size} for cells of {choice.cell} and {sound.channels} "
                f"channels, expected at least {256 * choice.cell * sound.channels}"
            )
        return rows
    return SCROLL_ROWS if choice.kind is Kind.SCROLL else ROWS


def _columns(rows: int, choice: PageChoice) -> int:
    """Return how many columns make a picture square."""
    size = choice.size
    if size is None:
        inner = rows * choice.cell + 2 * BAND
        return inner // choice.cell // TILES[choice.kind]
    return _free(size, high=False) // choice.cell // TILES[choice.kind]


def _free(size: int, *, high: bool) -> int:
    """Return the pixels of a side that are left for cells."""
    margin = -(-int(size * MARGIN_SHARE) // STEP) * STEP
    return max((size - 2 * margin) // STEP * STEP - (2 * BAND if high else 0), 0)
