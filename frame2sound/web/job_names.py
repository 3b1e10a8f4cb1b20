"""Whose the name of an output is: that of the job that was asked for, or began, last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from frame2sound.errors import StudioError
from frame2sound.web.job import Job

RERUN_WORDS = frozenset({"--resume", "--overwrite"})
"""Options that a command gets when it runs a second time."""

_SHARED = frozenset({"compare"})
"""Kinds of jobs that go on in a folder that another made."""


def first_words(job: Job) -> list[str]:
    """Return a job's command without the options of a second run."""
    return [word for word in job.words if word not in RERUN_WORDS]


def check_own_names(job: Job, jobs: Sequence[Job], root: Path) -> None:
    """Raise `StudioError` if another job has made, or is to make, what a job would write over.

    What is made of a take has the take's name.
    """
    take = next((each for each in jobs if each.number == job.about.get("take")), job)
    heir = next((each for each in reversed(jobs) if _is_heir(each, take, root)), None)
    if heir is not None:
        raise StudioError(
            f"job {heir.number} has the name {take.outputs[0]} by now; ask for what job "
            f"{job.number} makes anew"
        )


def _is_heir(other: Job, job: Job, root: Path) -> bool:
    """Return whether another job of other words has got the name of a job."""
    is_later = other.is_open or max(other.asked, other.started) > max(job.asked, job.started)
    if other is job or job.kind in _SHARED or not is_later:
        return False
    if not _names(other) & _names(job) or first_words(other) == first_words(job):
        return False
    return other.state != "failed" or any((root / name).exists() for name in other.outputs)


def _names(job: Job) -> set[str]:
    """Return the names of a job's outputs; films and sounds of one name share other files."""
    if job.kind == "render":
        return {name.rpartition(".")[0] for name in job.outputs}
    return set(job.outputs)
