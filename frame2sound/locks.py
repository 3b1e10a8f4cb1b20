"""Locks that one process at a time holds; another process is told who holds it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from frame2sound.atomic import atomic_write, write_error_message
from frame2sound.errors import Frame2SoundError
from frame2sound.untrusted import open_regular, read_json


@contextmanager
def exclusive_lock(
    locked_path: Path,
    lock_path: Path,
    holder_path: Path,
    error: type[Frame2SoundError],
    busy_message: str,
) -> Iterator[None]:
    """Hold a lock for the body of the ``with`` statement.

    The operating system releases the lock when its process ends, even if it is killed.

    Parameters
    ----------
    locked_path : Path
        The file or folder that the lock protects, for messages.
    lock_path, holder_path : Path
        The file that is locked, and the file that names the holder.
    error : type
    busy_message : str
        The message for a second process; ``{holder}`` is replaced by a description of the first.

    Raises
    ------
    error
        Another process holds it, or the lock cannot be written.
    """
    lock = FileLock(lock_path)
    try:
        lock_path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_irregular_lock(lock_path)
        lock.acquire(blocking=False)
    except Timeout as failure:
        raise error(busy_message.replace("{holder}", _describe_holder(holder_path))) from failure
    except OSError as failure:
        raise error(write_error_message(locked_path, failure)) from failure
    try:
        _write_holder(holder_path)
        yield
    finally:
        with suppress(OSError):
            holder_path.unlink()
        lock.release()


def _refuse_irregular_lock(lock_path: Path) -> None:
    """Raise `OSError` if the lock file is a link or a device."""
    with suppress(FileNotFoundError):
        open_regular(lock_path, 1 << 16).close()


def _write_holder(holder: Path) -> None:
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    table = {"process": os.getpid(), "host": socket.gethostname(), "since": since}
    # A full disk must not prevent the deletion of a film.
    with suppress(Frame2SoundError), atomic_write(holder, Frame2SoundError) as partial:
        partial.write_text(json.dumps(table) + "\n")


def _describe_holder(holder: Path) -> str:
    try:
        table = read_json(holder, 1 << 16)
        values = [str(table[name])[:80] for name in ("process", "host", "since")]
        return "process {} on {} since {}".format(*values)
    except (OSError, ValueError, LookupError, TypeError):  # the holder has not written it yet
        return "another process"
