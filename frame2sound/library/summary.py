"""A survey of a library: its films, what is wrong with any, and which are the same."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from frame2sound.atomic import find_partial
from frame2sound.errors import LibraryError
from frame2sound.library.analysis import FilmAnalysis, analyse_film
from frame2sound.library.fingerprint import (
    MAX_DUPLICATE_DISTANCE,
    MAX_DURATION_DIFFERENCE,
    fingerprint_distance,
)
from frame2sound.library.folders import CARD_FILE, EXCLUDED_FILE, film_folders, symlinked_folders
from frame2sound.library.store import Card, Library, PickledFilm
from frame2sound.progress import ProgressCallback, ignore_progress

_STALE_MESSAGE = "left of a run that was killed; the next to write to the library removes it"


@dataclass(frozen=True)
class FilmSummary:
    """A folder of a library; what cannot be known of a damaged film is None.

    ``size`` is in bytes, ``faults`` are lines that say what is wrong with it.
    """

    name: str
    size_bytes: int
    excluded: bool
    faults: tuple[str, ...] = ()
    card: Card | None = None
    analysis: FilmAnalysis | None = None

    @property
    def seconds(self) -> float:
        """How long the film is."""
        return 0.0 if self.card is None else self.card.samples / self.card.sample_rate


@dataclass(frozen=True)
class Duplicate:
    """Two films that are the same: the same file, or only the same picture."""

    first_name: str
    second_name: str
    same_file: bool


@dataclass(frozen=True)
class LibrarySummary:
    """All of a library.

    ``leftovers`` are hidden folders that are half-written, ``links`` names of links to folders of
    films, which are not followed.
    """

    films: tuple[FilmSummary, ...]
    duplicates: tuple[Duplicate, ...]
    partial_folders: tuple[str, ...]
    symlinks: tuple[str, ...] = ()


def summarise(library: Library, on_progress: ProgressCallback = ignore_progress) -> LibrarySummary:
    """Look at everything in a library; a damaged film hides no other."""
    entries = [
        _summarise_film(library, folder, on_progress) for folder in film_folders(library.path)
    ]
    twins = [
        twin for pair in combinations(entries, 2) if (twin := _find_duplicate(*pair)) is not None
    ]
    leftovers = [
        f"{path.name} is {'being written' if runs else _STALE_MESSAGE}"
        for path, runs in find_partial(library.path)
        if path.is_dir()
    ]
    links = tuple(path.name for path in symlinked_folders(library.path))
    return LibrarySummary(tuple(entries), tuple(twins), tuple(leftovers), links)


def find_faults(film: PickledFilm) -> list[str]:
    """Return what is wrong with the arrays of a film, a line each."""
    lines = []
    for name in ("frames", "times", "sound"):
        try:
            getattr(replace(film), name)
        except LibraryError as error:
            lines.append(str(error))
    return lines


def _summarise_film(library: Library, folder: Path, on_progress: ProgressCallback) -> FilmSummary:
    entry = FilmSummary(folder.name, _folder_bytes(folder), (folder / EXCLUDED_FILE).exists())
    if not os.path.lexists(folder / CARD_FILE):
        why = (
            f"{folder} is half-written: it has no {CARD_FILE}; pickle the film again to replace it"
        )
        return replace(entry, faults=(why,))
    try:
        film = library.film(folder)
    except LibraryError as error:
        return replace(entry, faults=(str(error),))
    entry = replace(entry, card=film.card, faults=tuple(find_faults(film)))
    if entry.faults:
        return entry
    try:
        return replace(entry, analysis=analyse_film(film, on_progress))
    except LibraryError as error:
        return replace(entry, faults=(str(error),))


def _folder_bytes(folder: Path) -> int:
    size = 0
    with suppress(FileNotFoundError):  # it is being dropped
        for path in folder.iterdir():
            size += path.lstat().st_size
    return size


def _find_duplicate(first: FilmSummary, second: FilmSummary) -> Duplicate | None:
    if first.card is None or second.card is None:
        return None
    if first.card.digest == second.card.digest:
        return Duplicate(first.name, second.name, same_file=True)
    near = abs(first.seconds - second.seconds) <= MAX_DURATION_DIFFERENCE * max(
        first.seconds, second.seconds
    )
    if not near or first.analysis is None or second.analysis is None:
        return None
    if (
        fingerprint_distance(
            first.analysis.picture_fingerprint, second.analysis.picture_fingerprint
        )
        > MAX_DUPLICATE_DISTANCE
    ):
        return None
    return Duplicate(first.name, second.name, same_file=False)
