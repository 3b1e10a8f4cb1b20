"""Decode films in a subprocess, so that a crash or a hang of a codec cannot affect the caller."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from threading import Thread

import msgspec
import numpy as np

from frame2sound.errors import FilmError
from frame2sound.film.decoding.audio_chunks import AudioChunk
from frame2sound.film.decoding.options import DEFAULT_DECODE_OPTIONS, DecodeOptions
from frame2sound.film.decoding.probe import Streams
from frame2sound.film.decoding.reader import FilmReader, Frame
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
from frame2sound.film.small_frames import picture_shape

BATCH_FRAMES = 32
"""Frames per message."""


class _OpenRequest(msgspec.Struct, frozen=True, tag=True):
    """The arguments of `FilmReader`."""

    path: Path
    sample_rate: int | None
    options: DecodeOptions
    channels: int
    full_rate: int


class _Opened(msgspec.Struct, frozen=True, tag=True):
    streams: Streams
    notes: list[str]


class _ReadRequest(msgspec.Struct, frozen=True, tag=True):
    """The arguments of `FilmReader.read`."""

    colour: bool | None
    with_audio: bool
    from_seconds: tuple[int, int] = (0, 1)


class _Frames(msgspec.Struct, frozen=True, tag=True):
    """Pictures, and their starts and ends in turns, each a numerator and a denominator."""

    times: list[tuple[int, int]]
    pictures: bytes


class _Audio(msgspec.Struct, frozen=True, tag=True):
    start_sample: int
    samples: bytes
    full: bool = False


class _Done(msgspec.Struct, frozen=True, tag=True):
    notes: list[str]


_ANSWER = message_decoder(_Opened | _Frames | _Audio | _Done | Heartbeat | ErrorAnswer)
_REQUEST = message_decoder(_OpenRequest | _ReadRequest)


class SubprocessFilmReader(FilmReader):
    """A `FilmReader` that demuxes and decodes in a subprocess.

    It has the same arguments, results and errors, and raises `FilmError` if the decoder crashes or
    answers nothing for two minutes.
    """

    def __init__(
        self,
        path: Path,
        sample_rate: int | None = None,
        options: DecodeOptions = DEFAULT_DECODE_OPTIONS,
        *,
        channels: int = 1,
        full_rate: int = 0,
    ) -> None:
        self.options, self.sample_rate = options, sample_rate
        self.channels, self.full_rate = channels, full_rate
        self._open_request = _OpenRequest(path, sample_rate, options, channels, full_rate)
        self._child: ChildProcess | None
        self._child, opened = _open_in_subprocess(self._open_request)
        self.streams, self.notes = opened.streams, opened.notes

    def read(
        self, colour: bool | None, *, with_audio: bool, from_seconds: Fraction = Fraction(0)
    ) -> Iterator[Frame | AudioChunk]:
        """Decode the film in the subprocess; see `FilmReader.read`."""
        child, self._child = self._child or _open_in_subprocess(self._open_request)[0], None
        try:
            begin = from_seconds.as_integer_ratio()
            child.send_request(_ReadRequest(colour, with_audio, begin))
            while not isinstance(answer := child.receive_answer(), _Done):
                if isinstance(answer, _Frames):
                    yield from _unpack_frames(answer, colour=bool(colour))
                elif isinstance(answer, _Audio):
                    yield self._unpack_audio(answer)
            self.notes = answer.notes
        finally:
            child.close()

    def _unpack_audio(self, audio: _Audio) -> AudioChunk:
        channels = self.full_format[1] if audio.full and self.full_format else self.channels
        samples = np.frombuffer(audio.samples, np.float32)
        shape = (-1,) if channels == 1 else (-1, channels)
        return AudioChunk(audio.start_sample, samples.reshape(shape), audio.full)


def _open_in_subprocess(request: _OpenRequest) -> tuple[ChildProcess, _Opened]:
    """Start a subprocess that opens a film and can read it once."""
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
    shape = (len(batch.times) // 2, *picture_shape(colour))
    pictures = np.frombuffer(batch.pictures, np.uint8).reshape(shape)
    times = [Fraction(*time) for time in batch.times]
    for start, end, picture in zip(times[::2], times[1::2], pictures, strict=True):
        yield Frame(start, end, picture)


class _Worker:
    """The subprocess's side: opens a film and sends what it decodes."""

    def __init__(self, parent: ParentConnection) -> None:
        self._parent, self._send = parent, parent.send_answer
        self._pending: list[Frame] = []

    def run(self) -> None:
        """Open the requested film, then read it."""
        opening = self._parent.receive_request(_REQUEST)
        assert isinstance(opening, _OpenRequest)
        limit_memory(opening.options.limits)
        with send_errors(self._parent, opening.path):
            reader = FilmReader(
                opening.path,
                opening.sample_rate,
                opening.options,
                channels=opening.channels,
                full_rate=opening.full_rate,
            )
            self._send(_Opened(reader.streams, reader.notes))
            reading = self._parent.receive_request(_REQUEST)
            if isinstance(reading, _ReadRequest):
                Thread(target=self._send_heartbeats, args=(reader,), daemon=True).start()
                self._read(reader, reading)

    def _read(self, reader: FilmReader, request: _ReadRequest) -> None:
        from_seconds = Fraction(*request.from_seconds)
        try:
            for event in reader.read(
                request.colour, with_audio=request.with_audio, from_seconds=from_seconds
            ):
                if isinstance(event, AudioChunk):
                    samples = np.ascontiguousarray(event.samples).tobytes()
                    self._send(_Audio(event.start_sample, samples, event.full))
                else:
                    self._pending.append(event)
                    if len(self._pending) == BATCH_FRAMES:
                        self._send_frames()
        except FilmError:
            self._send_frames()  # what could be read up to there
            raise
        self._send_frames()
        self._send(_Done(reader.notes))

    def _send_frames(self) -> None:
        frames, self._pending = self._pending, []
        pictures = b"".join(frame.picture.tobytes() for frame in frames)
        times = [
            time.as_integer_ratio()
            for frame in frames
            for time in (frame.start_seconds, frame.end_seconds)
        ]
        self._send(_Frames(times, pictures))

    def _send_heartbeats(self, reader: FilmReader) -> None:
        """Send heartbeats while the reader proceeds; exit when the parent is gone."""
        position = -1.0
        while not select.select([self._parent.requests], [], [], HEARTBEAT_SECONDS)[0]:
            if reader.position_seconds != position:
                position = reader.position_seconds
                self._send(Heartbeat())
        os._exit(1)


if __name__ == "__main__":
    serve(lambda parent: _Worker(parent).run())
