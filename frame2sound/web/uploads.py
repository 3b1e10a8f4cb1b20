"""Uploads: a file at a time, into a folder of the project, whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from frame2sound.atomic import atomic_write
from frame2sound.errors import StudioError
from frame2sound.film.decoding.image_sequence import IMAGE_SUFFIXES
from frame2sound.synaesthesia.sounds import SOUND_SUFFIXES
from frame2sound.web.drawing_sets import DRAWING_SUFFIXES
from frame2sound.web.project import ANIMATIONS, DRAWINGS, FILMS, SOUNDS, Project, safe_title

MAX_UPLOAD_BYTES = 20 << 30
"""Largest file; an hour of film in high definition has a tenth."""

KEPT_FREE_BYTES = 200 << 20
"""Room that an upload leaves on the disk, for the soundtracks."""


PARTS = (ANIMATIONS, FILMS, SOUNDS, DRAWINGS)
"""Folders that take uploads."""

_SUFFIXES = {SOUNDS: SOUND_SUFFIXES, DRAWINGS: DRAWING_SUFFIXES}
_EXPECTED = {SOUNDS: "a sound or a film, as .wav or .mp4", DRAWINGS: "a drawing, as .svg or .png"}


class TooLargeError(StudioError):
    """An upload is over the limit, or over what the disk holds."""


async def save_upload(
    project: Project,
    part: str,
    name: str,
    folder: str,
    content: AsyncIterator[bytes],
    declared_bytes: int | None,
    max_bytes: int = MAX_UPLOAD_BYTES,
) -> str:
    """Write an upload and return its name in the project.

    Parameters
    ----------
    project : Project
    part : str
        One of `PARTS`.
    name, folder : str
        Name of the file, and of a folder for it where it is one of numbered pictures.
    content : async iterator of bytes
    declared_bytes : int, optional
        What the browser says of its size.
    max_bytes : int

    Raises
    ------
    TooLargeError
        It is too large.
    StudioError
        The upload broke off, is of another kind than its folder, or cannot be written.
    """
    if part not in PARTS:
        raise StudioError(f"got the folder {part[:100]!r}, expected one of {', '.join(PARTS)}")
    if part in _SUFFIXES and Path(name).suffix.lower() not in _SUFFIXES[part]:
        raise StudioError(f"got {name[:100]!r}, expected {_EXPECTED[part]}")
    with _reserve(_target(project, part, name, folder)) as path:
        await _write(path, name, content, declared_bytes, _limit(project, max_bytes))
    kept = path.parent if folder else path
    return f"{part}/{kept.name}"


async def _write(
    path: Path,
    name: str,
    content: AsyncIterator[bytes],
    declared_bytes: int | None,
    limit: int,
) -> None:
    if declared_bytes is not None and declared_bytes > limit:
        raise _too_large(name, limit)
    with (
        atomic_write(path, StudioError, overwrite=False) as partial,
        partial.open("wb") as file,
    ):
        try:
            async for chunk in content:
                if file.tell() + len(chunk) > limit:
                    raise _too_large(name, limit)
                file.write(chunk)
        except ClientDisconnect as gone:
            raise _broken_off(name) from gone
        if declared_bytes is not None and file.tell() != declared_bytes:
            raise _broken_off(name)
        await run_in_threadpool(_to_disk, file)  # the page is answered meanwhile


def _to_disk(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _limit(project: Project, max_bytes: int) -> int:
    return min(max_bytes, shutil.disk_usage(project.root).free - KEPT_FREE_BYTES)


_reserved: set[Path] = set()
"""The files of uploads that go on: another tab may send one of the same name."""


@contextmanager
def _reserve(path: Path) -> Iterator[Path]:
    _reserved.add(path)
    try:
        yield path
    finally:
        _reserved.discard(path)


def _target(project: Project, part: str, name: str, folder: str) -> Path:
    title = safe_title(name)
    _refuse_link(project.root, part)
    if not folder:
        return _unused(project.root / part / title)
    if Path(title).suffix.lower() not in IMAGE_SUFFIXES:
        raise StudioError(f"got {name[:100]!r} in a folder, expected a picture, as .png")
    _refuse_link(project.root, f"{part}/{safe_title(folder)}")
    path = project.root / part / safe_title(folder) / title
    if path in _reserved:
        raise StudioError(f"{name[:100]} is being sent by another page; wait for it")
    return path


def _refuse_link(root: Path, folder: str) -> None:
    if (root / folder).is_symlink():
        raise StudioError(
            f"{folder} is a link; the studio follows none; put there what it leads to"
        )


def _unused(path: Path) -> Path:
    """Return a path, or the first like ``NAME (2).mp4`` that is free."""
    number, free = 1, path
    while free.exists() or free in _reserved:
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free


def _broken_off(name: str) -> StudioError:
    return StudioError(f"the upload of {name[:100]} broke off; drop the file again")


def _too_large(name: str, limit: int) -> TooLargeError:
    return TooLargeError(
        f"{name[:100]} is over the limit of {max(limit, 0) / 1e6:.0f} MB; "
        "give a smaller file, or make room on the disk"
    )
