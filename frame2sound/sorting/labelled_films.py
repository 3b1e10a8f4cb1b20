"""Find the films of a library that labels name, and those that have none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from frame2sound.errors import SortingError
from frame2sound.library.calibration import is_calibration
from frame2sound.library.store import Library, PickledFilm
from frame2sound.sorting.labels_file import FilmLabel

MAX_NAMED = 5
"""Most films that a note names."""


@dataclass(frozen=True)
class LabelledFilms:
    """Films with their labels, films without, and names in the file that are no films.

    ``labels`` correspond to ``films`` one to one.
    """

    films: tuple[PickledFilm, ...]
    labels: tuple[str, ...]
    unlabelled: tuple[PickledFilm, ...] = ()
    unknown: tuple[str, ...] = ()


def match_labels(library: Library, labels: Sequence[FilmLabel], path: Path) -> LabelledFilms:
    """Return the films of a library with the labels of a file.

    A film is named by its name in the library, the beginning of it, or the name of the file that
    it was pickled from. Excluded films and the calibration film are left out.

    Raises
    ------
    SortingError
        No name is that of a film, a name is that of several, or a film is labelled twice.
    """
    films = [film for film in library.films() if not is_calibration(film)]
    if not films:
        raise SortingError(library.no_films_message())
    chosen: dict[str, FilmLabel] = {}
    unknown = []
    for each in labels:
        matches = _matches(films, each.film)
        if not matches:
            unknown.append(each.film)
        elif len(matches) > 1:
            raise SortingError(
                f"{path}, line {each.line}: {each.film!r} may be {name_some(matches)}; "
                "give one of these names"
            )
        elif (other := chosen.setdefault(matches[0], each)) is not each:
            raise SortingError(
                f"{path} labels {matches[0]} twice, in lines {other.line} and {each.line}; "
                "keep one of them"
            )
    if not chosen:
        raise SortingError(
            f"{path} names no film of {library.path}: got {name_some(unknown)}, expected names "
            f"such as {films[0].name}; list them with: frame2sound library {library.path}"
        )
    known = [film for film in films if film.name in chosen]
    return LabelledFilms(
        tuple(known),
        tuple(chosen[film.name].label for film in known),
        tuple(film for film in films if film.name not in chosen),
        tuple(unknown),
    )


def films_of_labels(labelled: LabelledFilms) -> dict[str, list[PickledFilm]]:
    """Return the films of each label, the labels in alphabetical order."""
    films = defaultdict(list)
    for film, label in zip(labelled.films, labelled.labels, strict=True):
        films[label].append(film)
    return dict(sorted(films.items()))


def name_some(names: Sequence[str]) -> str:
    """Return names in a list, of which at most five are given.

    >>> name_some(["a", "b"]), name_some(list("abcdefg"))
    ('a, b', 'a, b, c, d, e and 2 more')
    """
    more = len(names) - MAX_NAMED
    return ", ".join(names[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def _matches(films: Sequence[PickledFilm], name: str) -> list[str]:
    for is_it in (
        lambda film: film.name == name,
        lambda film: Path(film.card.source).name == name,
        lambda film: film.name.startswith(name),
    ):
        found = [film.name for film in films if is_it(film)]
        if found:
            return found
    return []
