"""Progress with the time left: bars on a terminal or in a notebook, plain lines elsewhere."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.terminal import escaped, say

LINE_SECONDS = 5.0
"""Seconds between the plain lines of one task."""

FORMAT_VARIABLE = "FRAME2SOUND_PROGRESS"
"""With the value ``json`` in the environment, reports are lines of JSON, for other programs."""

JSON_LINE_SECONDS = 0.15
"""Seconds between the JSON lines of one task."""


@contextmanager
def open_progress(progress: ProgressCallback | bool | None) -> Iterator[ProgressCallback]:
    """Give the callback for a ``progress`` argument: None is silent, True shows bars."""
    if callable(progress):
        yield progress
    elif progress:
        with ProgressBars() as bars:
            yield bars.show
    else:
        yield ignore_progress


class ProgressBars:
    """Shows on standard error how far tasks are.

    Examples
    --------
    >>> with ProgressBars() as bars:  # doctest: +SKIP
    ...     bars.show("film.mp4", 3.0, 10.0, "1400 frames/s")
    """

    def __init__(self, quiet: bool = False) -> None:
        console = Console(stderr=True)
        self._quiet = quiet
        self._bars: Bars | None = None
        if (console.is_terminal or console.is_jupyter) and not quiet:
            self._bars = Bars(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TaskProgressColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}", markup=False),
                console=console,
                redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
            )
        self._as_json = os.environ.get(FORMAT_VARIABLE) == "json"
        self._tasks: dict[str, TaskID] = {}
        self._start_times: dict[str, float] = {}
        self._line_times: dict[str, float] = {}

    def show(self, task: str, done: float, total: float | None, note: str = "", /) -> None:
        """Show that ``done`` of ``total`` is done; without a total no time left is shown."""
        if self._quiet:
            return
        if self._as_json:
            self._print_json_line(task, done, total, note)
            return
        task, note = escaped(task), escaped(note)
        done, total = max(done, 0.0), total if total and total > 0 else None
        if self._bars is None:
            self._print_line(task, done, total, note)
            return
        if task not in self._tasks:
            self._tasks[task] = self._bars.add_task(task, total=total, note=note)
        self._bars.update(self._tasks[task], completed=done, total=total, note=note)

    def _print_json_line(self, task: str, done: float, total: float | None, note: str) -> None:
        """Print a report, unless the task's last one was just now."""
        now, finished = time.monotonic(), total is not None and done >= total
        if not finished and now - self._line_times.get(task, -1.0) < JSON_LINE_SECONDS:
            return
        self._line_times[task] = now
        report = {"task": task, "done": float(done), "total": total, "note": note}
        say(json.dumps({"progress": report}), err=True)

    def _print_line(self, task: str, done: float, total: float | None, note: str) -> None:
        now = time.monotonic()
        start = self._start_times.setdefault(task, now)
        finished = total is not None and done >= total
        if not finished and now - self._line_times.setdefault(task, start) < LINE_SECONDS:
            return
        if finished and self._line_times.get(task) == float("inf"):
            return
        self._line_times[task] = float("inf") if finished else now
        parts = [task]
        if total:
            parts.append(f"{100 * min(done / total, 1):.0f} %")
        if total and done and not finished:
            parts.append(f"{(now - start) * (total / done - 1):.0f} s left")
        say("  ".join([*parts, note]).rstrip(), err=True)

    def __enter__(self) -> ProgressBars:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()
