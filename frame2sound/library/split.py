"""Split a library into a part for training and a held-out part for evaluation."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from frame2sound.errors import LibraryError
from frame2sound.library.calibration import is_calibration
from frame2sound.library.store import Library, PickledFilm

SplitKind = Literal["ends", "films"]
"""Whether the ends of all films are held out, or whole films."""

HELD_OUT_SHARE = 0.2
"""Share of each film's sound, or of the films, that is held out."""

MIN_FILMS_FOR_FILM_SPLIT = 5
"""With at least this many films, whole films are held out by default."""

MIN_HELD_OUT_SECONDS, GUARD_SECONDS, MIN_TRAINING_SECONDS = 3.0, 1.0, 2.0
"""Least duration of a held-out end; gap between it and the training part; least training part."""


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
    """The training part and the held-out part of a library, and the kind of split."""

    kind: SplitKind
    training: LibraryView
    held_out: tuple[HeldOutRange, ...]


def split_library(
    library: Library, kind: SplitKind | None = None, held_out_films: Collection[str] = ()
) -> TrainTestSplit:
    """Return a split of a library; the calibration film is always in the training part.

    Parameters
    ----------
    library : Library
    kind : {"ends", "films"}, optional
        ``films`` holds out one film in five, drawn with seed 0. ``ends`` holds out the last fifth
        of each film, at least 3 s, and drops the second before it from training; films too short
        for that are not held out. By default ``films`` if there are five films or more.
    held_out_films : collection of str
        Names of the films to hold out, instead of drawing them.

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
                f"got `held_out` {name}, expected a film of {library.path}: {', '.join(names)}"
            )
    if len(films) < 2:
        raise LibraryError(
            f"a split by film needs two films, {library.path} has {len(films)}; "
            "use `split` ends or pickle another film"
        )
    if set(held_out_films) == set(names):
        raise LibraryError(
            f"all {len(films)} films of {library.path} are held out, none is left for training; "
            "name fewer in `held_out` or pickle another film"
        )
    count = max(1, round(HELD_OUT_SHARE * len(films)))
    drawn = np.random.default_rng(0).permutation(len(films))[:count]
    hidden = set(held_out_films) or {names[number] for number in drawn}
    held_out = (HeldOutRange(film, *film.card.audio_range) for film in films if film.name in hidden)
    return TrainTestSplit("films", LibraryView(library, hidden), tuple(held_out))


def _split_by_ends(library: Library, films: list[PickledFilm]) -> TrainTestSplit:
    rate = library.sample_rate
    guard, min_training = round(GUARD_SECONDS * rate), round(MIN_TRAINING_SECONDS * rate)
    held_out = []
    for film in films:
        begin, end = film.card.audio_range
        share = round(HELD_OUT_SHARE * (end - begin))
        start = end - max(share, round(MIN_HELD_OUT_SECONDS * rate))
        if start - guard - begin >= min_training:
            held_out.append(HeldOutRange(film, start, end))
    if not held_out:
        shortest = MIN_HELD_OUT_SECONDS + GUARD_SECONDS + MIN_TRAINING_SECONDS
        raise LibraryError(
            f"no film of {library.path} has {shortest:g} s of sound or more, so no end can be held "
            "out; pickle a longer film"
        )
    ends = {each.film.name: each.start_sample - guard for each in held_out}
    return TrainTestSplit("ends", LibraryView(library, end_samples=ends), tuple(held_out))
