"""Whether every byte of a film is still as it was pickled."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from frame2sound.errors import LibraryError
from frame2sound.library.checksums import read_through
from frame2sound.library.folders import ARRAYS, CARD
from frame2sound.library.store import AGAIN, Library
from frame2sound.library.survey import faults


def verify(
    library: Library, folder: Path, tell: Callable[[int], None] = lambda size: None
) -> list[str]:
    """Read a film from its first byte to its last; return what is wrong with it, a line each.

    A film that was pickled without checksums is whole if its arrays are what its card says.
    """
    if not os.path.lexists(folder / CARD):
        return [f"it has no {CARD}; pickle the film again to replace it"]
    try:
        film = library.film(folder)
    except LibraryError as error:
        return [str(error)]
    lines = faults(film)
    damaged = [name for name in ARRAYS if any(f"/{name} is missing" in line for line in lines)]
    expected = {} if film.card.checksums is None else asdict(film.card.checksums)
    for name in (name for name in ARRAYS if name not in damaged):
        try:
            got = read_through(folder / name, tell)
        except OSError as error:
            lines.append(f"{name} cannot be read ({(error.strerror or str(error)).lower()})")
            continue
        if got != expected.get(Path(name).stem, got):
            lines.append(f"{name} is not what was pickled: its checksum differs; {AGAIN}")
    return lines


def size_of(folders: list[Path]) -> int:
    """Return how many bytes are to be read."""
    arrays = (folder / name for folder in folders for name in ARRAYS)
    return sum(path.lstat().st_size for path in arrays if os.path.lexists(path))
