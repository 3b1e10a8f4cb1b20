"""A booth: films are read in a process of their own, as nitrate was behind fireproof walls.

A codec that crashes, or hangs, on a bad film ends that process and nothing else.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import subprocess
import sys
import weakref
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Any

import msgspec
import numpy as np

from frame2sound.errors import DamagedFilmError, FilmError, Frame2SoundError
from frame2sound.film.limits import USUAL, Limits
from frame2sound.film.picture import picture_shape
from frame2sound.film.reader import FilmReader, Frame
from frame2sound.film.streams import Streams
from frame2sound.film.track import Sound

PATIENCE_SECONDS = 120.0
"""How long a decoder may say nothing before it counts as stuck."""

UNEXPECTED = "reading it failed as it should not"

ALIVE_SECONDS = 5.0
"""How often a booth says that it goes on, where it has nothing to show."""

TOGETHER = 32
"""Frames sent at once."""

_LENGTH = struct.Struct("<I")


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


class _Failed(msgspec.Struct, frozen=True, tag=True):
    damaged: bool
    why: str


_Answer = _Opened | _Frames | _Sound | _Done | _Failed
_Request = _Asked | _Play


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
            ground,
        )
        self._booth: _Booth | None = _Booth(self._asked)
        self.streams, self.notes = self._booth.opened.streams, self._booth.opened.notes

    def _read(self, colour: bool | None, *, sounding: bool) -> Iterator[Frame | Sound]:
        booth, self._booth = self._booth or _Booth(self._asked), None
        try:
            booth.ask(_Play(colour, sounding))
            while not isinstance(answer := booth.listen(), _Done):
                if isinstance(answer, _Frames):
                    yield from _unpacked(answer, colour=bool(colour))
                elif isinstance(answer, _Sound):
                    samples = np.frombuffer(answer.samples, np.float32)
                    shape = (-1,) if self.channels == 1 else (-1, self.channels)
                    yield Sound(answer.start, samples.reshape(shape))
            self.notes = answer.notes
        finally:
            booth.close()


class _Booth:
    """A process that has opened one film and reads it once, seen from outside."""

    def __init__(self, asked: _Asked) -> None:
        self.path = asked.path
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            process_group=0,  # Ctrl-C is for the one that asks
        )
        self.close = weakref.finalize(self, _end, self._process)
        _BOOTHS.add(self)
        try:
            self.ask(asked)
            opened = self.listen()
        except BaseException:
            self.close()
            raise
        assert isinstance(opened, _Opened)
        self.opened = opened

    def ask(self, request: _Request) -> None:
        """Send a request."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # then there is no answer either
            _send(self._process.stdin, request)

    def listen(self) -> _Answer:
        """Return the next answer; raise the error that it is, or that there is none."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_SECONDS)
        if not ready:
            raise FilmError(
                f"{self.path}: its decoder has made nothing for {PATIENCE_SECONDS:.0f} s, expected "
                "a picture; it is damaged, so copy it again or convert it with ffmpeg"
            )
        answer: _Answer | None = _receive(self._process.stdout, _ANSWER)
        if answer is None:
            raise self._crashed()
        if isinstance(answer, _Failed):
            raise (DamagedFilmError if answer.damaged else FilmError)(answer.why)
        return answer

    def interrupt(self) -> None:
        """End the process, from another thread than the one that listens."""
        self._process.kill()

    def _crashed(self) -> FilmError:
        code = self._process.wait()
        why = signal.Signals(-code).name if code < 0 else f"exit {code}"
        return FilmError(
            f"{self.path}: its decoder crashed ({why}), expected a film that it can read; "
            "copy it again or convert it with ffmpeg"
        )


_BOOTHS: weakref.WeakSet[_Booth] = weakref.WeakSet()


def close_booths() -> None:
    """End the reading of all films: whoever waits for them gets an error."""
    for booth in list(_BOOTHS):
        booth.interrupt()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def _unpacked(some: _Frames, *, colour: bool) -> Iterator[Frame]:
    shape = (len(some.times), *picture_shape(colour))
    pictures = np.frombuffer(some.pictures, np.uint8).reshape(shape)
    for (time, until), picture in zip(some.times, pictures, strict=True):
        yield Frame(time, until, picture)


def _decoded(kind: type, value: Any) -> Any:
    return kind(value)


_ANSWER: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(_Answer, dec_hook=_decoded)
_REQUEST: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(_Request, dec_hook=_decoded)


def _send(pipe: IO[bytes], message: _Request | _Answer) -> None:
    data = msgspec.msgpack.encode(message, enc_hook=str)
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def _receive(pipe: IO[bytes], decoder: msgspec.msgpack.Decoder[Any]) -> Any:
    """Return the next message; None where there is none, or half of one."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length)
    return decoder.decode(data) if len(data) == length else None


class _Projectionist:
    """The same, seen from inside."""

    def __init__(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        self._requests, self._answers = requests, answers
        self._speaking = Lock()
        self._frames: list[Frame] = []
        self._spoken = 0.0

    def work(self) -> None:
        """Open the film that is asked for, and read it."""
        asked = _receive(self._requests, _REQUEST)
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
                ground=asked.ground,
            )
            self._say(_Opened(reader.streams, reader.notes))
            play = _receive(self._requests, _REQUEST)
            if play is not None:
                Thread(target=self._watch, args=(reader,), daemon=True).start()
                self._read(reader, play)
        except Frame2SoundError as error:
            self._say(_Failed(isinstance(error, DamagedFilmError), str(error)))
        except Exception as error:
            text = " ".join(f"{type(error).__name__}: {error}".split())
            self._say(_Failed(False, f"{asked.path}: {UNEXPECTED} ({text}); please report it"))

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
        while not select.select([self._requests], [], [], ALIVE_SECONDS)[0]:
            if reader.reached != reached:
                reached = reader.reached
                self._say(_Frames([], b""))
        os._exit(1)

    def _say(self, answer: _Answer) -> None:
        with self._speaking:
            _send(self._answers, answer)


def main() -> None:
    """Serve one film over standard input and output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a codec prints is no answer
    with suppress(BrokenPipeError):
        _Projectionist(sys.stdin.buffer, answers).work()


if __name__ == "__main__":
    main()
