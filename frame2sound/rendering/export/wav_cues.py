"""Cue points in WAV files: markers that audio editors show.

Multimedia Programming Interface and Data Specifications 1.0 (IBM and Microsoft, 1991): a chunk
``cue `` has a number and a sample for each point, a list ``adtl`` their labels.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from frame2sound.rendering.export.markers import Marker
from frame2sound.sound.wav_file import MAX_WAV_BYTES

MAX_LABEL_BYTES = 200


def add_cues(path: Path, markers: Sequence[Marker]) -> None:
    """Append cue points with labels to a WAV file; without markers it stays as it is.

    So does a file that would be too long for a WAV.
    """
    chunks = _chunk(b"cue ", _points(markers)) + _chunk(b"LIST", _labels(markers))
    size = path.stat().st_size
    if not markers or size + len(chunks) - 8 > MAX_WAV_BYTES:
        return
    with path.open("r+b") as file:
        file.seek(0, 2)
        if size % 2:
            file.write(b"\0")
        file.write(chunks)
        size = file.tell()
        file.seek(4)
        file.write(struct.pack("<I", size - 8))


def clear_peak_time(path: Path) -> None:
    """Set the time in the header of a WAV file of floating-point numbers to 0."""
    with path.open("r+b") as file:
        at = file.read(200).find(b"PEAK")
        if at >= 0:
            file.seek(at + 12)
            file.write(b"\0" * 4)


def _points(markers: Sequence[Marker]) -> bytes:
    points = [
        struct.pack("<II4sIII", number, marker.sample, b"data", 0, 0, marker.sample)
        for number, marker in enumerate(markers, 1)
    ]
    return struct.pack("<I", len(points)) + b"".join(points)


def _labels(markers: Sequence[Marker]) -> bytes:
    labels = [
        _chunk(b"labl", struct.pack("<I", number) + _label(marker.name))
        for number, marker in enumerate(markers, 1)
    ]
    return b"adtl" + b"".join(labels)


def _label(name: str) -> bytes:
    """Return a text that ends in zero and holds none."""
    encoded = name.replace("\0", "").encode("utf-8", "replace")[:MAX_LABEL_BYTES]
    return encoded.decode("utf-8", "ignore").encode() + b"\0"


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
