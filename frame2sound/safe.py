"""Files and folders that appear whole or not at all."""

from __future__ import annotations

import errno
import glob
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
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
    partial = _partial(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
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
def whole_folder(
    path: Path, error: type[Frame2SoundError], proof: str | None = None
) -> Iterator[Path]:
    """Give a new folder beside ``path`` to fill; on success it takes its place, else it goes.

    If another process has put the same folder in place meanwhile, told by the file ``proof`` in
    it, that one stays.
    """
    partial = _partial(path)
    try:
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


def _partial(path: Path) -> Path:
    """Return a hidden name of this process's own, with the ending that tells what is in it."""
    return path.with_name(f".{path.stem}.{os.getpid()}-{token_hex(3)}.partial{path.suffix}")


def _sweep(path: Path) -> None:
    """Remove what processes that were killed left half-written beside a path."""
    for left in path.parent.glob(f".{glob.escape(path.stem)}.*.partial{glob.escape(path.suffix)}"):
        writer = left.name.removeprefix(f".{path.stem}.").split("-")[0]
        if not writer.isdecimal() or _runs(int(writer)):
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


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


def _say(path: Path, failure: OSError) -> str:
    if failure.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"the disk is full, {path} was not written; make room and run the command again"
    return f"{path} cannot be written ({(failure.strerror or str(failure)).lower()})"
