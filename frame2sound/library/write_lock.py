"""One process at a time writes to a library; readers take no lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from frame2sound.atomic import remove_stale
from frame2sound.errors import LibraryError
from frame2sound.locks import exclusive_lock

LOCK_FILE, HOLDER_FILE = ".lock", ".lock.json"
"""The file that is locked; and the one that says by whom."""


@contextmanager
def write_lock(library: Path) -> Iterator[None]:
    """Keep others from writing to a library as long as this lasts.

    The lock is the operating system's: it ends with the process that holds it, also when that is
    killed. What such a process left half-written is removed.

    Raises
    ------
    LibraryError
        Another process is writing to the library, or its folder cannot be written.
    """
    taken = (
        f"{library} is being written to by {{holder}}; "
        "wait until that is done, or end it, and run the command again"
    )
    with exclusive_lock(library, library / LOCK_FILE, library / HOLDER_FILE, LibraryError, taken):
        remove_stale(library)
        yield
