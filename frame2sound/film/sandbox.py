"""Messages between a process and the subprocess in which it parses untrusted films.

Each message is a length of four bytes, then MessagePack, over a pipe.
"""

from __future__ import annotations

import os
import select
import signal
import struct
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, EFBIG, ENOSPC
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import IO, Any, TypeVar

import msgspec

from frame2sound.errors import DamagedFilmError, FilmError, Frame2SoundError, SoundtrackError
from frame2sound.film.limits import Limits, larger_limit
from frame2sound.threads import ONE_THREAD_ENVIRONMENT

ANSWER_TIMEOUT_SECONDS = 120.0
"""A child that answers nothing for so long has hung."""

HEARTBEAT_SECONDS = 5.0
"""Seconds between the heartbeats of a child that has nothing else to send."""

UNEXPECTED_ERROR = "reading it failed unexpectedly"

M = TypeVar("M")

_LENGTH = struct.Struct("<I")

_ERRORS: dict[str, type[Frame2SoundError]] = {
    kind.__name__: kind for kind in (FilmError, DamagedFilmError, SoundtrackError)
}


class Heartbeat(msgspec.Struct, frozen=True, tag=True):
    """Tells the parent that the child still proceeds."""


class ErrorAnswer(msgspec.Struct, frozen=True, tag=True):
    """An error to raise in the parent: an `OSError` if ``errno`` is given."""

    error_type: str
    message: str
    errno: int | None = None

    @classmethod
    def from_exception(cls, error: Exception, path: Path) -> ErrorAnswer:
        """Return the answer to send for an error that occurred while ``path`` was read."""
        if isinstance(error, Frame2SoundError):
            return cls(type(error).__name__, _escape_undecodable(str(error)))
        if isinstance(error, MemoryError):
            remedy = larger_limit("max_megapixels")
            message = f"{path} needs more memory than a film may use; {remedy}"
            return cls("FilmError", _escape_undecodable(message))
        if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT, EFBIG):
            return cls("OSError", str(error), error.errno)
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return cls(
            "FilmError",
            _escape_undecodable(f"{path}: {UNEXPECTED_ERROR} ({text}); please report it"),
        )

    def to_exception(self) -> Exception:
        """Return the exception that this describes."""
        if self.errno is not None:
            return OSError(self.errno, os.strerror(self.errno))
        return _ERRORS.get(self.error_type, FilmError)(self.message)


class ChildProcess:
    """The parent's side: a running subprocess.

    Parameters
    ----------
    module : str
        Module to run, which calls `serve`.
    path : Path
        The film to work on, for messages.
    answer_decoder : msgspec.msgpack.Decoder
        Decoder of the answers, which include `Heartbeat` and `ErrorAnswer`.
    """

    def __init__(
        self, module: str, path: Path, answer_decoder: msgspec.msgpack.Decoder[Any]
    ) -> None:
        self.path, self._answer_decoder = path, answer_decoder
        self.process = start_process(module)
        assert self.process.stdout is not None
        # Unbuffered: select does not see an answer that a buffer has read ahead.
        self._answer_pipe = FileIO(self.process.stdout.fileno(), closefd=False)
        self.close = weakref.finalize(self, _kill, self.process)
        _CHILDREN.add(self)

    def send_request(self, request: msgspec.Struct) -> None:
        """Send a request."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # then there is no answer either
            write_message(self.process.stdin, request)

    def receive_answer(self) -> Any:
        """Return the next answer that is no heartbeat.

        Raises
        ------
        FilmError
            The child crashed or hung.
        Frame2SoundError, OSError
            The child answered with this error.
        """
        while isinstance(answer := self._receive_message(), Heartbeat):
            pass
        if answer is None:
            raise self._crash_error()
        if isinstance(answer, ErrorAnswer):
            raise answer.to_exception()
        return answer

    def kill(self) -> None:
        """Kill the process; a thread that waits for an answer gets an error."""
        self.process.kill()

    def _receive_message(self) -> Any:
        ready, _, _ = select.select([self._answer_pipe], [], [], ANSWER_TIMEOUT_SECONDS)
        if not ready:
            raise FilmError(
                f"{self.path}: its decoder returned nothing for {ANSWER_TIMEOUT_SECONDS:.0f} s, "
                "expected a picture; it is damaged, so copy it again or convert it with ffmpeg"
            )
        return read_message(self._answer_pipe, self._answer_decoder)

    def _crash_error(self) -> FilmError:
        code = self.process.wait()
        reason = signal.Signals(-code).name if code < 0 else f"exit {code}"
        return FilmError(
            f"{self.path}: its decoder crashed ({reason}), expected a film that it can read; "
            "copy it again or convert it with ffmpeg"
        )


def start_process(module: str) -> subprocess.Popen[bytes]:
    """Start a process that runs a module, with pipes to its standard input and output."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ
        | ONE_THREAD_ENVIRONMENT
        | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        process_group=0,  # Ctrl-C is for the parent
    )


