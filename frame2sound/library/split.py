"""A part of a library to learn from, and the rest of it to judge by."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from frame2sound.errors import LibraryError
from frame2sound.library.calibration import is_calibration
from frame2sound.library.store import Library, PickledFilm

SplitKind = Literal["ends", "films"]
"""Whether the ends of all films are held out, or some films whole."""

HELD_OUT_SHARE = 0.2
"""How much is held out: of each film's sound, or of the films."""

MIN_FILMS_FOR_FILM_SPLIT = 5
"""From so many films on, whole films are held out unless it is said otherwise."""

MIN_HELD_OUT_SECONDS, GUARD_SECONDS, MIN_TRAINING_SECONDS = 3.0, 1.0, 2.0
"""Of an end that is held out; between it and what is learned; and what is left to learn."""


class LibraryView(Library):
    """A view of a library that hides some of its films, and the ends of others.

    Nothing is learned from a film, nor taken into a corpus, outside the range of samples in which
    its card says that it sounds; so an end is hidden by cards that say that it ends earlier.

    Parameters
    ----------
    library : Library
    hidden : collection of str
        Names of films that are left out.
    ends : mapping of str to int
        Names of films to the sample before which they end.
    """

    def __init__(
        self,
        library: Library,
        hidden_films: Collection[str] = (),
        end_samples: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(library.path, library.sample_rate, library.colour)
        self.hidden_films = frozenset(hidden_films)
        self.end_samples = dict(end_samples or {})

    def films(self) -> list[PickledFilm]:
        """Return the films that are not hidden, shortened where their ends are."""
        return [
            self._shorten(film) for film in super().films() if film.name not in self.hidden_films
        ]

    def _shorten(self, film: PickledFilm) -> PickledFilm:
        begin, end = film.card.audio_range
        sounding = begin, max(begin, min(end, self.end_samples.get(film.name, end)))
        return replace(film, card=replace(film.card, audio_range=sounding))


@dataclass(frozen=True)
class HeldOutRange:
    """Samples ``begin`` to ``end`` of a film, of which nothing is learned."""

    film: PickledFilm
    start_sample: int
    end_sample: int


@dataclass(frozen=True)
class TrainTestSplit:
    """What is learned, what is judged, and by which kind of split they were parted."""

    kind: SplitKind
    training: LibraryView
    held_out: tuple[HeldOutRange, ...]


def split_library(
    library: Library, kind: SplitKind | None = None, held_out_films: Collection[str] = ()
) -> TrainTestSplit:
    """Part a library; the calibration film is always learned.

    Parameters
    ----------
    library : Library
    kind : {"ends", "films"}, optional
        ``films`` holds out one film in five, drawn by seed 0. ``ends`` holds out the last fifth of
        each film, 3 s at least, and learns nothing of the second before; films too short for that
        are learned whole. By default ``films`` where there are five films or more.
    named : collection of str
        Films to hold out, by their names in the library, instead of drawing them.

    Raises
    ------
    LibraryError
        There are no films; too few for a split by film, or too short for one by ends; a name is
        not of this library, or nothing would be left to learn from.
    """
    films = [film for film in library.films() if not is_calibration(film)]
    if not films:
        raise LibraryError(library.no_films_message())
    if kind == "ends" and held_out_films:
        raise LibraryError(
            "got --split ends and --held-out, which holds out films; leave out one of them"
        )
    if kind == "ends" or (
        kind is None and not held_out_films and len(films) < MIN_FILMS_FOR_FILM_SPLIT
    ):
        return _split_by_ends(library, films)
    return _split_by_films(library, films, held_out_films)


def _split_by_films(
    library: Library, films: list[PickledFilm], held_out_films: Collection[str]
) -> TrainTestSplit:
    names = [film.name for film in films]
    for name in held_out_films:
        if name not in names:
            raise LibraryError(
                f"got --held-out {name}, expected a film of {library.path}: {', '.join(names)}"
            )
    if len(films) < 2:
        raise LibraryError(
            f"a split by film needs two films, {library.path} has {len(films)}; "
            "use --split ends or pickle another film"
        )
    if set(held_out_films) == set(names):
        raise LibraryError(
            f"all {len(films)} films of {library.path} are held out, nothing is left to learn "
            "from; hold out fewer with --held-out or pickle another film"
        )
    count = max(1, round(HELD_OUT_SHARE * len(films)))
    drawn = np.random.default_rng(0).permutation(len(films))[:count]
    hidden = set(held_out_films) or {names[number] for number in drawn}
    held_out = (HeldOutRange(film, *film.card.audio_range) for film in films if film.name in hidden)
    return TrainTestSplit("films", LibraryView(library, hidden), tuple(held_out))


def _split_by_ends(library: Library, films: list[PickledFilm]) -> TrainTestSplit:
    rate = library.sample_rate
    guard, least = round(GUARD_SECONDS * rate), round(MIN_TRAINING_SECONDS * rate)
    held_out = []
    for film in films:
        begin, end = film.card.audio_range
        from_here = end - max(
            round(HELD_OUT_SHARE * (end - begin)), round(MIN_HELD_OUT_SECONDS * rate)
        )
        if from_here - guard - begin >= least:
            held_out.append(HeldOutRange(film, from_here, end))
    if not held_out:
        shortest = MIN_HELD_OUT_SECONDS + GUARD_SECONDS + MIN_TRAINING_SECONDS
        raise LibraryError(
            f"no film of {library.path} sounds for {shortest:g} s or more, so no end can be held "
            "out; pickle a longer film"
        )
    ends = {held.film.name: held.start_sample - guard for held in held_out}
    return TrainTestSplit("ends", LibraryView(library, end_samples=ends), tuple(held_out))
