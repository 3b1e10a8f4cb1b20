"""The write lock of a library, which one process at a time holds; readers need no lock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from frame2sound.atomic import remove_stale
from frame2sound.errors import LibraryError
from frame2sound.locks import exclusive_lock

LOCK_FILE, HOLDER_FILE = ".lock", ".lock.json"
"""The file that is locked, and the file that names the holder."""


@contextmanager
def write_lock(library: Path) -> Iterator[None]:
    """Hold the write lock of a library for the body of the ``with`` statement.

    The operating system releases the lock when its process ends, even if it is killed. The partial
    folders that killed processes left are deleted.

    Raises
    ------
    LibraryError
        Another process is writing to the library, or its folder cannot be written.
    """
    busy = (
        f"{library} is being written to by {{holder}}; "
        "wait until that is done, or end it, and run the command again"
    )
    with exclusive_lock(library, library / LOCK_FILE, library / HOLDER_FILE, LibraryError, busy):
        remove_stale(library)
        yield
