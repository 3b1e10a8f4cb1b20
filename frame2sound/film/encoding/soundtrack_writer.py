"""Write films in a subprocess, as copying the video parses a file that may be malformed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from frame2sound.film.decoding.probe import Streams
from frame2sound.film.encoding.containers import AudioCodec
from frame2sound.film.encoding.excerpt import WHOLE_PICTURE, Excerpt
from frame2sound.film.encoding.muxer import WriteResult, mux
from frame2sound.film.limits import DEFAULT_LIMITS, Limits
from frame2sound.film.sandbox import (
    HEARTBEAT_SECONDS,
    ChildProcess,
    ErrorAnswer,
    Heartbeat,
    ParentConnection,
    limit_memory,
    message_decoder,
    send_errors,
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
    excerpt: Excerpt = WHOLE_PICTURE


class _Chunk(msgspec.Struct, frozen=True, tag=True):
    samples: bytes


class _Finish(msgspec.Struct, frozen=True, tag=True):
    pass


class _ChunkWritten(msgspec.Struct, frozen=True, tag=True):
    pass


class _Finished(msgspec.Struct, frozen=True, tag=True):
    true_peak_db: float
    notes: tuple[str, ...]


_REQUEST = message_decoder(_Start | _Chunk | _Finish)
_ANSWER = message_decoder(_ChunkWritten | _Finished | Heartbeat | ErrorAnswer)


def write_soundtrack(
    streams: Streams,
    chunks: Iterable[NDArray[np.float32]],
    sample_rate: int,
    channels: int,
    codec: AudioCodec,
    out: Path,
    limits: Limits = DEFAULT_LIMITS,
    background: int = 0,
    excerpt: Excerpt = WHOLE_PICTURE,
) -> WriteResult:
    """Write a film's video and a soundtrack in a subprocess; see `mux`.

    Raises
    ------
    SoundtrackError, OSError
        As `mux` does.
    FilmError
        The film crashes its demuxer, or the demuxer hangs for two minutes.
    """
    child = ChildProcess(__name__, streams.path, _ANSWER)
    try:
        out = out.absolute()
        settings = sample_rate, channels, codec, out, limits, background, excerpt
        child.send_request(_Start(streams, *settings))
        for chunk in chunks:
            child.send_request(_Chunk(np.ascontiguousarray(chunk, np.float32).tobytes()))
            child.receive_answer()
        child.send_request(_Finish())
        finished = child.receive_answer()
        assert isinstance(finished, _Finished)
        return WriteResult(finished.true_peak_db, finished.notes)
    finally:
        child.close()


class _Worker:
    """The subprocess's side: writes the film as its audio arrives."""

    def __init__(self, parent: ParentConnection) -> None:
        self._parent = parent
        self._last_heartbeat = time.monotonic()

    def run(self) -> None:
        """Write the requested film."""
        start = self._parent.receive_request(_REQUEST)
        assert isinstance(start, _Start)
        limit_memory(start.limits)
        with send_errors(self._parent, start.streams.path):
            written = mux(
                start.streams,
                self._receive_chunks(start.channels),
                start.sample_rate,
                start.channels,
                start.codec,
                start.out,
                start.background,
                self._send_heartbeat,
                start.excerpt,
            )
            self._parent.send_answer(_Finished(written.true_peak_db, written.notes))

    def _receive_chunks(self, channels: int) -> Iterator[NDArray[np.float32]]:
        while isinstance(request := self._parent.receive_request(_REQUEST), _Chunk):
            samples = np.frombuffer(request.samples, np.float32)
            yield samples if channels == 1 else samples.reshape(-1, channels)
            self._parent.send_answer(_ChunkWritten())
        if request is None:
            raise BrokenPipeError  # the parent is gone

    def _send_heartbeat(self) -> None:
        if time.monotonic() - self._last_heartbeat > HEARTBEAT_SECONDS:
            self._last_heartbeat = time.monotonic()
            self._parent.send_answer(Heartbeat())


if __name__ == "__main__":
    serve(lambda parent: _Worker(parent).run())
