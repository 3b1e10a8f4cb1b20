"""Jobs: commands that were asked for, and what became of them, in a file that survives a kill."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from frame2sound.atomic import atomic_write
from frame2sound.errors import StudioError
from frame2sound.untrusted import read_bytes

JobKind = Literal[
    "render",
    "wav",
    "export",
    "pickle",
    "library",
    "inspect",
    "train",
    "compare",
    "notes",
    "squiggles",
    "pair",
    "draw",
    "sing",
    "report",
]
JobState = Literal["waiting", "running", "done", "failed", "stopped"]

JOBS_FILE = "jobs.json"
JOBS_VERSION = 1
MAX_JOBS_BYTES = 64 << 20
MAX_JOBS = 5000
"""Older jobs are forgotten; their files stay."""


class Progress(msgspec.Struct):
    """The last report of a job; see `frame2sound.progress.ProgressCallback`."""

    task: str
    done: float
    total: float | None
    note: str


class Job(msgspec.Struct):
    """A command, and what became of it.

    Attributes
    ----------
    number : int
        In the order in which jobs were asked for.
    words : list of str
        What follows ``frame2sound`` on the command line; run in the project's folder.
    state : str
    about : dict
        What the page shows of it: animation, brain, controls.
    outputs : list of str
        Files that it makes, from the project's root.
    asked, started, ended : float
        Seconds since 1970.
    error : str
        The line that says what went wrong.
    messages : list of str
        The last lines that it printed.
    curve : list
        Of a training: epoch, loss, held-out loss.
    process, process_start : int
        Its process, and when that began, by which it is found again after a kill.
    progress : Progress, optional
        Not stored.
    """

    number: int
    kind: JobKind
    words: list[str]
    state: JobState = "waiting"
    about: dict[str, Any] = {}
    outputs: list[str] = []
    asked: float = 0.0
    started: float = 0.0
    ended: float = 0.0
    error: str = ""
    messages: list[str] = []
    curve: list[tuple[float, float | None, float | None]] = []
    process: int = 0
    process_start: int = 0
    progress: Progress | None = None

    @property
    def command(self) -> str:
        """The command as a shell takes it."""
        return shlex.join(["frame2sound", *self.words])

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("waiting", "running")

    def to_dict(self) -> dict[str, Any]:
        """Return what the page is told."""
        table: dict[str, Any] = msgspec.to_builtins(self)
        for name in ("process", "process_start", "words"):
            del table[name]
        return {**table, "command": self.command}


class _JobFile(msgspec.Struct):
    version: int
    jobs: Annotated[list[Job], Meta(max_length=MAX_JOBS)]


def read_jobs(folder: Path) -> list[Job]:
    """Return the jobs that are remembered in a folder; none if there is no file of them.

    Raises
    ------
    StudioError
        The file cannot be read or is from a newer version.
    """
    path = folder / JOBS_FILE
    try:
        file = msgspec.json.decode(read_bytes(path, MAX_JOBS_BYTES), type=_JobFile)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError) as error:
        raise StudioError(
            f"{path} cannot be read ({str(error)[:100]}); expected the studio's list of jobs; "
            "move it elsewhere to begin without a history"
        ) from error
    if file.version > JOBS_VERSION:
        raise StudioError(f"{path} is of version {file.version}; expected 1; update frame2sound")
    return file.jobs


def write_jobs(folder: Path, jobs: list[Job]) -> None:
    """Write the newest jobs; the file appears complete or not at all.

    Raises
    ------
    StudioError
        The disk is full, or the folder cannot be written.
    """
    kept = [msgspec.structs.replace(job, progress=None) for job in jobs[-MAX_JOBS:]]
    with atomic_write(folder / JOBS_FILE, StudioError) as partial:
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(_JobFile(JOBS_VERSION, kept))))
