"""Decode pictures and films in grey, with their transparency, in a process of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import msgspec
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from frame2sound.film.decoding.frame_resizer import FrameResizer, colour_matrix
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.reader import FilmReader
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

OPAQUE = 255

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class GreyPicture:
    """A picture in grey, and when it is shown.

    Attributes
    ----------
    start_seconds, end_seconds : Fraction
        Of a picture that stands still, an arbitrary time.
    grey : uint8 array (height, width)
        Luma of BT.601 or of the film's own matrix, 0 to 255, over black.
    alpha : uint8 array (height, width)
        0 (transparent) to 255.
    """

    start_seconds: Fraction
    end_seconds: Fraction
    grey: Bytes
    alpha: Bytes


class _Open(msgspec.Struct, frozen=True, tag=True):
    path: Path
    max_height: int
    max_width: int


class _Shown(msgspec.Struct, frozen=True, tag=True):
    times: tuple[int, int, int, int]
    height: int
    width: int
    planes: bytes


class _Done(msgspec.Struct, frozen=True, tag=True):
    pass


_ANSWER = message_decoder(_Shown | _Done | Heartbeat | ErrorAnswer)
_REQUEST = message_decoder(_Open)


def decode_grey(path: Path, max_height: int, max_width: int) -> Iterator[GreyPicture]:
    """Yield the pictures of a file, upright; larger ones are averaged down to the limits.

    Raises
    ------
    FilmError
        The file cannot be read, or has no pictures; a decoder crashes or hangs.
    """
    child = ChildProcess(__name__, path, _ANSWER)
    try:
        child.send_request(_Open(path, max_height, max_width))
        while not isinstance(answer := child.receive_answer(), _Done):
            yield _unpack(answer)
    finally:
        child.close()


def _unpack(shown: _Shown) -> GreyPicture:
    first, last = Fraction(*shown.times[:2]), Fraction(*shown.times[2:])
    planes = np.frombuffer(shown.planes, np.uint8).reshape(shown.height, shown.width, 2)
    return GreyPicture(first, last, planes[..., 0], planes[..., 1])


class _GreyAndAlpha(FrameResizer):
    """Returns grey over black and alpha, ``(height, width, 2)``, no larger than a size."""

    def __init__(self, size: tuple[int, int], quarter_turns: int, mirrored: bool) -> None:
        super().__init__(quarter_turns=quarter_turns, mirrored=mirrored)
        self._size = size[::-1] if quarter_turns % 2 else size
        self._averager = self._shrinker  # type: ignore[assignment]
        self._resize = self._both

    def _both(self, frame: VideoFrame) -> Bytes:
        grey = self._resize_grey(frame)
        alpha = self._alpha(frame, colour_matrix(frame))
        if alpha is None:
            shrunk = np.full_like(grey, OPAQUE)
        else:
            shrunk = self._shrinker(*alpha.shape).means_as_bytes(alpha)
        return np.stack([grey, shrunk], axis=-1)

    def _shrinker(self, height: int, width: int, zero: float = 0.0, gain: float = 1.0) -> _Shrinker:
        return _Shrinker((min(height, self._size[0]), min(width, self._size[1])), zero, gain)


@dataclass(frozen=True)
class _Shrinker:
    size: tuple[int, int]
    zero: float
    gain: float

    def means_as_bytes(self, plane: Bytes) -> Bytes:
        means = np.asarray(plane, np.float32)
        if plane.shape != self.size:
            means = np.asarray(cv2.resize(means, self.size[::-1], interpolation=cv2.INTER_AREA))
        levels = np.rint((means - self.zero) * self.gain)
        return np.asarray(np.clip(levels, 0, 255), np.uint8)


class _GreyReader(FilmReader):
    """A reader of films whose frames are `_GreyAndAlpha`."""

    def __init__(self, path: Path, size: tuple[int, int]) -> None:
        super().__init__(path, options=DecodeOptions(threads=1))
        self._size = size

    def _resizer_factory(self, colour: bool) -> Callable[[], FrameResizer]:
        streams = self.streams
        return lambda: _GreyAndAlpha(self._size, streams.quarter_turns, streams.mirrored)


def _run(parent: ParentConnection) -> None:
    request = parent.receive_request(_REQUEST)
    assert isinstance(request, _Open)
    limit_memory(DEFAULT_LIMITS)
    with send_errors(parent, request.path):
        reader = _GreyReader(request.path, (request.max_height, request.max_width))
        for frame in reader.frames():
            times = (
                *frame.start_seconds.as_integer_ratio(),
                *frame.end_seconds.as_integer_ratio(),
            )
            planes = np.ascontiguousarray(frame.picture)
            height, width, _ = planes.shape
            parent.send_answer(_Shown(times, height, width, planes.tobytes()))
        parent.send_answer(_Done())


if __name__ == "__main__":
    serve(_run)
