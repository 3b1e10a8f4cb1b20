"""Checksums of a film's files, to find damage that does not change their shape."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from frame2sound.library.folders import ARRAY_FILES, FULL_SOUND_FILE
from frame2sound.untrusted import open_regular

BLOCK_BYTES = 1 << 20
"""Bytes that are read at once."""


@dataclass(frozen=True)
class Checksums:
    """SHA-256 of a film's arrays and of ``full_sound.flac``, if it has one, in hexadecimal."""

    frames: str
    times: str
    sound: str
    full_sound: str | None = None

    @classmethod
    def from_folder(cls, folder: Path) -> Checksums:
        """Return the checksums of the files in a folder."""
        full_sound = folder / FULL_SOUND_FILE
        arrays = {Path(name).stem: hash_file(folder / name) for name in ARRAY_FILES}
        return cls(**arrays, full_sound=hash_file(full_sound) if full_sound.exists() else None)


def hash_file(
    path: Path,
    on_block: Callable[[int], None] = lambda size: None,
    *,
    follow_links: bool = False,
) -> str:
    """Return the SHA-256 of a regular file in hexadecimal.

    Parameters
    ----------
    on_block : callable
        Called with the length of each block that was read.
    follow_links : bool
        Whether a symbolic link is followed.

    Raises
    ------
    OSError
        As `frame2sound.untrusted.open_regular`.
    """
    digest = hashlib.sha256()
    with open_regular(path, follow_links=follow_links) as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            on_block(len(block))
    return digest.hexdigest()
