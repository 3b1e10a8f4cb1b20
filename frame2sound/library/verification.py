"""Verify that a film's files still have the bytes that were pickled."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from frame2sound.errors import LibraryError, error_reason
from frame2sound.library.card import media_files
from frame2sound.library.checksums import hash_file
from frame2sound.library.folders import ARRAY_FILES, CARD_FILE, FULL_SOUND_FILE, film_folders
from frame2sound.library.store import DAMAGED_REMEDY, Library
from frame2sound.library.summary import find_faults
from frame2sound.progress import ProgressCallback, ignore_progress


@dataclass(frozen=True)
class FilmVerification:
    """Whether a film is still as it was pickled.

    ``faults`` are lines that say what is wrong with it; ``has_checksums`` is False where its arrays
    could only be compared with its card.
    """

    film: str
    faults: tuple[str, ...]
    has_checksums: bool

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.faults


def verify_films(
    library: Library, on_progress: ProgressCallback = ignore_progress
) -> Iterator[FilmVerification]:
    """Read every film of a library from its first byte to its last; yield what was found of each.

    Progress is in bytes.
    """
    folders = film_folders(library.path)
    total, read = array_bytes(folders), 0

    def count_bytes(size: int) -> None:
        nonlocal read
        read = min(read + size, total)
        on_progress("verify", read, total, f"{read / 1e6:.0f} of {total / 1e6:.0f} MB")

    for folder in folders:
        faults = tuple(verify(library, folder, count_bytes))
        known = not faults and library.film(folder).card.checksums is not None
        yield FilmVerification(folder.name, faults, known)


def verify(
    library: Library, folder: Path, on_block: Callable[[int], None] = lambda size: None
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
    files = media_files(film.card)
    damaged = [name for name in files if any(f"/{name} is missing" in each for each in faults)]
    expected = {} if film.card.checksums is None else asdict(film.card.checksums)
    for name in (name for name in files if name not in damaged):
        try:
            got = hash_file(folder / name, on_block)
        except OSError as error:
            faults.append(f"{name} cannot be read ({error_reason(error)})")
            continue
        if got != (expected.get(Path(name).stem) or got):
            faults.append(f"{name} is not what was pickled: its checksum differs; {DAMAGED_REMEDY}")
    return faults


def array_bytes(folders: list[Path]) -> int:
    """Return the number of bytes in the arrays and sounds of films."""
    arrays = (folder / name for folder in folders for name in (*ARRAY_FILES, FULL_SOUND_FILE))
    return sum(path.lstat().st_size for path in arrays if os.path.lexists(path))
