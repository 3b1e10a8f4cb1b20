"""Run a command of the command line as a process: its progress, its messages, and its end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from frame2sound.progress_bars import FORMAT_VARIABLE
from frame2sound.web.job import Progress

MAX_MESSAGES = 20
"""Lines that are remembered of what a command prints."""

MAX_REASONS = 20
"""Films that did not succeed, of several, whose reasons are told."""

MAX_LINE = 2000
STOP_SECONDS = 30.0
"""A command that was asked to stop, and has not saved its work after this time, is killed."""

_PROGRAM = "frame2sound: "
_CURVE = re.compile(r"epoch (\d+)  loss ([\d.]+)(?:  held out ([\d.]+))?")


class _Line(msgspec.Struct):
    progress: Progress


_LINE = msgspec.json.Decoder(_Line)


class CommandProcess:
    """A command that runs in a process group of its own, and imports nothing from its folder.

    Parameters
    ----------
    words : list of str
        What follows ``frame2sound``.
    folder : Path
        Where it runs.
    output : Path
        Takes what it prints on standard output.
    """

    def __init__(self, words: list[str], folder: Path, output: Path) -> None:
        output.parent.mkdir(parents=True, exist_ok=True)
        settings = {
            FORMAT_VARIABLE: "json",
            "PYTHONIOENCODING": "utf-8",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        output.unlink(missing_ok=True)  # it may be a link
        with output.open("xb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "frame2sound", *words],
                cwd=folder,
                env={**os.environ, **settings},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        self.messages: list[str] = []
        self._complaint: list[str] = []

    @property
    def process_id(self) -> int:
        """The process, which leads its group."""
        return self._process.pid

    def wait(self, on_progress: Callable[[Progress], None]) -> int:
        """Follow the command to its end; return its exit code."""
        assert self._process.stderr is not None
        for line in _lines(self._process.stderr):
            try:
                on_progress(_LINE.decode(line).progress)
            except (msgspec.DecodeError, UnicodeDecodeError):
                if text := line.decode("utf-8", "replace").rstrip():
                    self._keep(text)
        return self._process.wait()

    def stop(self) -> None:
        """Ask the command to save its work and end; kill it if it does not."""
        end_process(self.process_id)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        if self._process.returncode is None:
            end_process(self.process_id, signal.SIGKILL)

    def error(self) -> str:
        """Return in one line what the command says went wrong, of several films with each one."""
        if self._complaint:
            first, *reasons = self._complaint
            left = len(reasons) - MAX_REASONS
            more = [f"and {left} more"] if left > 0 else []
            return f"{first} {'; '.join(reasons[:MAX_REASONS] + more)}".rstrip()
        code = self._process.returncode
        reason = f"was ended by signal {-code}" if code and code < 0 else f"ended with {code}"
        return f"the command {reason}; run it in a terminal to see more"

    def _keep(self, line: str) -> None:
        """Remember a line; those of each film are indented, and follow the one that counts them."""
        self.messages = [*self.messages, line][-MAX_MESSAGES:]
        if line.startswith(_PROGRAM):
            self._complaint = [line.removeprefix(_PROGRAM)]
        elif self._complaint and line.startswith(" "):
            self._complaint.append(line.strip())


def curve_point(note: str) -> tuple[float, float | None, float | None] | None:
    """Return epoch, loss and held-out loss of a training's note; None of another note.

    Examples
    --------
    >>> curve_point("epoch 3  loss 0.251  held out 0.302"), curve_point("1400 frames/s")
    ((3.0, 0.251, 0.302), None)
    """
    match = _CURVE.fullmatch(note)
    if match is None:
        return None
    return float(match[1]), float(match[2]), None if match[3] is None else float(match[3])


def process_start(process_id: int) -> int:
    """Return when a process began, in clock ticks since the computer did; 0 if it has ended.

    Also where the system does not say.
    """
    try:
        text = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return 0
    state, *fields = text.rpartition(")")[2].split()
    return 0 if state in "ZX" else int(fields[18])


def end_process(process_id: int, number: int = signal.SIGTERM) -> None:
    """Send a signal to a process that `CommandProcess` started; kills go to its whole group."""
    with suppress(ProcessLookupError, PermissionError):
        if number == signal.SIGKILL:
            os.killpg(process_id, number)
        else:
            os.kill(process_id, number)


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: stream.readline(MAX_LINE), b"")