_CHILDREN: weakref.WeakSet[ChildProcess] = weakref.WeakSet()


def kill_children() -> None:
    """Kill all children; threads that wait for their answers get an error."""
    for child in list(_CHILDREN):
        child.kill()


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with suppress(BrokenPipeError):
        process.communicate()


class ParentConnection:
    """The child's side: the connection to its parent; threads may share it."""

    def __init__(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        self.requests, self._answers = requests, answers
        self._write_lock = Lock()

    def receive_request(self, decoder: msgspec.msgpack.Decoder[M]) -> M | None:
        """Return the next request; None if the parent has closed the pipe."""
        return read_message(self.requests, decoder)

    def send_answer(self, answer: msgspec.Struct) -> None:
        """Send an answer."""
        with self._write_lock:
            write_message(self._answers, answer)


def serve(run: Callable[[ParentConnection], None]) -> None:
    """Run a child's work with its parent at standard input and output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # codecs that print to standard output must not disturb the answers
    with suppress(BrokenPipeError):
        run(ParentConnection(sys.stdin.buffer, answers))


@contextmanager
def send_errors(parent: ParentConnection, path: Path) -> Iterator[None]:
    """Send errors of this context to the parent, as errors of reading ``path``."""
    try:
        yield
    except BrokenPipeError:
        raise
    except Exception as error:
        parent.send_answer(ErrorAnswer.from_exception(error, path))


def limit_memory(limits: Limits) -> None:
    """Limit the memory of this process to what a film within its limits can need.

    Does nothing on systems without such a limit, such as macOS.
    """
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, hard_limit = resource.getrlimit(resource.RLIMIT_DATA)
        soft_limit = limits.max_memory_bytes
        if hard_limit != resource.RLIM_INFINITY:
            soft_limit = min(soft_limit, hard_limit)
        resource.setrlimit(resource.RLIMIT_DATA, (soft_limit, hard_limit))


def write_message(pipe: IO[bytes], message: msgspec.Struct) -> None:
    """Write a message."""
    data = msgspec.msgpack.encode(message, enc_hook=_encode_value)
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def read_message(pipe: IO[bytes] | FileIO, decoder: msgspec.msgpack.Decoder[M]) -> M | None:
    """Return the next message; None if the pipe ends before or within it."""
    head = _read_bytes(pipe, _LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = _read_bytes(pipe, length)
    return decoder.decode(data) if len(data) == length else None


def _read_bytes(pipe: IO[bytes] | FileIO, length: int) -> bytearray:
    """Return ``length`` bytes, or fewer at the pipe's end; an unbuffered pipe may split them."""
    data = bytearray()
    while len(data) < length and (part := pipe.read(length - len(data))):
        data += part
    return data


def message_decoder(message_type: Any) -> msgspec.msgpack.Decoder[Any]:
    """Return a decoder of messages of a type, or of a union of types."""
    return msgspec.msgpack.Decoder(message_type, dec_hook=_decode_value)


def _encode_value(value: Any) -> str | bytes:
    """Encode a path as bytes, as it need not be UTF-8, and a fraction as text."""
    return os.fsencode(value) if isinstance(value, Path) else str(value)


def _decode_value(kind: type, value: Any) -> Any:
    return kind(os.fsdecode(value) if isinstance(value, bytes) else value)


def _escape_undecodable(text: str) -> str:
    """Escape the bytes of a file name that are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
