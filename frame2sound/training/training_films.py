"""The films of a library that a training learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from frame2sound.brain.recipe import Recipe
from frame2sound.errors import TrainingError
from frame2sound.library.analysis import analyse_whole_film
from frame2sound.library.calibration import is_calibration
from frame2sound.library.film_groups import group_films, longest, other_films
from frame2sound.library.store import Library, PickledFilm

MAX_NAMED_COPIES = 8
"""Most copies that a note names."""


@dataclass(frozen=True)
class TrainingFilms:
    """Films to learn, and those that are left out.

    Attributes
    ----------
    films : list of PickledFilm
        The longest of each group of copies and excerpts, and the calibration film, by name.
    left_out_copies : mapping of str to str
        The other films' names, to that of the film whose copies or excerpts they are.
    """

    films: list[PickledFilm]
    left_out_copies: Mapping[str, str] = field(default_factory=dict)


def choose_films(library: Library, recipe: Recipe) -> TrainingFilms:
    """Return the films of a library to learn, one of each group of copies and excerpts.

    If several were learned, film that is held out of one would be learned of another.

    Raises
    ------
    TrainingError
        The library has no films, or does not fit the recipe.
    LibraryError
        A film is damaged.
    """
    films = library.films()
    _check(library, films, recipe)
    for film in films:
        analyse_whole_film(film)  # raises where its sound is damaged
    groups = group_films([film for film in films if not is_calibration(film)])
    copies = other_films(groups, [longest(group) for group in groups])
    return TrainingFilms([film for film in films if film.name not in copies], copies)


def describe_copies(left_out_copies: Mapping[str, str]) -> str | None:
    """Return one sentence that names copies and the films they are of; None if there are none."""
    if not left_out_copies:
        return None
    named = [f"{copy} of {film}" for copy, film in left_out_copies.items()]
    if len(named) > MAX_NAMED_COPIES:
        named[MAX_NAMED_COPIES:] = [f"and {len(named) - MAX_NAMED_COPIES} more"]
    return f"copies or excerpts of other films are not learned: {', '.join(named)}"


def _check(library: Library, films: list[PickledFilm], recipe: Recipe) -> None:
    if all(is_calibration(film) for film in films):
        raise TrainingError(library.no_films_message())
    if library.sample_rate != recipe.clock.sample_rate:
        raise TrainingError(
            f"got a library at {library.sample_rate} Hz, expected the {recipe.clock.sample_rate} "
            f"Hz of recipe {recipe.name!r}; set clock.sample_rate={library.sample_rate} in the "
            f"recipe or pickle the films with `sample_rate={recipe.clock.sample_rate}`"
        )
    if recipe.input.colour and not library.colour:
        raise TrainingError(
            f"recipe {recipe.name!r} takes colour and {library.path} is grey; pickle its films "
            "into another library with `colour=True`, or set input.colour=false in the recipe"
        )
