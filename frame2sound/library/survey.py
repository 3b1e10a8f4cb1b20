"""A survey of a library: its films, what is wrong with any, and which are the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from frame2sound.errors import LibraryError
from frame2sound.library.findings import Findings, find
from frame2sound.library.fingerprint import LENGTHS, SAME, distance
from frame2sound.library.folders import CARD, EXCLUDED, film_folders, linked_folders
from frame2sound.library.store import Card, Library, PickledFilm
from frame2sound.safe import half_written

_LEFT = "left of a run that was killed; the next to write to the library removes it"

Report = Callable[[str, float, float], None]
"""Called now and then with a film's name, and the seconds of it done and in all."""


@dataclass(frozen=True)
class Entry:
    """A folder of a library; what cannot be known of a damaged film is None.

    ``size`` is in bytes, ``faults`` are lines that say what is wrong with it.
    """

    name: str
    size: int
    excluded: bool
    faults: tuple[str, ...] = ()
    card: Card | None = None
    findings: Findings | None = None

    @property
    def seconds(self) -> float:
        """How long the film is."""
        return 0.0 if self.card is None else self.card.samples / self.card.sample_rate


@dataclass(frozen=True)
class Twins:
    """Two films that are the same: the same file, or only the same picture."""

    one: str
    other: str
    same_file: bool


@dataclass(frozen=True)
class Survey:
    """All of a library.

    ``leftovers`` are hidden folders that are half-written, ``links`` names of links to folders of
    films, which are not followed.
    """

    entries: tuple[Entry, ...]
    twins: tuple[Twins, ...]
    leftovers: tuple[str, ...]
    links: tuple[str, ...] = ()


def survey(library: Library, report: Report = lambda name, seconds, total: None) -> Survey:
    """Look at everything in a library; a damaged film hides no other."""
    entries = [_entry(library, folder, report) for folder in film_folders(library.path)]
    twins = [twin for pair in combinations(entries, 2) if (twin := _twins(*pair)) is not None]
    leftovers = [
        f"{path.name} is {'being written' if runs else _LEFT}"
        for path, runs in half_written(library.path)
        if path.is_dir()
    ]
    links = tuple(path.name for path in linked_folders(library.path))
    return Survey(tuple(entries), tuple(twins), tuple(leftovers), links)


def faults(film: PickledFilm) -> list[str]:
    """Return what is wrong with the arrays of a film, a line each."""
    lines = []
    for name in ("frames", "times", "sound"):
        try:
            getattr(replace(film), name)
        except LibraryError as error:
            lines.append(str(error))
    return lines


def _entry(library: Library, folder: Path, report: Report) -> Entry:
    entry = Entry(folder.name, _size(folder), (folder / EXCLUDED).exists())
    if not os.path.lexists(folder / CARD):
        why = f"{folder} is half-written: it has no {CARD}; pickle the film again to replace it"
        return replace(entry, faults=(why,))
    try:
        film = library.film(folder)
    except LibraryError as error:
        return replace(entry, faults=(str(error),))
    entry = replace(entry, card=film.card, faults=tuple(faults(film)))
    if entry.faults:
        return entry
    try:
        total = entry.seconds
        return replace(entry, findings=find(film, lambda s: report(folder.name, s, total)))
    except LibraryError as error:
        return replace(entry, faults=(str(error),))


def _size(folder: Path) -> int:
    size = 0
    with suppress(FileNotFoundError):  # it is being dropped
        for path in folder.iterdir():
            size += path.lstat().st_size
    return size


def _twins(one: Entry, other: Entry) -> Twins | None:
    if one.card is None or other.card is None:
        return None
    if one.card.digest == other.card.digest:
        return Twins(one.name, other.name, same_file=True)
    near = abs(one.seconds - other.seconds) <= LENGTHS * max(one.seconds, other.seconds)
    if not near or one.findings is None or other.findings is None:
        return None
    if distance(one.findings.picture, other.findings.picture) > SAME:
        return None
    return Twins(one.name, other.name, same_file=False)
