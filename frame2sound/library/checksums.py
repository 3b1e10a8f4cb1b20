"""Checksums of pickled arrays, by which damage is found that no shape shows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from frame2sound.untrusted import open_regular

BLOCK_BYTES = 1 << 20
"""Bytes read at once where progress is told."""


@dataclass(frozen=True)
class Checksums:
    """SHA-256 of a film's ``frames.npy``, ``times.npy`` and ``sound.npy``, in hexadecimal."""

    frames: str
    times: str
    sound: str

    @classmethod
    def from_folder(cls, folder: Path) -> Checksums:
        """Return those of the finished files in a folder."""
        return cls(*(_sha256(folder / f"{name}.npy") for name in ("frames", "times", "sound")))


def hash_file(path: Path, on_block: Callable[[int], None] = lambda size: None) -> str:
    """Return the SHA-256 of a file; `on_block` is called with the bytes of every block read."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            on_block(len(block))
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
