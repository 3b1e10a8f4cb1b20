"""The one protocol by which long tasks report their progress."""

from __future__ import annotations

from typing import Protocol


class ProgressCallback(Protocol):
    """Takes reports of progress: any function of four arguments.

    Examples
    --------
    >>> def show(task: str, done: float, total: float | None, note: str) -> None:
    ...     print(f"{task}: {done:g} of {total:g}  {note}")
    >>> show("film.mp4", 3.0, 10.0, "1400 frames/s")
    film.mp4: 3 of 10  1400 frames/s
    """

    def __call__(self, task: str, done: float, total: float | None, note: str, /) -> None:
        """Take one report.

        Parameters
        ----------
        task : str
            Name of what is under way, such as the name of a film; several may be at once.
        done, total : float
            How much of the task is done, and how much there is, in a unit of the task's own.
            ``done`` never falls and never exceeds ``total``; ``total`` is None if it is unknown.
        note : str
            A figure worth showing, such as ``"1400 frames/s"``; may be empty.
        """


def ignore_progress(task: str, done: float, total: float | None, note: str, /) -> None:
    """Ignore a report: the callback of callers who want none."""


def rename_task(on_progress: ProgressCallback, task: str) -> ProgressCallback:
    """Return a callback that passes every report on under another name."""

    def report(_: str, done: float, total: float | None, note: str, /) -> None:
        on_progress(task, done, total, note)

    return report
