"""Films written in a subprocess, which alone parses the picture that is copied."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from frame2sound.film.containers import SoundCodec
from frame2sound.film.limits import USUAL, Limits
from frame2sound.film.muxer import Written, mux
from frame2sound.film.sandbox import (
    ALIVE_SECONDS,
    Child,
    Failed,
    Parent,
    decoder_of,
    limit_memory,
    serve,
)
from frame2sound.film.streams import Streams


class _Begin(msgspec.Struct, frozen=True, tag=True):
    streams: Streams
    sample_rate: int
    channels: int
    codec: SoundCodec
    out: Path
    limits: Limits
    ground: int = 0


class _Chunk(msgspec.Struct, frozen=True, tag=True):
    samples: bytes


class _Finish(msgspec.Struct, frozen=True, tag=True):
    pass


class _Taken(msgspec.Struct, frozen=True, tag=True):
    pass


class _Alive(msgspec.Struct, frozen=True, tag=True):
    pass


class _Finished(msgspec.Struct, frozen=True, tag=True):
    peak_db: float
    notes: tuple[str, ...]


_REQUEST = decoder_of(_Begin | _Chunk | _Finish)
_ANSWER = decoder_of(_Taken | _Alive | _Finished | Failed)


def write_soundtrack(
    streams: Streams,
    sound: Iterable[NDArray[np.float32]],
    sample_rate: int,
    channels: int,
    codec: SoundCodec,
    out: Path,
    limits: Limits = USUAL,
    ground: int = 0,
) -> Written:
    """Write a film's picture and a soundtrack, as `frame2sound.film.muxer.mux`, in a subprocess.

    Raises
    ------
    SoundtrackError, OSError
        As there.
    FilmError
        The film crashes its demuxer, or hangs it for two minutes.
    """
    child = Child(__name__, streams.path, _ANSWER)
    try:
        place = out.absolute()
        child.ask(_Begin(streams, sample_rate, channels, codec, place, limits, ground))
        for chunk in sound:
            child.ask(_Chunk(np.ascontiguousarray(chunk, np.float32).tobytes()))
            _await(child)
        child.ask(_Finish())
        finished = _await(child)
        assert isinstance(finished, _Finished)
        return Written(finished.peak_db, finished.notes)
    finally:
        child.close()


def _await(child: Child) -> _Taken | _Finished:
    while isinstance(answer := child.listen(), _Alive):
        pass
    assert isinstance(answer, _Taken | _Finished)
    return answer


class _Worker:
    """The work of the subprocess."""

    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self._spoken = time.monotonic()

    def work(self) -> None:
        """Write the film that is asked for, as its sound comes."""
        begin = self._parent.next(_REQUEST)
        limit_memory(begin.limits)
        try:
            written = mux(
                begin.streams,
                self._sound(begin.channels),
                begin.sample_rate,
                begin.channels,
                begin.codec,
                begin.out,
                begin.ground,
                self._alive,
            )
            self._parent.say(_Finished(written.peak_db, written.notes))
        except BrokenPipeError:
            raise
        except Exception as error:
            self._parent.say(Failed.of(error, begin.streams.path))

    def _sound(self, channels: int) -> Iterator[NDArray[np.float32]]:
        while isinstance(request := self._parent.next(_REQUEST), _Chunk):
            samples = np.frombuffer(request.samples, np.float32)
            yield samples if channels == 1 else samples.reshape(-1, channels)
            self._parent.say(_Taken())
        if request is None:
            raise BrokenPipeError  # nobody waits any more

    def _alive(self) -> None:
        if time.monotonic() - self._spoken > ALIVE_SECONDS:
            self._spoken = time.monotonic()
            self._parent.say(_Alive())


if __name__ == "__main__":
    serve(lambda parent: _Worker(parent).work())
