"""Checksums of a film's arrays, to find damage that does not change their shape."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from frame2sound.untrusted import open_regular

BLOCK_BYTES = 1 << 20
"""Bytes that are read at once."""


@dataclass(frozen=True)
class Checksums:
    """SHA-256 of a film's ``frames.npy``, ``times.npy`` and ``sound.npy``, in hexadecimal."""

    frames: str
    times: str
    sound: str

    @classmethod
    def from_folder(cls, folder: Path) -> Checksums:
        """Return the checksums of the arrays in a folder."""
        return cls(*(hash_file(folder / f"{name}.npy") for name in ("frames", "times", "sound")))


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
