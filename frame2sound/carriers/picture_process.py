"""Decode pictures and films at full size, in a process of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from frame2sound.carriers.colours import Planes, grey
from frame2sound.carriers.page_source import Picture
from frame2sound.carriers.yuv_image import YuvImage
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


class _ShownYuv(msgspec.Struct, frozen=True, tag=True):
    """Luma and both chroma, each with its height and width, as the file has them."""

    bits: int
    is_full: bool
    is_bt_709: bool
    planes: list[tuple[int, int, bytes]]


class _Done(msgspec.Struct, frozen=True, tag=True):
    pass


_ANSWER = message_decoder(_Shown | _ShownYuv | _Done | Heartbeat | ErrorAnswer)
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


def _unpack(shown: _Shown | _ShownYuv) -> Picture:
    if isinstance(shown, _ShownYuv):
        return Picture(_yuv_image(shown), shown.bits)
    stored = np.frombuffer(shown.data, shown.kind).reshape(shown.height, shown.width, -1)
    planes = _levels(stored)
    return Picture(grey(planes[..., 0]) if planes.shape[2] == 1 else planes, shown.bits)


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


def _pack(frame: av.VideoFrame) -> _Shown | _ShownYuv:
    name, size = frame.format.name, (frame.height, frame.width)
    bits = frame.format.components[0].bits
    is_deep = bits > 8
    if name.startswith("yuv") and (bits == 8 or name.endswith("le")):
        return _pack_yuv(frame, bits)
    if name == "gray":
        return _Shown(*size, bits, "u1", frame.to_ndarray().tobytes())
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


def _pack_yuv(frame: av.VideoFrame, bits: int) -> _Shown | _ShownYuv:
    planes = [_cut(plane, bits) for plane in frame.planes]
    is_full = frame.format.name.startswith("yuvj") or int(frame.color_range) == FULL_RANGE
    is_bt_709 = int(frame.colorspace) == BT_709
    stored = [(*plane.shape, plane.tobytes()) for plane in planes]
    shown = _ShownYuv(bits, is_full, is_bt_709, stored[:3])
    if len(planes) < 4:
        return shown
    alpha = planes[3].astype(np.float32) / (1 << (bits - 8))
    rgb = _over_paper(np.asarray(_yuv_image(shown)), alpha)
    return _Shown(frame.height, frame.width, bits, "<f4", rgb.astype(np.float32).tobytes())


def _cut(plane: VideoPlane, bits: int) -> NDArray[Any]:
    """Return a plane without what fills its lines."""
    kind = np.dtype(WORDS if bits > 8 else "u1")
    rows = np.frombuffer(memoryview(plane), kind).reshape(-1, plane.line_size // kind.itemsize)
    return rows[: plane.height, : plane.width]


def _yuv_image(shown: _ShownYuv) -> YuvImage:
    kind = np.dtype(WORDS if shown.bits > 8 else "u1")
    planes = tuple(
        np.frombuffer(data, kind).reshape(height, width) for height, width, data in shown.planes
    )
    return YuvImage(planes, shown.bits, shown.is_full, shown.is_bt_709)


if __name__ == "__main__":
    serve(_run)
