"""Read the corpus of a brain from a library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.config import Loudness
from frame2sound.brain.corpus import (
    MAX_CORPUS_BYTES,
    Corpus,
    CorpusMode,
    CorpusPointer,
    FilmPictures,
    stored_bytes,
)
from frame2sound.brain.event_curves import APPEARANCE_SIDE
from frame2sound.clock import Clock
from frame2sound.errors import BrainError
from frame2sound.film.small_frames import luma
from frame2sound.library.calibration import is_calibration
from frame2sound.library.corpus_sound import full_format, plain_format, read_piece
from frame2sound.library.film_loudness import film_gains_db
from frame2sound.library.folders import LIBRARY_FILE
from frame2sound.library.store import Library, PickledFilm

Range = tuple[PickledFilm, int, int]
"""A film, and the first and last sample of a part of what brains learn from, exclusive."""

MAX_CORPUS_SECONDS = 600.0
"""A corpus holds at most this much of a library; of more, it takes segments."""

SEGMENT_SECONDS = 10.0
"""Length of the segments that are taken from long libraries."""

PICTURE_SECONDS = 0.5
"""Time between the thumbnails of a film."""

SHRINK = 0.97
"""Share of the estimated length that a corpus gets if it is too large for a brain's file."""

SILENCE_PEAK = 1e-5
"""A segment whose peak is below -100 dBFS is silent."""


def read_corpus(
    library: Library,
    clock: Clock,
    max_seconds: float = MAX_CORPUS_SECONDS,
    loudness: Loudness = "film",
    *,
    full: bool = True,
) -> Corpus:
    """Return the sound of a library's films, without the calibration film.

    If the films are longer than ``max_seconds`` together, the corpus has segments of 10 s, evenly
    spaced over all films. ``loudness`` is that of the recipe whose brain plays the corpus.

    Parameters
    ----------
    full : bool
        Read the sound as it is heard, where the library holds it: at the highest rate and with
        the most channels of its films. Else, or of older libraries, it is what brains learn from.

    Raises
    ------
    BrainError
        The library has another sample rate than the brain, or no sound.
    """
    films = library.films()
    gains_db = _gains_by_name(films, loudness)
    return _read_films(films, library.path, clock, max_seconds, gains_db, full=full)


def build_corpus(
    library: Library,
    clock: Clock,
    mode: CorpusMode,
    films: Iterable[PickledFilm],
    loudness: Loudness = "film",
) -> Corpus | CorpusPointer | None:
    """Return the corpus for a brain that was trained on ``films``, in the form ``mode`` asks for.

    The library may have changed during training: films added since are left out, and so are films
    that were deleted or replaced. Without films there is no corpus. A corpus that would take more
    than `MAX_CORPUS_BYTES` of a brain's file has less of the films.
    """
    trained = {(film.name, film.card.digest) for film in films}
    films = [film for film in library.films() if (film.name, film.card.digest) in trained]
    films = [film for film in films if not is_calibration(film)]
    if mode == "none" or not films:
        return None
    if mode == "point":
        return point_to_corpus(library, films, loudness)
    gains_db = _gains_by_name(films, loudness)
    corpus = _read_films(films, library.path, clock, MAX_CORPUS_SECONDS, gains_db)
    while (size := _file_bytes(corpus)) > MAX_CORPUS_BYTES:
        seconds = SHRINK * corpus.seconds * MAX_CORPUS_BYTES / size
        corpus = _read_films(films, library.path, clock, seconds, gains_db)
    return corpus


def _file_bytes(corpus: Corpus) -> int:
    """Return the size of a corpus in a file, or of its samples if these are small enough."""
    uncompressed = 2 * corpus.channels * sum(map(len, corpus.pieces))
    return uncompressed if uncompressed < 0.9 * MAX_CORPUS_BYTES else stored_bytes(corpus)


def point_to_corpus(
    library: Library, films: Iterable[PickledFilm] | None = None, loudness: Loudness = "film"
) -> CorpusPointer:
    """Return a pointer to films of a library, by default to all but the calibration film."""
    films = library.films() if films is None else films
    films = [film for film in films if not is_calibration(film)]
    digests = {film.name: film.card.digest for film in films}
    return CorpusPointer(str(library.path.resolve()), digests, _gains_by_name(films, loudness))


