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

from frame2sound.film.limits import USUAL, Limits
from frame2sound.film.picture import picture_shape
from frame2sound.film.reader import FilmReader, Frame
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
from frame2sound.film.track import Sound

TOGETHER = 32
"""Frames sent at once."""


class _Asked(msgspec.Struct, frozen=True, tag=True):
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
    ground: int


class _Opened(msgspec.Struct, frozen=True, tag=True):
    streams: Streams
    notes: list[str]


class _Play(msgspec.Struct, frozen=True, tag=True):
    colour: bool | None
    sounding: bool


class _Frames(msgspec.Struct, frozen=True, tag=True):
    times: list[tuple[Fraction, Fraction]]
    pictures: bytes


class _Sound(msgspec.Struct, frozen=True, tag=True):
    start: int
    samples: bytes


class _Done(msgspec.Struct, frozen=True, tag=True):
    notes: list[str]


_ANSWER = decoder_of(_Opened | _Frames | _Sound | _Done | Failed)
_REQUEST = decoder_of(_Asked | _Play)


class BoothReader(FilmReader):
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
        limits: Limits = USUAL,
        threads: int | None = None,
        hardware: str | None = None,
        fps: Fraction | None = None,
        ground: int = 0,
    ) -> None:
        self.sample_rate, self.channels = sample_rate, channels
        self.allow_damaged, self.limits, self.ground = allow_damaged, limits, ground
        self._asked = _Asked(
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
            ground,
        )
        self._child: Child | None
        self._child, opened = _opened(self._asked)
        self.streams, self.notes = opened.streams, opened.notes

    def _read(self, colour: bool | None, *, sounding: bool) -> Iterator[Frame | Sound]:
        child, self._child = self._child or _opened(self._asked)[0], None
        try:
            child.ask(_Play(colour, sounding))
            while not isinstance(answer := child.listen(), _Done):
                if isinstance(answer, _Frames):
                    yield from _unpacked(answer, colour=bool(colour))
                elif isinstance(answer, _Sound):
                    samples = np.frombuffer(answer.samples, np.float32)
                    shape = (-1,) if self.channels == 1 else (-1, self.channels)
                    yield Sound(answer.start, samples.reshape(shape))
            self.notes = answer.notes
        finally:
            child.close()


def _opened(asked: _Asked) -> tuple[Child, _Opened]:
    """Start a subprocess that opens a film and reads it once."""
    child = Child(__name__, asked.path, _ANSWER)
    try:
        child.ask(asked)
        opened = child.listen()
    except BaseException:
        child.close()
        raise
    assert isinstance(opened, _Opened)
    return child, opened


def _unpacked(some: _Frames, *, colour: bool) -> Iterator[Frame]:
    shape = (len(some.times), *picture_shape(colour))
    pictures = np.frombuffer(some.pictures, np.uint8).reshape(shape)
    for (time, until), picture in zip(some.times, pictures, strict=True):
        yield Frame(time, until, picture)


class _Projectionist:
    """The work of the subprocess."""

    def __init__(self, parent: Parent) -> None:
        self._parent, self._say = parent, parent.say
        self._frames: list[Frame] = []

    def work(self) -> None:
        """Open the film that is asked for, and read it."""
        asked = self._parent.next(_REQUEST)
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
                ground=asked.ground,
            )
            self._say(_Opened(reader.streams, reader.notes))
            play = self._parent.next(_REQUEST)
            if play is not None:
                Thread(target=self._watch, args=(reader,), daemon=True).start()
                self._read(reader, play)
        except BrokenPipeError:
            raise
        except Exception as error:
            self._say(Failed.of(error, asked.path))

    def _read(self, reader: FilmReader, play: _Play) -> None:
        for event in reader._read(play.colour, sounding=play.sounding):
            if isinstance(event, Sound):
                self._say(_Sound(event.start, np.ascontiguousarray(event.samples).tobytes()))
            else:
                self._frames.append(event)
                if len(self._frames) == TOGETHER:
                    self._show()
        self._show()
        self._say(_Done(reader.notes))

    def _show(self) -> None:
        some, self._frames = self._frames, []
        pictures = b"".join(frame.picture.tobytes() for frame in some)
        self._say(_Frames([(frame.time, frame.until) for frame in some], pictures))

    def _watch(self, reader: FilmReader) -> None:
        """Say from time to time that work goes on, if it does; end when nobody listens."""
        reached = -1.0
        while not select.select([self._parent.requests], [], [], ALIVE_SECONDS)[0]:
            if reader.reached != reached:
                reached = reader.reached
                self._say(_Frames([], b""))
        os._exit(1)


if __name__ == "__main__":
    serve(lambda parent: _Projectionist(parent).work())
