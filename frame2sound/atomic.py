"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import glob
import os
import re
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from types import FrameType

from frame2sound.errors import Frame2SoundError

MAX_NAME_BYTES, MAX_SUFFIX_BYTES = 255, 20
"""Bytes that file systems take of a name; and of an ending that tells what is in a file."""

_PARTIAL_NAME = re.compile(r"\..*\.(\d+)-[0-9a-f]+\.partial(\..*)?", re.DOTALL)
"""Names of what is half-written, and in them the number of the process that writes it."""


@contextmanager
def atomic_write(
    path: Path, error: type[Frame2SoundError], *, overwrite: bool = True
) -> Iterator[Path]:
    """Give a path beside ``path`` to write to; on success it takes its place, else it goes.

    Raises
    ------
    error
        The file exists and may not be overwritten, its folder cannot be written, or the disk
        is full.
    """
    refuse_existing(path, error, overwrite=overwrite)
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
    """Give a new folder beside ``path`` to fill; on success it takes its place, else it goes.

    If another process has put the same folder in place meanwhile, told by the file ``proof`` in
    it, that one stays.
    """
    partial = _partial_path(path)
    try:
        with suppress(FileNotFoundError):
            path.lstat()  # a name that cannot be is told before the work
        partial.mkdir(parents=True)
        _remove_stale_beside(path)
        yield partial
        for file in partial.iterdir():
            _fsync(file)
        partial.rename(path)
        _fsync(path.parent)
    except OSError as failure:
        taken = failure.errno in (errno.EEXIST, errno.ENOTEMPTY)
        if not (taken and marker_file and (path / marker_file).exists()):
            raise error(write_error_message(path, failure)) from failure
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def defer_interrupt() -> Iterator[None]:
    """Let Ctrl-C and being told to end wait until what is inside is done, not done by half.

    Outside the main thread, which alone is interrupted, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[tuple[int, FrameType | None]] = []

    def wait(number: int, frame: FrameType | None) -> None:
        waiting.append((number, frame))

    before = {number: signal.signal(number, wait) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
    if waiting:
        number, frame = waiting[0]
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
        else:
            signal.raise_signal(number)


def refuse_existing(path: Path, error: type[Frame2SoundError], *, overwrite: bool) -> None:
    """Raise ``error`` if an output stands already and may not be overwritten."""
    try:
        folder, exists = path.is_dir(), path.exists()
    except OSError as failure:
        raise error(write_error_message(path, failure)) from failure
    if folder:
        raise error(f"{path} is a folder; expected the name of a file to write")
    if exists and not overwrite:
        raise error(f"{path} exists already; choose another name or add --overwrite")


def remove_folder(path: Path, error: type[Frame2SoundError]) -> None:
    """Delete a folder: it leaves its name at once, and is gone whole or not at all.

    Raises
    ------
    error
        It is not there, or its own folder cannot be written.
    """
    doomed = _partial_path(path)
    try:
        path.rename(doomed)
    except OSError as failure:
        raise error(write_error_message(path, failure)) from failure
    shutil.rmtree(doomed, ignore_errors=True)


def find_partial(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Yield what is half-written in a folder, and whether the process that writes it still runs."""
    for path in sorted(folder.glob(".*.partial*")):
        if (match := _PARTIAL_NAME.fullmatch(path.name)) is not None:
            yield path, _is_running(int(match[1]))


def remove_stale(folder: Path) -> None:
    """Remove what processes that were killed left half-written in a folder."""
    for path, runs in find_partial(folder):
        if not runs:
            _remove(path)


def write_error_message(path: Path, error: OSError) -> str:
    """Return what to tell a person of a path that could not be written, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"the disk is full, {path} was not written; make room and run the command again"
    why = (error.strerror or str(error)).lower()
    closed = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    remedy = "; choose a folder that you may write to" if closed else ""
    return f"{path} cannot be written ({why}){remedy}"


def truncate_name(name: str, max_bytes: int = MAX_NAME_BYTES) -> str:
    """Return as many of a name's first characters as file systems take in so many bytes."""
    while len(os.fsencode(name)) > max_bytes:
        name = name[: max(len(name) - 1 - (len(os.fsencode(name)) - max_bytes) // 4, 0)]
    return name


def _partial_path(path: Path) -> Path:
    """Return a hidden name of this process's own, with the ending that tells what is in it.

    It is no longer than file systems take, and every library that writes takes its characters.
    """
    begin, end = _partial_parts(path)
    return path.with_name(f"{begin}{os.getpid()}-{token_hex(3)}{end}")


def _partial_parts(path: Path) -> tuple[str, str]:
    """Return what a path's partial names begin and end with."""
    plain = os.fsencode(path.stem).decode("utf-8", "replace")
    ending = path.suffix if len(os.fsencode(path.suffix)) <= MAX_SUFFIX_BYTES else ""
    return f".{truncate_name(plain, MAX_NAME_BYTES - 60)}.", f".partial{ending}"


def _remove_stale_beside(path: Path) -> None:
    """Remove what processes that were killed left half-written beside a path."""
    begin, end = _partial_parts(path)
    for left in path.parent.glob(f"{glob.escape(begin)}*{glob.escape(end)}"):
        writer = left.name.removeprefix(begin).split("-")[0]
        if writer.isdecimal() and not _is_running(int(writer)):
            _remove(left)


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
