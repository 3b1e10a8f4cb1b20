"""Decode pictures and films at full size, in a process of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.colours import Planes, to_rgb
from frame2sound.carriers.page_source import Picture
from frame2sound.errors import FilmError
from frame2sound.film.decoding.ffmpeg_input import open_film
from frame2sound.film.limits import DEFAULT_LIMITS
from frame2sound.film.sandbox import (
    ChildProcess,
    ErrorAnswer,
    Heartbeat,
    ParentConnection,
    limit_memory,
    message_decoder,
    send_errors,
    serve,
)

BT_709, FULL_RANGE = 1, 2
"""FFmpeg's numbers of a matrix and a range."""

WORDS = "<u2"

PAPER = 128
"""Grey behind what is transparent."""


class _Open(msgspec.Struct, frozen=True, tag=True):
    path: Path


class _Shown(msgspec.Struct, frozen=True, tag=True):
    """RGB or grey: bytes, words of 16 bits, or float32 of 0 to 255; ``bits`` are the file's."""

    height: int
    width: int
    bits: int
    kind: str
    data: bytes


class _Done(msgspec.Struct, frozen=True, tag=True):
    pass


_ANSWER = message_decoder(_Shown | _Done | Heartbeat | ErrorAnswer)
_REQUEST = message_decoder(_Open)


def decode_pictures(path: Path) -> Iterator[Picture]:
    """Yield the pictures of a film, or the one of a picture file.

    Raises
    ------
    FilmError
        The file cannot be read, or has no pictures; a decoder crashes or hangs.
    """
    child = ChildProcess(__name__, path, _ANSWER)
    try:
        child.send_request(_Open(path))
        while not isinstance(answer := child.receive_answer(), _Done):
            yield _unpack(answer)
    finally:
        child.close()


def read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata of a film, without decoding it."""
    with open_film(path, limits=DEFAULT_LIMITS) as film:
        return {key.lower(): value for key, value in film.metadata.items()}


def _unpack(shown: _Shown) -> Picture:
    stored = np.frombuffer(shown.data, shown.kind).reshape(shown.height, shown.width, -1)
    planes = _levels(stored)
    return Picture(np.repeat(planes, 3, axis=2) if planes.shape[2] == 1 else planes, shown.bits)


def _levels(stored: NDArray[Any]) -> NDArray[np.float32]:
    """Return levels of 0 to 255 of bytes, words or levels."""
    levels: NDArray[np.float32] = stored.astype(np.float32)
    if stored.dtype == WORDS:
        levels /= 257
    return levels


def _run(parent: ParentConnection) -> None:
    request = parent.receive_request(_REQUEST)
    assert isinstance(request, _Open)
    limit_memory(DEFAULT_LIMITS)
    with send_errors(parent, request.path):
        with open_film(request.path, limits=DEFAULT_LIMITS) as film:
            if not film.streams.video:
                raise FilmError(
                    f"{request.path} has no pictures; expected one that carries a sound"
                )
            stream = film.streams.video[0]
            stream.thread_count = 1
            try:
                for frame in film.decode(stream):
                    DEFAULT_LIMITS.check_picture_size(request.path, frame.width, frame.height)
                    parent.send_answer(_pack(frame))
            except av.FFmpegError as error:
                if _is_animated_webp(request.path):
                    reason = "is an animated WebP; save it as APNG, as a film or as pictures"
                else:
                    reason = f"is damaged ({error.strerror}); copy it again"
                raise FilmError(f"{request.path} {reason}") from error
        parent.send_answer(_Done())


def _is_animated_webp(path: Path) -> bool:
    with path.open("rb") as file:
        begin = file.read(64)
    return begin[:4] == b"RIFF" and b"ANIM" in begin


def _pack(frame: av.VideoFrame) -> _Shown:
    name, size = frame.format.name, (frame.height, frame.width)
    bits = frame.format.components[0].bits
    is_deep = bits > 8
    if name.startswith("yuv") and (bits == 8 or name.endswith("le")):
        return _Shown(*size, bits, "<f4", _from_yuv(frame).astype(np.float32).tobytes())
    if any(component.is_alpha for component in frame.format.components) or name == "pal8":
        rgba = _levels(frame.to_ndarray(format="rgba64le" if is_deep else "rgba"))
        return _Shown(*size, bits, "<f4", _over_paper(rgba[..., :3], rgba[..., 3]).tobytes())
    if not is_deep:
        return _Shown(*size, bits, "u1", frame.to_ndarray(format="rgb24").tobytes())
    deep = "gray16le" if name.startswith("gray") else "rgb48le"
    return _Shown(*size, bits, WORDS, frame.to_ndarray(format=deep).tobytes())


def _over_paper(rgb: Planes, alpha: Planes) -> Planes:
    share = alpha[..., None] / 255
    return share * rgb + (1 - share) * PAPER


def _from_yuv(frame: av.VideoFrame) -> Planes:
    """Return RGB of planes of luma and chroma, without rounding and without smoothing chroma."""
    full = frame.format.name.startswith("yuvj") or int(frame.color_range) == FULL_RANGE
    y, *chroma = (_plane(frame, n) for n in range(3))
    down, across = -(-y.shape[0] // chroma[0].shape[0]), -(-y.shape[1] // chroma[0].shape[1])
    blue, red = (
        np.repeat(np.repeat(c, down, 0), across, 1)[: y.shape[0], : y.shape[1]] - 128
        for c in chroma
    )
    if not full:
        y, blue, red = (y - 16) * (255 / 219), blue * (255 / 224), red * (255 / 224)
    if int(frame.colorspace) != BT_709:
        rgb = to_rgb(np.stack([y, blue, red], axis=-1))
    else:
        green = y - 0.187324 * blue - 0.468124 * red
        rgb = np.stack([y + 1.5748 * red, green, y + 1.8556 * blue], axis=-1)
    has_alpha = frame.format.name.startswith("yuva")
    return _over_paper(rgb, _plane(frame, 3)) if has_alpha else rgb


def _plane(frame: av.VideoFrame, number: int) -> NDArray[np.float32]:
    """Return a plane of luma or chroma in levels of 8 bits, which deeper ones divide."""
    plane, bits = frame.planes[number], frame.format.components[0].bits
    kind = np.dtype("<u2" if bits > 8 else "u1")
    rows = np.frombuffer(memoryview(plane), kind).reshape(-1, plane.line_size // kind.itemsize)
    levels: NDArray[np.float32] = rows[: plane.height, : plane.width].astype(np.float32)
    levels /= 1 << (bits - 8)
    return levels


if __name__ == "__main__":
    serve(_run)
