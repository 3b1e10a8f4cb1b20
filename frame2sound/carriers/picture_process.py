"""Decode pictures and films at full size, in a process of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import msgspec
import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.colours import Planes, to_rgb
from frame2sound.carriers.page_reader import Picture
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

PAPER = 128
"""Grey behind what is transparent."""


class _Open(msgspec.Struct, frozen=True, tag=True):
    path: Path


class _Shown(msgspec.Struct, frozen=True, tag=True):
    """RGB, 0 to 255: bytes if ``bits`` is 8, else float32; one channel if it is grey of 16 bits."""

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
    if shown.bits == 16:
        return Picture(np.repeat(stored.astype(np.float32) / 257, 3, axis=2), 16)
    return Picture(stored.astype(np.float32))


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
                raise FilmError(
                    f"{request.path} is damaged ({error.strerror}); copy it again"
                ) from error
        parent.send_answer(_Done())


def _pack(frame: av.VideoFrame) -> _Shown:
    name, size = frame.format.name, (frame.height, frame.width)
    if name.startswith("gray16"):
        grey = frame.to_ndarray(format="gray16le")
        return _Shown(*size, 16, "<u2", grey.tobytes())
    if name.startswith("yuv") and name.count("a") == 0 and frame.format.components[0].bits == 8:
        return _Shown(*size, 8, "<f4", _from_yuv(frame).astype(np.float32).tobytes())
    if any(component.is_alpha for component in frame.format.components) or name == "pal8":
        rgba = np.asarray(frame.to_ndarray(format="rgba"), np.uint8)
        return _Shown(*size, 8, "u1", _over_paper(rgba).tobytes())
    return _Shown(*size, 8, "u1", frame.to_ndarray(format="rgb24").tobytes())


def _over_paper(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    alpha = rgba[..., 3:].astype(np.float32) / 255
    mixed = alpha * rgba[..., :3] + (1 - alpha) * PAPER
    return np.rint(mixed).astype(np.uint8)


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
        return np.asarray(to_rgb(np.stack([y, blue, red], axis=-1)))
    green = y - 0.187324 * blue - 0.468124 * red
    return np.stack([y + 1.5748 * red, green, y + 1.8556 * blue], axis=-1)


def _plane(frame: av.VideoFrame, number: int) -> NDArray[np.float32]:
    plane = frame.planes[number]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width].astype(np.float32)


if __name__ == "__main__":
    serve(_run)
