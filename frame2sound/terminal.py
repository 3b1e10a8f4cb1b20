"""What is printed: escaped, so that a name cannot steer the terminal, and all of it or an error."""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import suppress
from typing import TextIO

from frame2sound.errors import Frame2SoundError

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters (C0, C1), marks that turn the direction of text, and halves of characters.

A byte of a file name that is no UTF-8 is such a half.
"""


class OutputError(Frame2SoundError):
    """Standard output cannot be written to."""


def escaped(text: str) -> str:
    r"""Return a text in one line, in which nothing steers a terminal.

    >>> escaped("red \x1b[31m\nfilm"), escaped("caf\udce9")
    ('red \\x1b[31m\\nfilm', 'caf\\xe9')
    """
    return _UNSAFE.sub(_name, text)


def say(text: str, err: bool = False) -> None:
    """Print one line."""
    _write(escaped(text) + "\n", sys.stderr if err else sys.stdout)


def say_json(text: str) -> None:
    """Print JSON; what is unsafe in its strings is escaped as JSON has it."""
    safe = re.sub(r"[^\x00-\x7f]", _as_json, text) if not _can_hold(text) else text
    safe = _UNSAFE.sub(lambda match: match[0] if match[0] == "\n" else _as_json(match), safe)
    _write(safe + "\n", sys.stdout)


def flush_stdout() -> None:
    """Write what still waits to be written; `OutputError` if that cannot be."""
    _write("", sys.stdout)


def silence_stdout() -> None:
    """Let nothing more be written to standard output, not even what still waits to be."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _write(text: str, stream: TextIO | None) -> None:
    if stream is None:  # it was closed before the program began
        return
    encoding = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except OSError as failure:
        if stream is sys.stderr:
            return
        if isinstance(failure, BrokenPipeError):
            raise
        silence_stdout()
        full = failure.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        why = "the disk is full" if full else (failure.strerror or str(failure)).lower()
        raise OutputError(
            f"standard output cannot be written ({why}); what was made is kept; "
            "make room, or write it elsewhere"
        ) from failure


def _can_hold(text: str) -> bool:
    try:
        _UNSAFE.sub("", text).encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _name(match: re.Match[str]) -> str:
    code = ord(match[0])
    short = {9: "\\t", 10: "\\n", 13: "\\r"}.get(code)
    if short is not None:
        return short
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _as_json(match: re.Match[str]) -> str:
    data = match[0].encode("utf-16-be", "surrogatepass")
    pairs = (data[at : at + 2].hex() for at in range(0, len(data), 2))
    return "".join(f"\\u{pair}" for pair in pairs)
