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

LONGEST_NAME, LONGEST_ENDING = 255, 20
"""Bytes that file systems take of a name; and of an ending that tells what is in a file."""

_PARTIAL = re.compile(r"\..*\.(\d+)-[0-9a-f]+\.partial(\..*)?", re.DOTALL)
"""Names of what is half-written, and in them the number of the process that writes it."""


@contextmanager
def whole_file(
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
    partial = _partial(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        yield partial
        _sync(partial)
        partial.replace(path)
        _sync(path.parent)
    except OSError as failure:
        raise error(unwritable(path, failure)) from failure
    finally:
        with suppress(OSError):
            partial.unlink()


@contextmanager
def whole_folder(
    path: Path, error: type[Frame2SoundError], proof: str | None = None
) -> Iterator[Path]:
    """Give a new folder beside ``path`` to fill; on success it takes its place, else it goes.

    If another process has put the same folder in place meanwhile, told by the file ``proof`` in
    it, that one stays.
    """
    partial = _partial(path)
    try:
        with suppress(FileNotFoundError):
            path.lstat()  # a name that cannot be is told before the work
        partial.mkdir(parents=True)
        _sweep(path)
        yield partial
        for file in partial.iterdir():
            _sync(file)
        partial.rename(path)
        _sync(path.parent)
    except OSError as failure:
        taken = failure.errno in (errno.EEXIST, errno.ENOTEMPTY)
        if not (taken and proof and (path / proof).exists()):
            raise error(unwritable(path, failure)) from failure
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def unhurried() -> Iterator[None]:
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
        raise error(unwritable(path, failure)) from failure
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
    doomed = _partial(path)
    try:
        path.rename(doomed)
    except OSError as failure:
        raise error(unwritable(path, failure)) from failure
    shutil.rmtree(doomed, ignore_errors=True)


def half_written(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Yield what is half-written in a folder, and whether the process that writes it still runs."""
    for path in sorted(folder.glob(".*.partial*")):
        if (match := _PARTIAL.fullmatch(path.name)) is not None:
            yield path, _runs(int(match[1]))


def sweep(folder: Path) -> None:
    """Remove what processes that were killed left half-written in a folder."""
    for path, runs in half_written(folder):
        if not runs:
            _remove(path)


def unwritable(path: Path, failure: OSError) -> str:
    """Return what to tell a person of a path that could not be written, and what to do."""
    if failure.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"the disk is full, {path} was not written; make room and run the command again"
    why = (failure.strerror or str(failure)).lower()
    closed = failure.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    remedy = "; choose a folder that you may write to" if closed else ""
    return f"{path} cannot be written ({why}){remedy}"


def shortened(name: str, most: int = LONGEST_NAME) -> str:
    """Return as many of a name's first characters as file systems take in so many bytes."""
    while len(os.fsencode(name)) > most:
        name = name[: max(len(name) - 1 - (len(os.fsencode(name)) - most) // 4, 0)]
    return name


def _partial(path: Path) -> Path:
    """Return a hidden name of this process's own, with the ending that tells what is in it.

    It is no longer than file systems take, and every library that writes takes its characters.
    """
    begin, end = _partial_parts(path)
    return path.with_name(f"{begin}{os.getpid()}-{token_hex(3)}{end}")


def _partial_parts(path: Path) -> tuple[str, str]:
    """Return what a path's partial names begin and end with."""
    plain = os.fsencode(path.stem).decode("utf-8", "replace")
    ending = path.suffix if len(os.fsencode(path.suffix)) <= LONGEST_ENDING else ""
    return f".{shortened(plain, LONGEST_NAME - 60)}.", f".partial{ending}"


def _sweep(path: Path) -> None:
    """Remove what processes that were killed left half-written beside a path."""
    begin, end = _partial_parts(path)
    for left in path.parent.glob(f"{glob.escape(begin)}*{glob.escape(end)}"):
        writer = left.name.removeprefix(begin).split("-")[0]
        if writer.isdecimal() and not _runs(int(writer)):
            _remove(left)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
