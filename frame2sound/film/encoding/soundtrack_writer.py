"""Films written in a subprocess, which alone parses the picture that is copied."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from frame2sound.film.decoding.probe import Streams
from frame2sound.film.encoding.containers import AudioCodec
from frame2sound.film.encoding.muxer import WriteResult, mux
from frame2sound.film.limits import DEFAULT_LIMITS, Limits
from frame2sound.film.sandbox import (
    HEARTBEAT_SECONDS,
    ChildProcess,
    ErrorAnswer,
    ParentConnection,
    limit_memory,
    message_decoder,
    serve,
)


class _Start(msgspec.Struct, frozen=True, tag=True):
    streams: Streams
    sample_rate: int
    channels: int
    codec: AudioCodec
    out: Path
    limits: Limits
    background: int = 0


class _Chunk(msgspec.Struct, frozen=True, tag=True):
    samples: bytes


class _Finish(msgspec.Struct, frozen=True, tag=True):
    pass


class _ChunkWritten(msgspec.Struct, frozen=True, tag=True):
    pass


class _Heartbeat(msgspec.Struct, frozen=True, tag=True):
    pass


class _Finished(msgspec.Struct, frozen=True, tag=True):
    true_peak_db: float
    notes: tuple[str, ...]


_REQUEST = message_decoder(_Start | _Chunk | _Finish)
_ANSWER = message_decoder(_ChunkWritten | _Heartbeat | _Finished | ErrorAnswer)


def write_soundtrack(
    streams: Streams,
    chunks: Iterable[NDArray[np.float32]],
    sample_rate: int,
    channels: int,
    codec: AudioCodec,
    out: Path,
    limits: Limits = DEFAULT_LIMITS,
    background: int = 0,
) -> WriteResult:
    """Write a film's picture and a soundtrack, as `frame2sound.film.encoding.muxer.mux`, in a subprocess.

    Raises
    ------
    SoundtrackError, OSError
        As there.
    FilmError
        The film crashes its demuxer, or hangs it for two minutes.
    """
    child = ChildProcess(__name__, streams.path, _ANSWER)
    try:
        place = out.absolute()
        child.send_request(_Start(streams, sample_rate, channels, codec, place, limits, background))
        for chunk in chunks:
            child.send_request(_Chunk(np.ascontiguousarray(chunk, np.float32).tobytes()))
            _wait_for_answer(child)
        child.send_request(_Finish())
        finished = _wait_for_answer(child)
        assert isinstance(finished, _Finished)
        return WriteResult(finished.true_peak_db, finished.notes)
    finally:
        child.close()


def _wait_for_answer(child: ChildProcess) -> _ChunkWritten | _Finished:
    while isinstance(answer := child.receive_answer(), _Heartbeat):
        pass
    assert isinstance(answer, _ChunkWritten | _Finished)
    return answer


class _Worker:
    """The work of the subprocess."""

    def __init__(self, parent: ParentConnection) -> None:
        self._parent = parent
        self._last_heartbeat = time.monotonic()

    def run(self) -> None:
        """Write the film that is asked for, as its sound comes."""
        begin = self._parent.receive_request(_REQUEST)
        limit_memory(begin.limits)
        try:
            written = mux(
                begin.streams,
                self._receive_chunks(begin.channels),
                begin.sample_rate,
                begin.channels,
                begin.codec,
                begin.out,
                begin.background,
                self._send_heartbeat,
            )
            self._parent.send_answer(_Finished(written.true_peak_db, written.notes))
        except BrokenPipeError:
            raise
        except Exception as error:
            self._parent.send_answer(ErrorAnswer.from_exception(error, begin.streams.path))

    def _receive_chunks(self, channels: int) -> Iterator[NDArray[np.float32]]:
        while isinstance(request := self._parent.receive_request(_REQUEST), _Chunk):
            samples = np.frombuffer(request.samples, np.float32)
            yield samples if channels == 1 else samples.reshape(-1, channels)
            self._parent.send_answer(_ChunkWritten())
        if request is None:
            raise BrokenPipeError  # nobody waits any more

    def _send_heartbeat(self) -> None:
        if time.monotonic() - self._last_heartbeat > HEARTBEAT_SECONDS:
            self._last_heartbeat = time.monotonic()
            self._parent.send_answer(_Heartbeat())


if __name__ == "__main__":
    serve(lambda parent: _Worker(parent).run())
