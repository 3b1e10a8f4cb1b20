"""Whether every byte of a film is still as it was pickled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from frame2sound.errors import LibraryError
from frame2sound.library.checksums import read_through
from frame2sound.library.folders import ARRAYS, CARD
from frame2sound.library.store import Library
from frame2sound.library.survey import faults

REMEDY = "drop it and pickle the film again"


def verify(
    library: Library, folder: Path, tell: Callable[[int], None] = lambda size: None
) -> list[str]:
    """Read a film from its first byte to its last; return what is wrong with it, a line each.

    A film that was pickled without checksums is whole if its arrays are what its card says.
    """
    if not (folder / CARD).exists():
        return [f"it has no {CARD}; {REMEDY}"]
    try:
        film = library.film(folder)
    except LibraryError as error:
        return [str(error)]
    lines = faults(film)
    expected = {} if film.card.checksums is None else asdict(film.card.checksums)
    for name in ARRAYS:
        try:
            got = read_through(folder / name, tell)
        except OSError as error:
            lines.append(f"{name} cannot be read ({(error.strerror or str(error)).lower()})")
            continue
        if got != expected.get(Path(name).stem, got):
            lines.append(f"{name} is not what was pickled: its checksum differs; {REMEDY}")
    return lines


def size_of(folders: list[Path]) -> int:
    """Return how many bytes are to be read."""
    arrays = (folder / name for folder in folders for name in ARRAYS)
    return sum(path.stat().st_size for path in arrays if path.is_file())
