"""Decode picture files to small pictures, all in one process of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import msgspec
import numpy as np
from numpy.typing import NDArray

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
from frame2sound.synaesthesia.square_pictures import SIDE, on_square_ground


class _Open(msgspec.Struct, frozen=True, tag=True):
    path: Path


class _Shown(msgspec.Struct, frozen=True, tag=True):
    """RGB, ``(128, 128, 3)`` bytes."""

    data: bytes


class _Done(msgspec.Struct, frozen=True, tag=True):
    pass


_ANSWER = message_decoder(_Shown | Heartbeat | ErrorAnswer)
_REQUEST = message_decoder(_Open | _Done)


def decode_small_pictures(paths: list[Path]) -> Iterator[NDArray[np.uint8]]:
    """Yield the first picture of each file, in RGB, ``(128, 128, 3)``.

    It is averaged over areas, on a square ground of the colour of its border.

    Raises
    ------
    FilmError
        A file cannot be read; a decoder crashes or hangs.
    """
    if not paths:
        return
    child = ChildProcess(__name__, paths[0], _ANSWER)
    try:
        for path in paths:
            child.path = path
            child.send_request(_Open(path))
            shown = child.receive_answer()
            yield np.frombuffer(shown.data, np.uint8).reshape(SIDE, SIDE, 3)
    finally:
        child.close()


def _run(parent: ParentConnection) -> None:
    limit_memory(DEFAULT_LIMITS)
    while isinstance(request := parent.receive_request(_REQUEST), _Open):
        with send_errors(parent, request.path):
            parent.send_answer(_Shown(on_square_ground(_first_picture(request.path)).tobytes()))


def _first_picture(path: Path) -> NDArray[np.uint8]:
    with open_film(path, limits=DEFAULT_LIMITS) as film:
        if not film.streams.video:
            raise FilmError(f"{path} has no picture; expected a drawing")
        try:
            for frame in film.decode(film.streams.video[0]):
                DEFAULT_LIMITS.check_picture_size(path, frame.width, frame.height)
                return _over_white(np.asarray(frame.to_ndarray(format="rgba"), np.uint8))
        except av.FFmpegError as error:
            raise FilmError(f"{path} is damaged ({error.strerror}); copy it again") from error
    raise FilmError(f"{path} has no picture; expected a drawing")


def _over_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    alpha = rgba[..., 3:].astype(np.float32) / 255
    return np.rint(alpha * rgba[..., :3] + 255 * (1 - alpha)).astype(np.uint8)


if __name__ == "__main__":
    serve(_run)
