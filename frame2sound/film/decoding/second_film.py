"""Files in which a second film follows the first, where demuxers read only the first."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import IO

from frame2sound.film.decoding.ffmpeg_input import open_regular_file

MAX_PARTS = 1 << 20
"""Parts of a file that are looked at."""

_EBML = b"\x1a\x45\xdf\xa3"


def find_second_film(path: Path, demuxer: str) -> int | None:
    """Return the byte at which another film begins, if that is known.

    Parameters
    ----------
    container : str
        FFmpeg's name of the film's demuxer.
    """
    look = _FINDERS.get(demuxer)
    if look is None:
        return None
    with os.fdopen(open_regular_file(path), "rb") as file:
        return look(file, os.fstat(file.fileno()).st_size)


def _find_in_mp4(file: IO[bytes], size: int) -> int | None:
    """Look for a second file type box at the top level (ISO 14496-12, 4.2 and 4.3)."""
    at, films = 0, 0
    for _ in range(MAX_PARTS):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return None
        length, kind = struct.unpack(">I4s", head[:8])
        if kind == b"moof":
            return None  # fragments may come with heads of their own
        if kind == b"ftyp":
            films += 1
            if films == 2:
                return at
        if length == 1 and len(head) == 16:
            (length,) = struct.unpack(">Q", head[8:])
        if length < 8 or at + length >= size:
            return None
        at += length
    return None


def _find_in_matroska(file: IO[bytes], size: int) -> int | None:
    """Look behind the first segment, where it says how long it is (RFC 9559, 5.1)."""
    at = 0
    for _ in range(2):  # the head, and the segment
        end = _element_end(file, at)
        if end is None:
            return None
        at = end
    file.seek(at)
    return at if at < size and file.read(4) == _EBML else None


def _element_end(file: IO[bytes], at: int) -> int | None:
    """Return where an EBML element ends (RFC 8794, 4); None where it does not say."""
    file.seek(at)
    head = file.read(12)
    if len(head) < 12 or not head[0]:
        return None
    name = 9 - head[0].bit_length()
    if not head[name]:
        return None
    width = 9 - head[name].bit_length()
    if name + width > len(head):
        return None
    mask = (1 << 7 * width) - 1
    length = int.from_bytes(head[name : name + width], "big") & mask
    return None if length == mask else at + name + width + length


def _find_in_flv(file: IO[bytes], size: int) -> int | None:
    """Walk along the tags (Adobe's Flash Video File Format 10.1, annex E)."""
    at = 13
    for _ in range(MAX_PARTS):
        file.seek(at)
        head = file.read(4)
        if len(head) < 4:
            return None
        if head == b"FLV\x01":
            return at
        at += 15 + int.from_bytes(head[1:], "big")
    return None


_FINDERS: dict[str, Callable[[IO[bytes], int], int | None]] = {
    "mov,mp4,m4a,3gp,3g2,mj2": _find_in_mp4,
    "matroska,webm": _find_in_matroska,
    "flv": _find_in_flv,
}
