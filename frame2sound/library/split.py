"""Split a library into a part for training and a held-out part for evaluation."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from frame2sound.errors import LibraryError
from frame2sound.library.calibration import is_calibration
from frame2sound.library.film_groups import group_films, longest, other_films
from frame2sound.library.store import Library, PickledFilm

SplitKind = Literal["ends", "films"]
"""Whether the ends of all films are held out, or whole films."""

HELD_OUT_SHARE = 0.2
"""Share of each film's sound, or of the groups of films, that is held out."""

MIN_FILMS_FOR_FILM_SPLIT = 5
"""With at least this many groups of films, whole films are held out by default."""

MIN_HELD_OUT_SECONDS, GUARD_SECONDS, MIN_TRAINING_SECONDS = 3.0, 1.0, 2.0
"""Least duration of a held-out end; least gap before it; least training part."""


class LibraryView(Library):
    """A view of a library that hides some of its films, and the ends of others.

    Training and corpus only use the ``audio_range`` of a film's card, so the view hides an end by
    shortening this range.

    Parameters
    ----------
    library : Library
    hidden_films : collection of str
        Names of hidden films.
    end_samples : mapping of str to int
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
        """Return the films that are not hidden, shortened if their ends are."""
        return [
            self._shorten(film) for film in super().films() if film.name not in self.hidden_films
        ]

    def _shorten(self, film: PickledFilm) -> PickledFilm:
        begin, end = film.card.audio_range
        audio_range = begin, max(begin, min(end, self.end_samples.get(film.name, end)))
        return replace(film, card=replace(film.card, audio_range=audio_range))


@dataclass(frozen=True)
class HeldOutRange:
    """Samples ``start_sample`` to ``end_sample`` of a film, which are not used for training."""

    film: PickledFilm
    start_sample: int
    end_sample: int


@dataclass(frozen=True)
class TrainTestSplit:
    """The training part and the held-out part of a library.

    Attributes
    ----------
    kind : {"ends", "films"}
    training : LibraryView
    held_out : tuple of HeldOutRange
        One film of each group of copies, so that films are independent of each other.
    left_out_copies : mapping of str to str
        Films that are in neither part, since they are copies or excerpts, to the film in
        ``held_out`` whose copies they are.
    guard_seconds : float
        What is in neither part before each held-out end; 0 for whole films.
    """

    kind: SplitKind
    training: LibraryView
    held_out: tuple[HeldOutRange, ...]
    left_out_copies: Mapping[str, str] = field(default_factory=dict)
    guard_seconds: float = 0.0


Groups = list[list[PickledFilm]]


def split_library(
    library: Library,
    kind: SplitKind | None = None,
    held_out_films: Collection[str] = (),
    *,
    guard_seconds: float = GUARD_SECONDS,
) -> TrainTestSplit:
    """Return a split of a library; the calibration film is always in the training part.

    Copies and excerpts of a film, as `group_films` finds them, are never in the other part.

    Parameters
    ----------
    library : Library
    kind : {"ends", "films"}, optional
        ``films`` holds out one group of films in five, drawn with seed 0. ``ends`` holds out the
        last fifth of each film, at least 3 s, and drops what is ``guard_seconds`` before it from
        training; films too short for that are not held out, and copies of longer films are left
        out. By default ``films`` if there are five groups or more.
    held_out_films : collection of str
        Names of the films to hold out, instead of drawing them; their copies are held out as well.
    guard_seconds : float
        At least what an example reaches, see `frame2sound.brain.reach`, so that no example of
        training shares a picture or a sample with the held-out end.

    Raises
    ------
    LibraryError
        The library has no films, too few for a split by films, or only films too short for a split
        by ends; a name is not that of a film; or nothing would be left for training.
    """
    films = [film for film in library.films() if not is_calibration(film)]
    if not films:
        raise LibraryError(library.no_films_message())
    if kind == "ends" and held_out_films:
        raise LibraryError(
            "got `split` ends and `held_out`, which holds out films; leave out one of them"
        )
    _check_names(library, films, held_out_films)
    groups = group_films(films)
    if kind == "ends" or (
        kind is None and not held_out_films and len(groups) < MIN_FILMS_FOR_FILM_SPLIT
    ):
        return _split_by_ends(library, groups, guard_seconds)
    return _split_by_films(library, groups, held_out_films)


def _check_names(library: Library, films: list[PickledFilm], names: Collection[str]) -> None:
    known = [film.name for film in films]
    for name in names:
        if name not in known:
            raise LibraryError(
                f"got `held_out` {name}, expected a film of {library.path}: {', '.join(known)}"
            )


def _split_by_films(
    library: Library, groups: Groups, held_out_films: Collection[str]
) -> TrainTestSplit:
    film_count = sum(map(len, groups))
    if film_count < 2:
        raise LibraryError(
            f"a split by film needs two films, {library.path} has {film_count}; "
            "use `split` ends or pickle another film"
        )
    if len(groups) < 2:
        raise LibraryError(
            f"all {film_count} films of {library.path} are copies or excerpts of one, and a split "
            "by film needs two; use `split` ends or pickle another film"
        )
    count = max(1, round(HELD_OUT_SHARE * len(groups)))
    drawn = set(np.random.default_rng(0).permutation(len(groups))[:count])
    if held_out_films:
        names = set(held_out_films)
        drawn = {at for at, group in enumerate(groups) if names & {film.name for film in group}}
    if len(drawn) == len(groups):
        raise LibraryError(
            f"all {film_count} films of {library.path} are held out, with their copies, none is "
            "left for training; name fewer in `held_out` or pickle another film"
        )
    judged = [
        longest([film for film in groups[at] if film.name in held_out_films] or groups[at])
        for at in sorted(drawn)
    ]
    copies = other_films([groups[at] for at in sorted(drawn)], judged)
    return TrainTestSplit(
        "films",
        LibraryView(library, {*(film.name for film in judged), *copies}),
        tuple(HeldOutRange(film, *film.card.audio_range) for film in judged),
        copies,
    )


def _split_by_ends(library: Library, groups: Groups, guard_seconds: float) -> TrainTestSplit:
    rate = library.sample_rate
    guard, min_training = math.ceil(guard_seconds * rate), round(MIN_TRAINING_SECONDS * rate)
    films = [longest(group) for group in groups]
    copies = other_films(groups, films)
    held_out = []
    for film in films:
        begin, end = film.card.audio_range
        share = round(HELD_OUT_SHARE * (end - begin))
        start = end - max(share, round(MIN_HELD_OUT_SECONDS * rate))
        if start - guard - begin >= min_training:
            held_out.append(HeldOutRange(film, start, end))
    if not held_out:
        shortest = MIN_HELD_OUT_SECONDS + guard / rate + MIN_TRAINING_SECONDS
        raise LibraryError(
            f"no film of {library.path} has {math.ceil(10 * shortest) / 10:g} s of sound or more, "
            "so no end can be held out; pickle a longer film"
        )
    ends = {each.film.name: each.start_sample - guard for each in held_out}
    view = LibraryView(library, copies, end_samples=ends)
    return TrainTestSplit("ends", view, tuple(held_out), copies, guard / rate)
