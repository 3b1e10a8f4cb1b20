"""What networks hear in drawings: read a few at a time, and repeated while a film shows them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.decoding.image_sequence import IMAGE_SUFFIXES
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.synaesthesia.drawings import read_drawings
from frame2sound.synaesthesia.pair import Pair
from frame2sound.synaesthesia.pictures import raster_of_kind
from frame2sound.synaesthesia.sound_windows import FLOOR_DB

BATCH = 64
"""Rasters that are in memory at a time."""

LEAST_INK = 0.02
"""Drawings with less ink on every pixel are empty pages."""

MIN_FPS, MAX_FPS = 10, 100
"""Least and most drawings that a second of a film is made of; slower ones are repeated."""

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class HeardDrawings:
    """What networks hear in drawings, of a second each or at equal distances in time.

    Attributes
    ----------
    components : float32 array (n, components)
        Whitened; see `frame2sound.synaesthesia.sound_windows.SoundComponents`.
    is_empty : bool array (n,)
        Pages without ink, which are silent.
    fps : Fraction or None
        How many are shown in a second; None for drawings of a second each.
    """

    components: FloatArray
    is_empty: NDArray[np.bool_]
    fps: Fraction | None = None

    def __len__(self) -> int:
        return len(self.components)


class HeardSpectra:
    """The log mel spectra of heard drawings, of those that are asked for.

    Parameters
    ----------
    pair : Pair
    heard : HeardDrawings
    """

    def __init__(self, pair: Pair, heard: HeardDrawings) -> None:
        self._pair, self._heard = pair, heard

    def __len__(self) -> int:
        return len(self._heard)

    def __getitem__(self, chosen: NDArray[np.int64] | slice) -> FloatArray:
        """Return some of them, ``(n, 42, 48)`` in dBFS."""
        spectra = self._pair.spectra(self._heard.components[chosen])
        spectra[self._heard.is_empty[chosen]] = FLOOR_DB
        return spectra


def hear_drawings(
    pair: Pair, path: Path, on_progress: ProgressCallback = ignore_progress
) -> tuple[HeardDrawings, int]:
    """Return what a pair hears in a drawing, a folder of them or a drawn film, and how many it has.

    Frames of films are repeated as long as they are shown.

    Raises
    ------
    SynaesthesiaError
        A file cannot be read, or is no drawing.
    """
    ends = []

    def rasters() -> Iterator[FloatArray]:
        for drawing in read_drawings([path], on_progress, Fraction(0)):
            ends.append(drawing.end_seconds)
            yield raster_of_kind(pair.recipe.kind, drawing, pair.recipe.colours)

    heard = hear_rasters(pair, rasters())
    rate = drawn_film_rate(path)
    if rate is None:
        return heard, len(heard)
    shown, fps = frames_shown(ends, rate)
    at_times = replace(heard, components=heard.components[shown], is_empty=heard.is_empty[shown])
    return replace(at_times, fps=fps), len(heard)


def hear_rasters(pair: Pair, rasters: Iterable[FloatArray]) -> HeardDrawings:
    """Return what a pair hears in rasters, ``(colours, side, side)``, that sound one by one."""
    components, is_empty = [], []
    for batch in _batches(rasters):
        components.append(pair.read(batch))
        is_empty.append(batch.max(axis=(1, 2, 3)) < LEAST_INK)
    return HeardDrawings(np.concatenate(components), np.concatenate(is_empty))


def _batches(rasters: Iterable[FloatArray]) -> Iterator[FloatArray]:
    coming = iter(rasters)
    while batch := list(islice(coming, BATCH)):
        yield np.stack(batch)


def drawn_film_rate(path: Path) -> Fraction | None:
    """Return the frames per second of a drawn film; None for drawings that sound one by one.

    Raises
    ------
    FilmError
        The film cannot be read.
    """
    from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader

    if path.is_dir() or path.suffix.lower() in (".svg", *IMAGE_SUFFIXES):
        return None
    return SubprocessFilmReader(path).streams.fps


def frames_shown(ends: Sequence[Fraction], rate: Fraction) -> tuple[NDArray[np.int64], Fraction]:
    """Return the frame that is shown in each of equal parts of a film, and the parts a second.

    Parameters
    ----------
    ends : sequence of Fraction
        When each frame is followed by the next, in seconds; the first begins at 0.
    rate : Fraction
        Frames per second by the film's header. A film of constant rate has a part for each frame,
        or several if they are fewer than ten a second.

    Examples
    --------
    >>> shown, fps = frames_shown([Fraction(1, 10), Fraction(4, 10)], Fraction(10))
    >>> shown.tolist(), fps
    ([0, 1, 1, 1], Fraction(10, 1))
    """
    rate *= Fraction(math.ceil(MIN_FPS / rate), math.ceil(rate / MAX_FPS))
    count = max(1, round(ends[-1] * rate))
    middles = (np.arange(count) + 0.5) * float(ends[-1] / count)
    shown = np.searchsorted(np.array(ends, np.float64), middles, side="right")
    return np.minimum(shown, len(ends) - 1), count / ends[-1]
