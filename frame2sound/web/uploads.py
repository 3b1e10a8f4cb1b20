"""Uploads: a file at a time, into a folder of the project, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from frame2sound.atomic import atomic_write
from frame2sound.errors import StudioError
from frame2sound.film.decoding.image_sequence import IMAGE_SUFFIXES
from frame2sound.web.project import ANIMATIONS, FILMS, Project, safe_title

MAX_UPLOAD_BYTES = 20 << 30
"""Largest file; an hour of film in high definition has a tenth."""

KEPT_FREE_BYTES = 200 << 20
"""Room that an upload leaves on the disk, for the soundtracks."""


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
        ``animations`` or ``films``.
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
        The upload broke off, or cannot be written.
    """
    if part not in (ANIMATIONS, FILMS):
        raise StudioError(f"got the folder {part[:100]!r}, expected {ANIMATIONS} or {FILMS}")
    path = _target(project, part, name, folder)
    limit = min(max_bytes, shutil.disk_usage(project.root).free - KEPT_FREE_BYTES)
    if declared_bytes is not None and declared_bytes > limit:
        raise _too_large(name, limit)
    with (
        atomic_write(path, StudioError, overwrite=False) as partial,
        partial.open("wb") as file,
    ):
        async for chunk in content:
            if file.tell() + len(chunk) > limit:
                raise _too_large(name, limit)
            file.write(chunk)
        if declared_bytes is not None and file.tell() != declared_bytes:
            raise StudioError(f"the upload of {name[:100]} broke off; drop the file again")
    kept = path.parent if folder else path
    return f"{part}/{kept.name}"


def _target(project: Project, part: str, name: str, folder: str) -> Path:
    title = safe_title(name)
    if not folder:
        return _unused(project.root / part / title)
    if Path(title).suffix.lower() not in IMAGE_SUFFIXES:
        raise StudioError(f"got {name[:100]!r} in a folder, expected a picture, as .png")
    return project.root / part / safe_title(folder) / title


def _unused(path: Path) -> Path:
    """Return a path, or the first like ``NAME (2).mp4`` that is free."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free


def _too_large(name: str, limit: int) -> TooLargeError:
    return TooLargeError(
        f"{name[:100]} is over the limit of {max(limit, 0) / 1e6:.0f} MB; "
        "give a smaller file, or make room on the disk"
    )