def load_corpus(
    pointer: CorpusPointer, clock: Clock, max_seconds: float = MAX_CORPUS_SECONDS
) -> Corpus:
    """Return the corpus that a pointer refers to.

    Raises
    ------
    BrainError
        The library no longer exists, or one of the films is missing or was replaced.
    """
    path = Path(pointer.library)
    remedy = "give another library as `corpus`"
    if not (path / LIBRARY_FILE).is_file():
        raise BrainError(f"the brain's corpus, library {path}, does not exist; {remedy}")
    films = {film.name: film for film in Library.open(path).all_films()}
    for name, digest in pointer.films.items():
        if name not in films:
            raise BrainError(f"the brain's corpus, library {path}, has no film {name}; {remedy}")
        if films[name].card.digest != digest:
            raise BrainError(
                f"the brain's corpus, library {path}, has another film {name} than the brain was "
                f"trained on; {remedy}"
            )
    pointed = (films[name] for name in pointer.films)
    return _read_films(pointed, path, clock, max_seconds, pointer.gains_db)


def _gains_by_name(films: Iterable[PickledFilm], loudness: Loudness) -> dict[str, float]:
    """Return the gain in dB of each film whose gain is not 0, by its name."""
    films = list(films)
    gains_db = film_gains_db(films, loudness)
    return {film.name: gain_db for film, gain_db in zip(films, gains_db, strict=True) if gain_db}


def _read_films(
    films: Iterable[PickledFilm],
    library: Path,
    clock: Clock,
    max_seconds: float,
    gains_db: Mapping[str, float],
    *,
    full: bool = True,
) -> Corpus:
    films = [film for film in films if not is_calibration(film)]
    for film in films:
        if film.card.sample_rate != clock.sample_rate:
            raise BrainError(
                f"corpus {library} is at {film.card.sample_rate} Hz, the brain at "
                f"{clock.sample_rate} Hz; give a library at the brain's rate as `corpus`"
            )
    ranges = [each for each in _choose_ranges(films, clock, max_seconds) if _is_audible(*each)]
    if not ranges:
        raise BrainError(f"corpus {library} has no sound; give another library as `corpus`")
    by_name = {film.name: film for film, _, _ in ranges}
    sound_format = full_format(by_name.values()) if full else plain_format(ranges[0][0])
    pieces = tuple(
        read_piece(*each, sound_format, gains_db.get(each[0].name, 0.0)) for each in ranges
    )
    pictures = {
        name: _read_pictures(film, [each for each in ranges if each[0] is film])
        for name, film in by_name.items()
    }
    return Corpus(clock, pieces, pictures, sound_format.sample_rate)


def _choose_ranges(films: list[PickledFilm], clock: Clock, max_seconds: float) -> list[Range]:
    """Return the sound of all films, or segments that are evenly spaced over it."""
    ranges = [(film, *film.card.audio_range) for film in films]
    max_samples = round(max_seconds * clock.sample_rate)
    if sum(end - begin for _, begin, end in ranges) <= max_samples:
        return ranges
    length = min(round(SEGMENT_SECONDS * clock.sample_rate), max_samples)
    segments = [
        (film, at, min(at + length, end))
        for film, begin, end in ranges
        for at in range(begin, max(end - length, begin) + 1, length)
    ]
    segments = [segment for segment in segments if _is_audible(*segment)]
    count = min(max(max_samples // length, 1), len(segments))
    chosen = np.linspace(0, max(len(segments) - 1, 0), count).round().astype(int)
    return [segments[number] for number in chosen]


def _read_pictures(film: PickledFilm, ranges: list[Range]) -> FilmPictures:
    """Return a thumbnail for each `PICTURE_SECONDS` of some ranges of a film."""
    rate = film.card.sample_rate
    starts = [np.arange(begin / rate, end / rate, PICTURE_SECONDS) for _, begin, end in ranges]
    times = np.unique(np.concatenate(starts))
    on_screen = np.searchsorted(film.times[:-1], times, side="right") - 1
    frames = np.asarray(film.frames[on_screen.clip(0)])
    return FilmPictures(times, thumbnails(luma(frames) if film.colour else frames))


def thumbnails(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the 8 x 8 means of grey frames ``(n, 64, 64)``, rounded."""
    side = APPEARANCE_SIDE
    parts = frames.reshape(len(frames), side, frames.shape[1] // side, side, -1)
    means: NDArray[np.uint8] = np.rint(parts.mean(axis=(2, 4))).astype(np.uint8)
    return means


def _is_audible(film: PickledFilm, begin: int, end: int) -> bool:
    return bool(np.abs(film.sound[begin:end]).max(initial=0) > SILENCE_PEAK)
