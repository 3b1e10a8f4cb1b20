"""Pictures as brightness to be sounded: their paper, ink and rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from frame2sound.errors import FilmError, SonificationError
from frame2sound.film.limits import larger_limit
from frame2sound.sonification.picture_process import OPAQUE, GreyPicture, decode_grey

Ink = Literal["auto", "bright", "dark"]
Paper = Literal["auto", "black", "white"]

INKS: tuple[Ink, ...] = ("auto", "bright", "dark")
PAPERS: tuple[Paper, ...] = ("auto", "black", "white")

DEFAULT_ROWS = 256
"""Rows of a picture that has more, unless another number is asked for."""

MAX_COLUMNS = 4096
"""Wider pictures are averaged down."""

WHITE = 255.0

Brightness = NDArray[np.float32]


@dataclass(frozen=True)
class Appearance:
    """What of pictures sounds, as decided by the first.

    Attributes
    ----------
    ink : {"bright", "dark"}
        What sounds.
    paper : float
        Grey level behind what is transparent, 0 or 255.
    notes : tuple of str
        What was decided.
    """

    ink: Ink
    paper: float
    notes: tuple[str, ...]

    @classmethod
    def of(cls, first: GreyPicture, ink: Ink, paper: Paper) -> Appearance:
        """Decide what was left open: transparent paper contrasts, and a bright border is paper."""
        notes, level = [], 0.0 if paper == "black" else WHITE
        if first.alpha.min() < OPAQUE:
            if paper == "auto":
                level = WHITE if _mean_of_opaque(first) < WHITE / 2 else 0.0
            notes.append(f"what is transparent is {'white' if level else 'black'}")
        if ink == "auto":
            ink = "dark" if _border(over_paper(first, level)).mean() > WHITE / 2 else "bright"
            if ink == "dark":
                notes.append("the border is bright, so dark ink sounds")
        return cls(ink, level, tuple(notes))

    def brightness(self, picture: GreyPicture) -> Brightness:
        """Return what of a picture sounds, 0 to 1."""
        grey = over_paper(picture, self.paper) / np.float32(WHITE)
        return 1 - grey if self.ink == "dark" else grey


def over_paper(picture: GreyPicture, paper: float) -> Brightness:
    """Return grey levels over a paper, 0 to 255; stored values are mixed, not linear light."""
    clear = (OPAQUE - picture.alpha.astype(np.float32)) / OPAQUE
    return np.minimum(picture.grey + np.float32(paper) * clear, WHITE)


class PictureSource:
    """The pictures of a file, all with one number of rows.

    Parameters
    ----------
    path : Path
        A picture, an animated picture, or a film.
    rows : int, optional
        By default as many as the picture has, at most 256.
    ink, paper : str
        See `INKS` and `PAPERS`.

    Attributes
    ----------
    rows : int
    appearance : Appearance
    is_animated : bool
        Whether there is more than one picture.

    Raises
    ------
    SonificationError
        It cannot be read.
    """

    def __init__(
        self, path: Path, rows: int | None = None, ink: Ink = "auto", paper: Paper = "auto"
    ) -> None:
        self.path = path
        self._pictures = _read(path, rows or DEFAULT_ROWS)
        self._first = list(_take(self._pictures, 2))
        if not self._first:
            raise SonificationError(f"{path} has no pictures; expected at least one")
        self.rows = rows or len(self._first[0].grey)
        self.appearance = Appearance.of(self._first[0], ink, paper)
        self.is_animated = len(self._first) > 1

    def __iter__(self) -> Iterator[tuple[Brightness, Fraction]]:
        """Yield what of each picture sounds, and for how many seconds it is shown; once."""
        for picture in chain(self._first, self._pictures):
            shown = picture.end_seconds - picture.start_seconds
            yield with_rows(self.appearance.brightness(picture), self.rows), shown


def with_rows(brightness: Brightness, rows: int) -> Brightness:
    """Return a picture with another number of rows: means of areas, or interpolated."""
    height, width = brightness.shape
    if height == rows:
        return brightness
    how = cv2.INTER_AREA if rows < height else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(brightness, (width, rows), interpolation=how), np.float32)


def with_columns(brightness: Brightness, columns: int) -> Brightness:
    """Return a picture with at most so many columns: means of areas."""
    rows, width = brightness.shape
    if width <= columns:
        return brightness
    narrow = cv2.resize(brightness, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(narrow, np.float32)


def _read(path: Path, max_rows: int) -> Iterator[GreyPicture]:
    if path.is_dir():
        raise SonificationError(f"{path} is a folder; expected a picture or a film")
    if not path.exists():
        raise SonificationError(f"{path} does not exist; expected a picture or a film")
    try:
        yield from decode_grey(path, max_rows, MAX_COLUMNS)
    except FilmError as error:
        what = str(error).replace("not readable as a film", "not readable as a picture or film")
        what = what.replace(larger_limit("max_megapixels"), "make it smaller")
        raise SonificationError(what) from error


def _take(pictures: Iterable[GreyPicture], count: int) -> Iterator[GreyPicture]:
    for _, picture in zip(range(count), pictures, strict=False):
        yield picture


def _mean_of_opaque(picture: GreyPicture) -> float:
    opaque = float(picture.alpha.sum(dtype=np.int64)) / OPAQUE
    return float(picture.grey.sum(dtype=np.int64)) / max(opaque, 1e-9)


def _border(grey: Brightness) -> Brightness:
    return np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
