"""One process at a time writes to a library; readers take no lock."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from frame2sound.errors import LibraryError
from frame2sound.safe import sweep, unwritable, whole_file
from frame2sound.untrusted import open_regular, read_json

LOCK, HOLDER = ".lock", ".lock.json"
"""The file that is locked; and the one that says by whom."""


@contextmanager
def writing(library: Path) -> Iterator[None]:
    """Keep others from writing to a library as long as this lasts.

    The lock is the operating system's: it ends with the process that holds it, also when that is
    killed. What such a process left half-written is removed.

    Raises
    ------
    LibraryError
        Another process is writing to the library, or its folder cannot be written.
    """
    lock = FileLock(library / LOCK)
    try:
        _refuse_strangers(library / LOCK)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise LibraryError(
            f"{library} is being written to by {_holder(library)}; "
            "wait until that is done, or end it, and run the command again"
        ) from error
    except OSError as failure:
        raise LibraryError(unwritable(library, failure)) from failure
    try:
        _sign(library)
        sweep(library)
        yield
    finally:
        with suppress(OSError):
            (library / HOLDER).unlink()
        lock.release()


def _refuse_strangers(lock: Path) -> None:
    """Raise `OSError` where a link or a device stands in the place of the lock."""
    with suppress(FileNotFoundError):
        open_regular(lock, 1 << 16).close()


def _sign(library: Path) -> None:
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    table = {"process": os.getpid(), "host": socket.gethostname(), "since": since}
    # On a full disk a film can still be dropped.
    with suppress(LibraryError), whole_file(library / HOLDER, LibraryError) as partial:
        partial.write_text(json.dumps(table) + "\n")


def _holder(library: Path) -> str:
    try:
        table = read_json(library / HOLDER, 1 << 16)
        told = [str(table[name])[:80] for name in ("process", "host", "since")]
        return "process {} on {} since {}".format(*told)
    except (OSError, ValueError, LookupError, TypeError):  # it has only just begun
        return "another process"
