"""A subprocess in which films are parsed, so that a crash or a hang of a codec ends nothing else.

Parent and child exchange messages over pipes: a length of four bytes, then MessagePack.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import subprocess
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path
from threading import Lock
from typing import IO, Any

import msgspec

from frame2sound.errors import DamagedFilmError, FilmError, Frame2SoundError, SoundtrackError
from frame2sound.film.limits import Limits

PATIENCE_SECONDS = 120.0
"""How long a child may say nothing before it counts as stuck."""

ALIVE_SECONDS = 5.0
"""How often a child says that it goes on, where it has nothing else to say."""

UNEXPECTED = "reading it failed as it should not"

_LENGTH = struct.Struct("<I")

_ERRORS: dict[str, type[Frame2SoundError]] = {
    kind.__name__: kind for kind in (FilmError, DamagedFilmError, SoundtrackError)
}


class Failed(msgspec.Struct, frozen=True, tag=True):
    """An error to raise in the parent: one of the film's, or with ``number`` an `OSError`."""

    kind: str
    why: str
    number: int | None = None

    @classmethod
    def of(cls, error: Exception, path: Path) -> Failed:
        """Return what to say of an error while ``path`` was read."""
        if isinstance(error, Frame2SoundError):
            return cls(type(error).__name__, _text(str(error)))
        if isinstance(error, MemoryError):
            why = f"{path} needs more memory than a film may take; if you trust this file, raise "
            return cls("FilmError", _text(f"{why}--most-megapixels"))
        if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT, EFBIG):
            return cls("OSError", str(error), error.errno)
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return cls("FilmError", _text(f"{path}: {UNEXPECTED} ({text}); please report it"))

    def error(self) -> Exception:
        """Return the error that this stands for."""
        if self.number is not None:
            return OSError(self.number, os.strerror(self.number))
        return _ERRORS.get(self.kind, FilmError)(self.why)


class Child:
    """A running subprocess, seen from its parent.

    Parameters
    ----------
    module : str
        What it runs; it calls `serve`.
    path : Path
        The film that it is to work on, for messages.
    answers : msgspec.msgpack.Decoder
        Of what it says.
    """

    def __init__(self, module: str, path: Path, answers: msgspec.msgpack.Decoder[Any]) -> None:
        self.path, self._answers = path, answers
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            process_group=0,  # Ctrl-C is for the parent
        )
        self.close = weakref.finalize(self, _end, self.process)
        _CHILDREN.add(self)

    def ask(self, request: msgspec.Struct) -> None:
        """Send a request."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # then there is no answer either
            send(self.process.stdin, request)

    def listen(self) -> Any:
        """Return the next answer; raise the error that it is, or that there is none."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_SECONDS)
        if not ready:
            raise FilmError(
                f"{self.path}: its decoder has made nothing for {PATIENCE_SECONDS:.0f} s, expected "
                "a picture; it is damaged, so copy it again or convert it with ffmpeg"
            )
        answer = receive(self.process.stdout, self._answers)
        if answer is None:
            raise self._crashed()
        if isinstance(answer, Failed):
            raise answer.error()
        return answer

    def interrupt(self) -> None:
        """End the process, from another thread than the one that listens."""
        self.process.kill()

    def _crashed(self) -> FilmError:
        code = self.process.wait()
        why = signal.Signals(-code).name if code < 0 else f"exit {code}"
        return FilmError(
            f"{self.path}: its decoder crashed ({why}), expected a film that it can read; "
            "copy it again or convert it with ffmpeg"
        )


_CHILDREN: weakref.WeakSet[Child] = weakref.WeakSet()


def end_children() -> None:
    """End all children: whoever waits for them gets an error."""
    for child in list(_CHILDREN):
        child.interrupt()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with suppress(BrokenPipeError):
        process.communicate()


class Parent:
    """The parent, seen from its child; threads may share it."""

    def __init__(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        self.requests, self._answers = requests, answers
        self._speaking = Lock()

    def next(self, decoder: msgspec.msgpack.Decoder[Any]) -> Any:
        """Return the next request; None where there is none."""
        return receive(self.requests, decoder)

    def say(self, answer: msgspec.Struct) -> None:
        """Send an answer."""
        with self._speaking:
            send(self._answers, answer)


def serve(work: Callable[[Parent], None]) -> None:
    """Do a child's work over standard input and output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a codec prints is no answer
    with suppress(BrokenPipeError):
        work(Parent(sys.stdin.buffer, answers))


def limit_memory(limits: Limits) -> None:
    """Refuse this process more memory than a film within its limits can need.

    Where the system knows no such limit (as macOS), there is none.
    """
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = limits.memory_bytes
        if most != resource.RLIM_INFINITY:
            wanted = min(wanted, most)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, most))


def send(pipe: IO[bytes], message: msgspec.Struct) -> None:
    """Write a message."""
    data = msgspec.msgpack.encode(message, enc_hook=_encoded)
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def receive(pipe: IO[bytes], decoder: msgspec.msgpack.Decoder[Any]) -> Any:
    """Return the next message; None where there is none, or half of one."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length)
    return decoder.decode(data) if len(data) == length else None


def decoder_of(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    """Return a decoder of messages of a kind, the other end of `send`."""
    return msgspec.msgpack.Decoder(kind, dec_hook=_decoded)


def _encoded(value: Any) -> str | bytes:
    """Return paths as bytes, for they need not be UTF-8, and exact numbers as text."""
    return os.fsencode(value) if isinstance(value, Path) else str(value)


def _decoded(kind: type, value: Any) -> Any:
    return kind(os.fsdecode(value) if isinstance(value, bytes) else value)


def _text(text: str) -> str:
    """Return a text as it can be sent: of a name that is no UTF-8, bytes are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
