"""Verify that a film's arrays still have the bytes that were pickled."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from frame2sound.errors import LibraryError, error_reason
from frame2sound.library.checksums import hash_file
from frame2sound.library.folders import ARRAY_FILES, CARD_FILE
from frame2sound.library.store import DAMAGED_REMEDY, Library
from frame2sound.library.summary import find_faults


def verify(
    library: Library, folder: Path, on_progress: Callable[[int], None] = lambda size: None
) -> list[str]:
    """Read all bytes of a film and return its faults, one message per line.

    Of a film that was pickled without checksums, only the shapes of the arrays are verified.
    """
    if not os.path.lexists(folder / CARD_FILE):
        return [f"it has no {CARD_FILE}; pickle the film again"]
    try:
        film = library.film(folder)
    except LibraryError as error:
        return [str(error)]
    faults = find_faults(film)
    damaged = [
        name for name in ARRAY_FILES if any(f"/{name} is missing" in each for each in faults)
    ]
    expected = {} if film.card.checksums is None else asdict(film.card.checksums)
    for name in (name for name in ARRAY_FILES if name not in damaged):
        try:
            got = hash_file(folder / name, on_progress)
        except OSError as error:
            faults.append(f"{name} cannot be read ({error_reason(error)})")
            continue
        if got != expected.get(Path(name).stem, got):
            faults.append(f"{name} is not what was pickled: its checksum differs; {DAMAGED_REMEDY}")
    return faults


def array_bytes(folders: list[Path]) -> int:
    """Return the number of bytes in the arrays of films."""
    arrays = (folder / name for folder in folders for name in ARRAY_FILES)
    return sum(path.lstat().st_size for path in arrays if os.path.lexists(path))
