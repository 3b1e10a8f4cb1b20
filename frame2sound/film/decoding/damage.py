"""Record damage of a film, and detect truncated films and files that hold a second film."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import av
from av.container import InputContainer

from frame2sound.errors import OR_USE_DAMAGED, DamagedFilmError
from frame2sound.film.decoding.ffmpeg_input import open_regular_file
from frame2sound.film.decoding.probe import DEMUXERS_WITH_EXACT_DURATION, Streams

TRUNCATION_TOLERANCE_SECONDS = 1.0
"""A film that ends before its declared duration by less is complete."""

MAX_PARTS = 1 << 20
"""Boxes or tags of a file that are searched for a second film."""

_EBML = b"\x1a\x45\xdf\xa3"


@dataclass
class DamageLog:
    """Collects where a film is damaged, or raises at the first damage.

    Parameters
    ----------
    streams : Streams
    allow_damaged : bool
        Collect damage instead of raising `DamagedFilmError`.
    """

    streams: Streams
    allow_damaged: bool
    _damaged_seconds: list[float] = field(default_factory=list)
    _second_film_offset: int | None = None

    def record(self, at_seconds: float, reason: str | None = None) -> None:
        """Record damage at a time of the container's clock.

        Raises
        ------
        DamagedFilmError
            Damage is not allowed.
        """
        seconds = max(at_seconds - float(self.streams.start_seconds), 0.0)
        if not self.allow_damaged:
            reason = reason or f"cannot be decoded at {seconds:.2f} s"
            raise DamagedFilmError(
                f"{self.streams.path} is damaged: it {reason}; copy it again{OR_USE_DAMAGED}"
            )
        self._damaged_seconds.append(seconds)

    def clear(self) -> None:
        """Forget what was recorded, since the film is decoded again from its start."""
        self._damaged_seconds.clear()

    def check_truncation(self, container: InputContainer, end_seconds: float) -> None:
        """Record damage if a film ends before its declared duration."""
        if container.format.name not in DEMUXERS_WITH_EXACT_DURATION or not container.duration:
            return
        # All of these count the duration from 0, even if the first timestamp is later.
        declared = container.duration / av.time_base
        if end_seconds < declared - TRUNCATION_TOLERANCE_SECONDS:
            self.record(
                end_seconds, f"ends at {end_seconds:.2f} s of the {declared:.2f} s it declares"
            )

    def check_second_film(self, container: InputContainer) -> None:
        """Raise `DamagedFilmError`, or add a note, if the file holds a second film."""
        offset = find_second_film(self.streams.path, container.format.name)
        self._second_film_offset = offset
        if offset is not None and not self.allow_damaged:
            raise DamagedFilmError(
                f"{self.streams.path} holds a second film from byte {offset} on, which cannot be "
                "read with the first; split it there, or use the first alone with "
                "`allow_damaged=True`"
            )

    def notes(self) -> list[str]:
        """Return what a person should know about the damage."""
        notes = []
        if self._second_film_offset is not None:
            notes.append(f"a second film from byte {self._second_film_offset} on was left out")
        if self._damaged_seconds:
            first, last = min(self._damaged_seconds), max(self._damaged_seconds)
            notes.append(f"damaged from {first:.2f} s to {last:.2f} s; used what decodes")
        return notes


def find_second_film(path: Path, demuxer: str) -> int | None:
    """Return the byte offset at which a second film follows, which demuxers ignore; None if none.

    Parameters
    ----------
    demuxer : str
        FFmpeg's name of the film's demuxer.
    """
    find = _FINDERS.get(demuxer)
    if find is None:
        return None
    with os.fdopen(open_regular_file(path), "rb") as file:
        return find(file, os.fstat(file.fileno()).st_size)


def _find_in_mp4(file: IO[bytes], size: int) -> int | None:
    """Return the offset of a second file type box at top level (ISO 14496-12, 4.2 and 4.3)."""
    offset, films = 0, 0
    for _ in range(MAX_PARTS):
        file.seek(offset)
        head = file.read(16)
        if len(head) < 8:
            return None
        length, kind = struct.unpack(">I4s", head[:8])
        if kind == b"moof":
            return None  # fragments may have headers of their own
        if kind == b"ftyp":
            films += 1
            if films == 2:
                return offset
        if length == 1 and len(head) == 16:
            (length,) = struct.unpack(">Q", head[8:])
        if length < 8 or offset + length >= size:
            return None
        offset += length
    return None


def _find_in_matroska(file: IO[bytes], size: int) -> int | None:
    """Return the offset of a header after the first segment of known size (RFC 9559, 5.1)."""
    offset = 0
    for _ in range(2):  # the header and the segment
        end = _element_end(file, offset)
        if end is None:
            return None
        offset = end
    file.seek(offset)
    return offset if offset < size and file.read(4) == _EBML else None


def _element_end(file: IO[bytes], offset: int) -> int | None:
    """Return the end of an EBML element (RFC 8794, 4); None if its size is unknown."""
    file.seek(offset)
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
    return None if length == mask else offset + name + width + length


def _find_in_flv(file: IO[bytes], size: int) -> int | None:
    """Return the offset of a header between tags (Adobe Flash Video File Format 10.1, annex E)."""
    offset = 13
    for _ in range(MAX_PARTS):
        file.seek(offset)
        head = file.read(4)
        if len(head) < 4:
            return None
        if head == b"FLV\x01":
            return offset
        offset += 15 + int.from_bytes(head[1:], "big")
    return None


_FINDERS: dict[str, Callable[[IO[bytes], int], int | None]] = {
    "mov,mp4,m4a,3gp,3g2,mj2": _find_in_mp4,
    "matroska,webm": _find_in_matroska,
    "flv": _find_in_flv,
}
