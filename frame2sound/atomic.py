"""Write files and folders so that they appear complete or not at all."""

from __future__ import annotations

import errno
import glob
import os
import re
import shutil
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from types import FrameType

from frame2sound.errors import Frame2SoundError, error_reason

MAX_NAME_BYTES, MAX_SUFFIX_BYTES = 255, 20
"""The longest name that file systems accept; and the longest suffix that is kept, in bytes."""

_PARTIAL_NAME = re.compile(r"\..*\.(\d+)-[0-9a-f]+\.partial(\..*)?", re.DOTALL)
"""Names of partial files and folders; they contain the id of the process that writes them."""


@contextmanager
def atomic_write(
    path: Path, error: type[Frame2SoundError], *, overwrite: bool = True
) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it replaces ``path``, else it is deleted.

    Raises
    ------
    error
        The file exists and ``overwrite`` is false, its folder cannot be written, or the disk is
        full.
    """
    check_writable(path, error, overwrite=overwrite)
    partial = _partial_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_stale_beside(path)
        yield partial
        _fsync(partial)
        partial.replace(path)
        _fsync(path.parent)
    except OSError as failure:
        raise error(write_error_message(path, failure)) from failure
    finally:
        with suppress(OSError):
            partial.unlink()


@contextmanager
def atomic_folder(
    path: Path, error: type[Frame2SoundError], marker_file: str | None = None
) -> Iterator[Path]:
    """Yield a new folder beside ``path``; on success it is renamed to ``path``, else deleted.

    If another process has created the same folder meanwhile, recognised by ``marker_file`` in it,
    that folder stays.

    Raises
    ------
    error
        The folder cannot be written, or the disk is full.
    """
    partial = _partial_path(path)
    try:
        with suppress(FileNotFoundError):
            path.lstat()  # refuse an impossible name before the work
        partial.mkdir(parents=True)
        _remove_stale_beside(path)
        yield partial
        for file in partial.iterdir():
            _fsync(file)
        partial.rename(path)
        _fsync(path.parent)
    except OSError as failure:
        exists = failure.errno in (errno.EEXIST, errno.ENOTEMPTY)
        if not (exists and marker_file and (path / marker_file).exists()):
            raise error(write_error_message(path, failure)) from failure
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def defer_interrupt() -> Iterator[None]:
    """Delay SIGINT and SIGTERM until the body of the ``with`` statement has finished.

    Outside the main thread, which alone receives signals, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending: list[tuple[int, FrameType | None]] = []

    def record(number: int, frame: FrameType | None) -> None:
        pending.append((number, frame))

    handlers = {number: signal.signal(number, record) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for kind, handler in handlers.items():
            signal.signal(kind, handler)
    if pending:
        number, frame = pending[0]
        handler = handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
        else:
            signal.raise_signal(number)


def check_writable(path: Path, error: type[Frame2SoundError], *, overwrite: bool) -> None:
    """Refuse an output that cannot be written; asked before long work, it saves the wait.

    Raises
    ------
    error
        It is a folder, or exists and ``overwrite`` is false, or its folder may not be written to.
    """
    try:
        is_folder, exists = path.is_dir(), path.exists()
        _check_folder(path.absolute().parent)
    except OSError as failure:
        raise error(write_error_message(path, failure)) from failure
    if is_folder:
        raise error(f"{path} is a folder; expected the name of a file to write")
    if exists and not overwrite:
        raise error(f"{path} exists already; choose another name or give `overwrite=True`")


def refuse_inputs(path: Path, inputs: Iterable[Path], error: type[Frame2SoundError]) -> None:
    """Raise ``error`` if an output is one of the files that are read, under whatever name."""
    if path.exists() and any(each.exists() and path.samefile(each) for each in inputs):
        raise error(f"{path} is read by this command; choose another name")


def _check_folder(folder: Path) -> None:
    """Raise an error of the system if a folder cannot be made or written to."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def remove_folder(path: Path, error: type[Frame2SoundError]) -> None:
    """Delete a folder: its name disappears at once, or it stays complete.

    Raises
    ------
    error
        The folder does not exist, or its parent cannot be written.
    """
    doomed = _partial_path(path)
    try:
        path.rename(doomed)
    except OSError as failure:
        raise error(write_error_message(path, failure)) from failure
    shutil.rmtree(doomed, ignore_errors=True)


def find_partial(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the partial files and folders in a folder, and whether their process still runs."""
    for path in sorted(folder.glob(".*.partial*")):
        if (match := _PARTIAL_NAME.fullmatch(path.name)) is not None:
            yield path, _is_running(int(match[1]))


def remove_stale(folder: Path) -> None:
    """Delete the partial files and folders that killed processes left in a folder."""
    for path, runs in find_partial(folder):
        if not runs:
            _remove(path)


def write_error_message(path: Path, error: OSError) -> str:
    """Return a message that says why a path could not be written, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"the disk is full, {path} was not written; make room and run the command again"
    is_forbidden = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    remedy = "; choose a folder that you may write to" if is_forbidden else ""
    return f"{path} cannot be written ({error_reason(error)}){remedy}"


def truncate_name(name: str, max_bytes: int = MAX_NAME_BYTES) -> str:
    """Return the beginning of a name that fits into ``max_bytes`` bytes on a file system."""
    while len(os.fsencode(name)) > max_bytes:
        name = name[: max(len(name) - 1 - (len(os.fsencode(name)) - max_bytes) // 4, 0)]
    return name


def _partial_path(path: Path) -> Path:
    """Return a hidden name that is unique to this process and has the suffix of ``path``.

    File systems accept its length, and libraries that write files accept its characters.
    """
    begin, end = _partial_parts(path)
    return path.with_name(f"{begin}{os.getpid()}-{token_hex(3)}{end}")


def _partial_parts(path: Path) -> tuple[str, str]:
    """Return the prefix and the suffix of the partial names of a path."""
    stem = os.fsencode(path.stem).decode("utf-8", "replace")
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= MAX_SUFFIX_BYTES else ""
    return f".{truncate_name(stem, MAX_NAME_BYTES - 60)}.", f".partial{suffix}"


def _remove_stale_beside(path: Path) -> None:
    """Delete the partial files that killed processes left for this path."""
    begin, end = _partial_parts(path)
    for partial in path.parent.glob(f"{glob.escape(begin)}*{glob.escape(end)}"):
        pid = partial.name.removeprefix(begin).split("-")[0]
        if pid.isdecimal() and not _is_running(int(pid)):
            _remove(partial)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
