"""Films decoded in a subprocess, so that a crash or a hang of a codec cannot affect the caller."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from threading import Thread

import msgspec
import numpy as np

from frame2sound.film.decoding.audio_aligner import AudioChunk
from frame2sound.film.decoding.frame_resizer import picture_shape
from frame2sound.film.decoding.probe import Streams
from frame2sound.film.decoding.reader import FilmReader, Frame
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

BATCH_FRAMES = 32
"""Frames sent at once."""


class _OpenRequest(msgspec.Struct, frozen=True, tag=True):
    """What is to be read, and how: see `FilmReader`."""

    path: Path
    sample_rate: int | None
    channels: int
    video_stream: int | None
    audio_stream: int | None
    allow_damaged: bool
    limits: Limits
    threads: int | None
    hardware: str | None
    fps: Fraction | None
    background: int


class _Opened(msgspec.Struct, frozen=True, tag=True):
    streams: Streams
    notes: list[str]


class _ReadRequest(msgspec.Struct, frozen=True, tag=True):
    colour: bool | None
    with_audio: bool


class _Frames(msgspec.Struct, frozen=True, tag=True):
    intervals: list[tuple[Fraction, Fraction]]
    pictures: bytes


class _Audio(msgspec.Struct, frozen=True, tag=True):
    start_sample: int
    samples: bytes


class _Done(msgspec.Struct, frozen=True, tag=True):
    notes: list[str]


_ANSWER = message_decoder(_Opened | _Frames | _Audio | _Done | ErrorAnswer)
_REQUEST = message_decoder(_OpenRequest | _ReadRequest)


class SubprocessFilmReader(FilmReader):
    """A `FilmReader` whose film is parsed and decoded in another process.

    It takes what `FilmReader` takes, gives what it gives and raises what it raises; and `FilmError`
    where the decoder crashes, or says nothing for two minutes.
    """

    def __init__(
        self,
        path: Path,
        sample_rate: int | None = None,
        *,
        channels: int = 1,
        video_stream: int | None = None,
        audio_stream: int | None = None,
        allow_damaged: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        threads: int | None = None,
        hardware: str | None = None,
        fps: Fraction | None = None,
        background: int = 0,
    ) -> None:
        self.sample_rate, self.channels = sample_rate, channels
        self.allow_damaged, self.limits, self.background = allow_damaged, limits, background
        self._open_request = _OpenRequest(
            path,
            sample_rate,
            channels,
            video_stream,
            audio_stream,
            allow_damaged,
            limits,
            threads,
            hardware,
            fps,
            background,
        )
        self._child: ChildProcess | None
        self._child, opened = _open_in_subprocess(self._open_request)
        self.streams, self.notes = opened.streams, opened.notes

    def _read(self, colour: bool | None, *, with_audio: bool) -> Iterator[Frame | AudioChunk]:
        child, self._child = self._child or _open_in_subprocess(self._open_request)[0], None
        try:
            child.send_request(_ReadRequest(colour, with_audio))
            while not isinstance(answer := child.receive_answer(), _Done):
                if isinstance(answer, _Frames):
                    yield from _unpack_frames(answer, colour=bool(colour))
                elif isinstance(answer, _Audio):
                    samples = np.frombuffer(answer.samples, np.float32)
                    shape = (-1,) if self.channels == 1 else (-1, self.channels)
                    yield AudioChunk(answer.start_sample, samples.reshape(shape))
            self.notes = answer.notes
        finally:
            child.close()


def _open_in_subprocess(request: _OpenRequest) -> tuple[ChildProcess, _Opened]:
    """Start a subprocess that opens a film and reads it once."""
    child = ChildProcess(__name__, request.path, _ANSWER)
    try:
        child.send_request(request)
        opened = child.receive_answer()
    except BaseException:
        child.close()
        raise
    assert isinstance(opened, _Opened)
    return child, opened


def _unpack_frames(batch: _Frames, *, colour: bool) -> Iterator[Frame]:
    shape = (len(batch.intervals), *picture_shape(colour))
    pictures = np.frombuffer(batch.pictures, np.uint8).reshape(shape)
    for (time, until), picture in zip(batch.intervals, pictures, strict=True):
        yield Frame(time, until, picture)


class _Worker:
    """The work of the subprocess."""

    def __init__(self, parent: ParentConnection) -> None:
        self._parent, self._send = parent, parent.send_answer
        self._pending: list[Frame] = []

    def run(self) -> None:
        """Open the film that is asked for, and read it."""
        asked = self._parent.receive_request(_REQUEST)
        limit_memory(asked.limits)
        try:
            reader = FilmReader(
                asked.path,
                asked.sample_rate,
                channels=asked.channels,
                video_stream=asked.video_stream,
                audio_stream=asked.audio_stream,
                allow_damaged=asked.allow_damaged,
                limits=asked.limits,
                threads=asked.threads,
                hardware=asked.hardware,
                fps=asked.fps,
                background=asked.background,
            )
            self._send(_Opened(reader.streams, reader.notes))
            play = self._parent.receive_request(_REQUEST)
            if play is not None:
                Thread(target=self._send_heartbeats, args=(reader,), daemon=True).start()
                self._read(reader, play)
        except BrokenPipeError:
            raise
        except Exception as error:
            self._send(ErrorAnswer.from_exception(error, asked.path))

    def _read(self, reader: FilmReader, request: _ReadRequest) -> None:
        for event in reader._read(request.colour, with_audio=request.with_audio):
            if isinstance(event, AudioChunk):
                self._send(
                    _Audio(event.start_sample, np.ascontiguousarray(event.samples).tobytes())
                )
            else:
                self._pending.append(event)
                if len(self._pending) == BATCH_FRAMES:
                    self._send_frames()
        self._send_frames()
        self._send(_Done(reader.notes))

    def _send_frames(self) -> None:
        some, self._pending = self._pending, []
        pictures = b"".join(frame.picture.tobytes() for frame in some)
        self._send(_Frames([(frame.start_seconds, frame.end_seconds) for frame in some], pictures))

    def _send_heartbeats(self, reader: FilmReader) -> None:
        """Say from time to time that work goes on, if it does; end when nobody listens."""
        reached = -1.0
        while not select.select([self._parent.requests], [], [], HEARTBEAT_SECONDS)[0]:
            if reader.position_seconds != reached:
                reached = reader.position_seconds
                self._send(_Frames([], b""))
        os._exit(1)


if __name__ == "__main__":
    serve(lambda parent: _Worker(parent).run())
