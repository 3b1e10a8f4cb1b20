"""A corpus: sound of the films that a brain learned from, to be heard again in another order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock
from frame2sound.errors import BrainError, LibraryError
from frame2sound.library.calibration import is_calibration
from frame2sound.library.folders import resolve_film_name
from frame2sound.library.store import Library, PickledFilm

MAX_CORPUS_SECONDS = 600.0
"""A corpus holds no more of a library; longer ones are drawn from in segments."""

SEGMENT_SECONDS = 10.0
"""How long segments are that are drawn from a library."""

SILENCE_RMS = 1e-5
"""A segment whose peak is below -100 dBFS is silent."""

CorpusMode = Literal["carry", "point", "none"]
"""Whether a brain carries sound of its films, points to their library, or does neither."""


@dataclass(frozen=True)
class Piece:
    """Sound of a film without a gap.

    Attributes
    ----------
    film : str
        The film's name in its library.
    start : int
        The sample of the film with which the piece begins.
    sound : float32 array (n,)
    """

    film: str
    start_seconds: int
    samples: NDArray[np.float32]


@dataclass(frozen=True)
class Corpus:
    """Pieces of films, and the clock of the brain whose frames cut them into units."""

    clock: Clock
    pieces: tuple[Piece, ...]

    @classmethod
    def from_library(
        cls, library: Library, clock: Clock, max_seconds: float = MAX_CORPUS_SECONDS
    ) -> Corpus:
        """Take the sound of a library's films, the calibration film left out.

        Where films sound for longer than ``most_seconds`` in all, segments of 10 s are taken,
        evenly spread over all films.

        Raises
        ------
        BrainError
            The library has another sample rate than the brain, or no sound.
        """
        return cls.from_films(library.films(), library.path, clock, max_seconds)

    @classmethod
    def from_films(
        cls, films: Iterable[PickledFilm], library: Path, clock: Clock, max_seconds: float
    ) -> Corpus:
        """Take the sound of some of a library's films."""
        films = [film for film in films if not is_calibration(film)]
        for film in films:
            if film.card.sample_rate != clock.sample_rate:
                raise BrainError(
                    f"corpus {library} is at {film.card.sample_rate} Hz, the brain at "
                    f"{clock.sample_rate} Hz; give one at the brain's rate with --corpus LIBRARY"
                )
        pieces = tuple(_pieces(films, clock, max_seconds))
        if not pieces:
            raise BrainError(
                f"corpus {library} has no sound to choose from; give another with --corpus LIBRARY"
            )
        return cls(clock, pieces)

    @property
    def films(self) -> tuple[str, ...]:
        """The names of its films, sorted."""
        return tuple(sorted({piece.film for piece in self.pieces}))

    @property
    def seconds(self) -> float:
        """How long it sounds in all."""
        return sum(len(piece.samples) for piece in self.pieces) / self.clock.sample_rate

    def select_films(self, films: Iterable[str]) -> Corpus:
        """Return what of it comes from some films.

        Parameters
        ----------
        films : iterable of str
            Their names, or how only one name each begins.

        Raises
        ------
        BrainError
            A name means no film of the corpus, or several.
        """
        try:
            meant = {resolve_film_name(name, self.films, "of the brain's corpus") for name in films}
        except LibraryError as error:
            raise BrainError(str(error)) from error
        return Corpus(self.clock, tuple(piece for piece in self.pieces if piece.film in meant))


@dataclass(frozen=True)
class CorpusPointer:
    """Where a corpus lies: a library, and the digests of the films in it that count.

    Attributes
    ----------
    library : str
        Path of the library, as it was given.
    films : dict
        Names of films to the digests of the files they were pickled from.
    """

    library: str
    films: dict[str, str]

    @classmethod
    def to_library(
        cls, library: Library, films: Iterable[PickledFilm] | None = None
    ) -> CorpusPointer:
        """Point to films of a library, by default to all."""
        films = library.films() if films is None else films
        films = (film for film in films if not is_calibration(film))
        return cls(str(library.path), {film.name: film.card.digest for film in films})

    def load(self, clock: Clock, max_seconds: float = MAX_CORPUS_SECONDS) -> Corpus:
        """Return the corpus.

        Raises
        ------
        BrainError
            The library is no longer there, or lacks one of the films as it was.
        """
        path = Path(self.library)
        remedy = "give the corpus with --corpus LIBRARY"
        if not (path / "library.json").is_file():
            raise BrainError(f"the brain's corpus, library {path}, is not there; {remedy}")
        there = {film.name: film for film in Library.open(path).all_films()}
        for name, digest in self.films.items():
            if name not in there:
                raise BrainError(f"the brain's corpus, library {path}, has lost {name}; {remedy}")
            if there[name].card.digest != digest:
                raise BrainError(
                    f"the brain's corpus, library {path}, holds another {name} than the brain "
                    f"learned from; {remedy}"
                )
        return Corpus.from_films((there[name] for name in self.films), path, clock, max_seconds)


def build_corpus(
    library: Library, clock: Clock, mode: CorpusMode, films: Iterable[PickledFilm]
) -> Corpus | CorpusPointer | None:
    """Return what a brain is to have of the sound of the films that it learned from.

    The library may have changed while it learned: films that have come are not taken, nor those
    that are no longer there as they were; where none is left, nothing is.
    """
    known = {(film.name, film.card.digest) for film in films}
    films = [film for film in library.films() if (film.name, film.card.digest) in known]
    films = [film for film in films if not is_calibration(film)]
    if mode == "none" or not films:
        return None
    if mode == "point":
        return CorpusPointer.to_library(library, films)
    return Corpus.from_films(films, library.path, clock, MAX_CORPUS_SECONDS)


def _pieces(films: list[PickledFilm], clock: Clock, most_seconds: float) -> Iterator[Piece]:
    ranges = [(film, *film.card.audio_range) for film in films]
    most = round(most_seconds * clock.sample_rate)
    if sum(end - begin for _, begin, end in ranges) > most:
        length = min(round(SEGMENT_SECONDS * clock.sample_rate), most)
        segments = [
            (film, at, min(at + length, end))
            for film, begin, end in ranges
            for at in range(begin, max(end - length, begin) + 1, length)
        ]
        segments = [segment for segment in segments if _is_audible(*segment)]
        count = min(max(most // length, 1), len(segments))
        which = np.linspace(0, max(len(segments) - 1, 0), count).round().astype(int)
        ranges = [segments[number] for number in which]
    for film, begin, end in ranges:
        if _is_audible(film, begin, end):
            yield Piece(film.name, begin, np.array(film.sound[begin:end]))


def _is_audible(film: PickledFilm, begin: int, end: int) -> bool:
    return bool(np.abs(film.sound[begin:end]).max(initial=0) > SILENCE_RMS)
