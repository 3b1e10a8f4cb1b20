"""Locks: one process at a time holds a thing, and says who it is to those who come second."""

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
    """Keep others from a thing as long as this lasts.

    The lock is the operating system's: it ends with the process that holds it, also when that is
    killed.

    Parameters
    ----------
    thing : Path
        What is held, for messages.
    lock, holder : Path
        The file that is locked, and the one that says by whom.
    error : type
    taken : str
        What the second is told; ``{holder}`` stands for the first.

    Raises
    ------
    error
        Another process holds it, or the lock cannot be written.
    """
    held = FileLock(lock_path)
    try:
        lock_path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_irregular_lock(lock_path)
        held.acquire(blocking=False)
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
        held.release()


def _refuse_irregular_lock(lock: Path) -> None:
    """Raise `OSError` where a link or a device stands in the place of the lock."""
    with suppress(FileNotFoundError):
        open_regular(lock, 1 << 16).close()


def _write_holder(holder: Path) -> None:
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    table = {"process": os.getpid(), "host": socket.gethostname(), "since": since}
    # On a full disk a film can still be dropped.
    with suppress(Frame2SoundError), atomic_write(holder, Frame2SoundError) as partial:
        partial.write_text(json.dumps(table) + "\n")


def _describe_holder(holder: Path) -> str:
    try:
        table = read_json(holder, 1 << 16)
        told = [str(table[name])[:80] for name in ("process", "host", "since")]
        return "process {} on {} since {}".format(*told)
    except (OSError, ValueError, LookupError, TypeError):  # it has only just begun
        return "another process"
