"""Summarise a library: its films, their faults, and duplicates."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from frame2sound.atomic import find_partial
from frame2sound.errors import LibraryError
from frame2sound.library.analysis import FilmAnalysis, analyse_film
from frame2sound.library.coupling_summary import LibraryCoupling, measure_library
from frame2sound.library.fingerprint import (
    MAX_DUPLICATE_DISTANCE,
    MAX_DURATION_DIFFERENCE,
    fingerprint_distance,
)
from frame2sound.library.folders import CARD_FILE, EXCLUDED_FILE, film_folders, symlinked_folders
from frame2sound.library.store import Card, Library, PickledFilm
from frame2sound.progress import ProgressCallback, ignore_progress

_STALE_MESSAGE = "left by a process that was killed; the next one that writes here deletes it"


@dataclass(frozen=True)
class FilmSummary:
    """The summary of one folder; ``card`` and ``analysis`` are None if the film is damaged.

    ``faults`` are messages of one line each.
    """

    name: str
    size_bytes: int
    excluded: bool
    faults: tuple[str, ...] = ()
    card: Card | None = None
    analysis: FilmAnalysis | None = None

    @property
    def seconds(self) -> float:
        """The film's duration."""
        return 0.0 if self.card is None else self.card.samples / self.card.sample_rate


@dataclass(frozen=True)
class Duplicate:
    """Two films with the same file, or only with the same picture."""

    first_name: str
    second_name: str
    same_file: bool


@dataclass(frozen=True)
class LibrarySummary:
    """The summary of a library.

    ``partial_folders`` describe hidden folders that are incomplete. ``symlinks`` are names of links
    to folders of films, which the program does not follow. ``coupling`` says how far sound follows
    picture; None if there is no film to tell by.
    """

    films: tuple[FilmSummary, ...]
    duplicates: tuple[Duplicate, ...]
    partial_folders: tuple[str, ...]
    symlinks: tuple[str, ...] = ()
    coupling: LibraryCoupling | None = None


def summarise(library: Library, on_progress: ProgressCallback = ignore_progress) -> LibrarySummary:
    """Return the summary of a library; damaged films are part of it."""
    folders = film_folders(library.path)
    films = [_summarise_film(library, folder, on_progress) for folder in folders]
    duplicates = [
        each for pair in combinations(films, 2) if (each := _find_duplicate(*pair)) is not None
    ]
    partial_folders = [
        f"{path.name} is {'being written' if is_running else _STALE_MESSAGE}"
        for path, is_running in find_partial(library.path)
        if path.is_dir()
    ]
    symlinks = tuple(path.name for path in symlinked_folders(library.path))
    return LibrarySummary(
        tuple(films),
        tuple(duplicates),
        tuple(partial_folders),
        symlinks,
        _measure_coupling(library, films, on_progress),
    )


def find_faults(film: PickledFilm) -> list[str]:
    """Return the faults of a film's files, one message per line."""
    lines = []
    for name in ("frames", "times", "sound"):
        try:
            getattr(replace(film), name)
        except LibraryError as error:
            lines.append(str(error))
    try:
        if film.full_sound is not None:
            film.full_sound.check()
    except LibraryError as error:
        lines.append(str(error))
    return lines


def _summarise_film(library: Library, folder: Path, on_progress: ProgressCallback) -> FilmSummary:
    summary = FilmSummary(folder.name, _folder_bytes(folder), (folder / EXCLUDED_FILE).exists())
    if not os.path.lexists(folder / CARD_FILE):
        fault = f"{folder} is incomplete: it has no {CARD_FILE}; pickle the film again"
        return replace(summary, faults=(fault,))
    try:
        film = library.film(folder)
    except LibraryError as error:
        return replace(summary, faults=(str(error),))
    summary = replace(summary, card=film.card, faults=tuple(find_faults(film)))
    if summary.faults:
        return summary
    try:
        return replace(summary, analysis=analyse_film(film, on_progress))
    except LibraryError as error:
        return replace(summary, faults=(str(error),))


def _measure_coupling(
    library: Library, films: list[FilmSummary], on_progress: ProgressCallback
) -> LibraryCoupling | None:
    """Return how far sound follows picture in the films that would be trained on."""
    names = {film.name for film in films if film.analysis is not None and not film.excluded}
    trained = [film for film in library.readable_films() if film.name in names]
    try:
        return measure_library(trained, library.sample_rate, on_progress)
    except LibraryError:  # a film has changed since it was summarised
        return None


def _folder_bytes(folder: Path) -> int:
    size = 0
    with suppress(FileNotFoundError):  # another process deletes it
        for path in folder.iterdir():
            size += path.lstat().st_size
    return size


def _find_duplicate(first: FilmSummary, second: FilmSummary) -> Duplicate | None:
    if first.card is None or second.card is None:
        return None
    if first.card.digest == second.card.digest:
        return Duplicate(first.name, second.name, same_file=True)
    max_difference = MAX_DURATION_DIFFERENCE * max(first.seconds, second.seconds)
    is_as_long = abs(first.seconds - second.seconds) <= max_difference
    if not is_as_long or first.analysis is None or second.analysis is None:
        return None
    fingerprints = first.analysis.picture_fingerprint, second.analysis.picture_fingerprint
    if fingerprint_distance(*fingerprints) > MAX_DUPLICATE_DISTANCE:
        return None
    return Duplicate(first.name, second.name, same_file=False)
