"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from frame2sound.errors import Frame2SoundError


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
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        _sync(partial)
        partial.replace(path)
        _sync(path.parent)
    except OSError as failure:
        raise error(_say(path, failure)) from failure
    finally:
        with suppress(OSError):
            partial.unlink()


@contextmanager
def whole_folder(path: Path, error: type[Frame2SoundError]) -> Iterator[Path]:
    """Give a new folder beside ``path`` to fill; on success it takes its place, else it goes."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        for file in partial.iterdir():
            _sync(file)
        partial.rename(path)
        _sync(path.parent)
    except OSError as failure:
        raise error(_say(path, failure)) from failure
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def unhurried() -> Iterator[None]:
    """Let an interrupt (Ctrl-C) wait until what is inside is done, so that it is not done by half.

    Outside the main thread, which alone is interrupted, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: waiting.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting and callable(before):
        before(*waiting[0])


def refuse_existing(path: Path, error: type[Frame2SoundError], *, overwrite: bool) -> None:
    """Raise ``error`` if an output stands already and may not be overwritten."""
    try:
        folder, exists = path.is_dir(), path.exists()
    except OSError as failure:
        raise error(_say(path, failure)) from failure
    if folder:
        raise error(f"{path} is a folder; expected the name of a file to write")
    if exists and not overwrite:
        raise error(f"{path} exists already; choose another name or add --overwrite")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _say(path: Path, failure: OSError) -> str:
    if failure.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"the disk is full, {path} was not written; make room and run the command again"
    return f"{path} cannot be written ({(failure.strerror or str(failure)).lower()})"
