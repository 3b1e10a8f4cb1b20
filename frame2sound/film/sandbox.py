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

ANSWER_TIMEOUT_SECONDS = 120.0
"""How long a child may say nothing before it counts as stuck."""

HEARTBEAT_SECONDS = 5.0
"""How often a child says that it goes on, where it has nothing else to say."""

UNEXPECTED_ERROR = "reading it failed as it should not"

_LENGTH = struct.Struct("<I")

_ERRORS: dict[str, type[Frame2SoundError]] = {
    kind.__name__: kind for kind in (FilmError, DamagedFilmError, SoundtrackError)
}


class ErrorAnswer(msgspec.Struct, frozen=True, tag=True):
    """An error to raise in the parent: one of the film's, or with ``number`` an `OSError`."""

    error_type: str
    message: str
    errno: int | None = None

    @classmethod
    def from_exception(cls, error: Exception, path: Path) -> ErrorAnswer:
        """Return what to say of an error while ``path`` was read."""
        if isinstance(error, Frame2SoundError):
            return cls(type(error).__name__, _escape_undecodable(str(error)))
        if isinstance(error, MemoryError):
            why = f"{path} needs more memory than a film may take; if you trust this file, raise "
            return cls("FilmError", _escape_undecodable(f"{why}--most-megapixels"))
        if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT, EFBIG):
            return cls("OSError", str(error), error.errno)
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return cls(
            "FilmError",
            _escape_undecodable(f"{path}: {UNEXPECTED_ERROR} ({text}); please report it"),
        )

    def to_exception(self) -> Exception:
        """Return the error that this stands for."""
        if self.errno is not None:
            return OSError(self.errno, os.strerror(self.errno))
        return _ERRORS.get(self.error_type, FilmError)(self.message)


class ChildProcess:
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

    def __init__(
        self, module: str, path: Path, answer_decoder: msgspec.msgpack.Decoder[Any]
    ) -> None:
        self.path, self._answer_decoder = path, answer_decoder
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            process_group=0,  # Ctrl-C is for the parent
        )
        self.close = weakref.finalize(self, _kill, self.process)
        _CHILDREN.add(self)

    def send_request(self, request: msgspec.Struct) -> None:
        """Send a request."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # then there is no answer either
            write_message(self.process.stdin, request)

    def receive_answer(self) -> Any:
        """Return the next answer; raise the error that it is, or that there is none."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], ANSWER_TIMEOUT_SECONDS)
        if not ready:
            raise FilmError(
                f"{self.path}: its decoder has made nothing for {ANSWER_TIMEOUT_SECONDS:.0f} s, expected "
                "a picture; it is damaged, so copy it again or convert it with ffmpeg"
            )
        answer = read_message(self.process.stdout, self._answer_decoder)
        if answer is None:
            raise self._crash_error()
        if isinstance(answer, ErrorAnswer):
            raise answer.to_exception()
        return answer

    def kill(self) -> None:
        """End the process, from another thread than the one that listens."""
        self.process.kill()

    def _crash_error(self) -> FilmError:
        code = self.process.wait()
        why = signal.Signals(-code).name if code < 0 else f"exit {code}"
        return FilmError(
            f"{self.path}: its decoder crashed ({why}), expected a film that it can read; "
            "copy it again or convert it with ffmpeg"
        )


_CHILDREN: weakref.WeakSet[ChildProcess] = weakref.WeakSet()


def kill_children() -> None:
    """End all children: whoever waits for them gets an error."""
    for child in list(_CHILDREN):
        child.kill()


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with suppress(BrokenPipeError):
        process.communicate()


class ParentConnection:
    """The parent, seen from its child; threads may share it."""

    def __init__(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        self.requests, self._answers = requests, answers
        self._write_lock = Lock()

    def receive_request(self, decoder: msgspec.msgpack.Decoder[Any]) -> Any:
        """Return the next request; None where there is none."""
        return read_message(self.requests, decoder)

    def send_answer(self, answer: msgspec.Struct) -> None:
        """Send an answer."""
        with self._write_lock:
            write_message(self._answers, answer)


def serve(run: Callable[[ParentConnection], None]) -> None:
    """Do a child's work over standard input and output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a codec prints is no answer
    with suppress(BrokenPipeError):
        run(ParentConnection(sys.stdin.buffer, answers))


def limit_memory(limits: Limits) -> None:
    """Refuse this process more memory than a film within its limits can need.

    Where the system knows no such limit (as macOS), there is none.
    """
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = limits.max_memory_bytes
        if most != resource.RLIM_INFINITY:
            wanted = min(wanted, most)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, most))


def write_message(pipe: IO[bytes], message: msgspec.Struct) -> None:
    """Write a message."""
    data = msgspec.msgpack.encode(message, enc_hook=_encode_value)
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def read_message(pipe: IO[bytes], decoder: msgspec.msgpack.Decoder[Any]) -> Any:
    """Return the next message; None where there is none, or half of one."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length)
    return decoder.decode(data) if len(data) == length else None


def message_decoder(message_type: Any) -> msgspec.msgpack.Decoder[Any]:
    """Return a decoder of messages of a kind, the other end of `send`."""
    return msgspec.msgpack.Decoder(message_type, dec_hook=_decode_value)


def _encode_value(value: Any) -> str | bytes:
    """Return paths as bytes, for they need not be UTF-8, and exact numbers as text."""
    return os.fsencode(value) if isinstance(value, Path) else str(value)


def _decode_value(kind: type, value: Any) -> Any:
    return kind(os.fsdecode(value) if isinstance(value, bytes) else value)


def _escape_undecodable(text: str) -> str:
    """Return a text as it can be sent: of a name that is no UTF-8, bytes are escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
