"""A part of a library to learn from, and the rest of it to judge by."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from frame2sound.errors import LibraryError
from frame2sound.library.calibration import is_calibration
from frame2sound.library.store import Library, PickledFilm

Split = Literal["ends", "films"]
"""Whether the ends of all films are held out, or some films whole."""

SHARE = 0.2
"""How much is held out: of each film's sound, or of the films."""

FEWEST_FILMS = 5
"""From so many films on, whole films are held out unless it is said otherwise."""

LEAST_SECONDS, GUARD_SECONDS, LEAST_LEARNED_SECONDS = 3.0, 1.0, 2.0
"""Of an end that is held out; between it and what is learned; and what is left to learn."""


class LibraryPart(Library):
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
        self, library: Library, hidden: Collection[str] = (), ends: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(library.path, library.sample_rate, library.colour)
        self.hidden = frozenset(hidden)
        self.ends = dict(ends or {})

    def films(self) -> list[PickledFilm]:
        """Return the films that are not hidden, shortened where their ends are."""
        return [self._shortened(film) for film in super().films() if film.name not in self.hidden]

    def _shortened(self, film: PickledFilm) -> PickledFilm:
        begin, end = film.card.sounding
        sounding = begin, max(begin, min(end, self.ends.get(film.name, end)))
        return replace(film, card=replace(film.card, sounding=sounding))


@dataclass(frozen=True)
class HeldOut:
    """Samples ``begin`` to ``end`` of a film, of which nothing is learned."""

    film: PickledFilm
    begin: int
    end: int


@dataclass(frozen=True)
class Parted:
    """What is learned, what is judged, and by which kind of split they were parted."""

    kind: Split
    learned: LibraryPart
    held_out: tuple[HeldOut, ...]


def part(library: Library, kind: Split | None = None, named: Collection[str] = ()) -> Parted:
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
        raise LibraryError(library.without_films())
    if kind == "ends" and named:
        raise LibraryError(
            "got --split ends and --held-out, which holds out films; leave out one of them"
        )
    if kind == "ends" or (kind is None and not named and len(films) < FEWEST_FILMS):
        return _by_ends(library, films)
    return _by_films(library, films, named)


def _by_films(library: Library, films: list[PickledFilm], named: Collection[str]) -> Parted:
    names = [film.name for film in films]
    for name in named:
        if name not in names:
            raise LibraryError(
                f"got --held-out {name}, expected a film of {library.path}: {', '.join(names)}"
            )
    if len(films) < 2:
        raise LibraryError(
            f"a split by film needs two films, {library.path} has {len(films)}; "
            "use --split ends or pickle another film"
        )
    if set(named) == set(names):
        raise LibraryError(
            f"all {len(films)} films of {library.path} are held out, nothing is left to learn "
            "from; hold out fewer with --held-out or pickle another film"
        )
    count = max(1, round(SHARE * len(films)))
    drawn = np.random.default_rng(0).permutation(len(films))[:count]
    hidden = set(named) or {names[number] for number in drawn}
    held_out = (HeldOut(film, *film.card.sounding) for film in films if film.name in hidden)
    return Parted("films", LibraryPart(library, hidden), tuple(held_out))


def _by_ends(library: Library, films: list[PickledFilm]) -> Parted:
    rate = library.sample_rate
    guard, least = round(GUARD_SECONDS * rate), round(LEAST_LEARNED_SECONDS * rate)
    held_out = []
    for film in films:
        begin, end = film.card.sounding
        from_here = end - max(round(SHARE * (end - begin)), round(LEAST_SECONDS * rate))
        if from_here - guard - begin >= least:
            held_out.append(HeldOut(film, from_here, end))
    if not held_out:
        shortest = LEAST_SECONDS + GUARD_SECONDS + LEAST_LEARNED_SECONDS
        raise LibraryError(
            f"no film of {library.path} sounds for {shortest:g} s or more, so no end can be held "
            "out; pickle a longer film"
        )
    ends = {held.film.name: held.begin - guard for held in held_out}
    return Parted("ends", LibraryPart(library, ends=ends), tuple(held_out))
