"""Progress with the time left: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from frame2sound.cli.terminal import escaped, say

LINE_SECONDS = 5.0
"""Seconds between the plain lines of one task."""


class Progress:
    """Shows how far tasks are, on standard error.

    Examples
    --------
    >>> with Progress() as progress:  # doctest: +SKIP
    ...     progress.show("film.mp4", 3.0, 10.0, "1400 frames/s")
    """

    def __init__(self, quiet: bool = False) -> None:
        console = Console(stderr=True)
        self._quiet = quiet
        self._bars: Bars | None = None
        if console.is_terminal and not quiet:
            self._bars = Bars(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TaskProgressColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}", markup=False),
                console=console,
            )
        self._tasks: dict[str, TaskID] = {}
        self._begun: dict[str, float] = {}
        self._said: dict[str, float] = {}

    def show(self, name: str, done: float, total: float | None, note: str = "", /) -> None:
        """Say that ``done`` of ``total`` is done; without a total there is no time left to show."""
        if self._quiet:
            return
        name, note = escaped(name), escaped(note)
        done, total = max(done, 0.0), total if total and total > 0 else None
        if self._bars is None:
            self._say(name, done, total, note)
            return
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total, note=note)
        self._bars.update(self._tasks[name], completed=done, total=total, note=note)

    def _say(self, name: str, done: float, total: float | None, note: str) -> None:
        now = time.monotonic()
        begun = self._begun.setdefault(name, now)
        finished = total is not None and done >= total
        if not finished and now - self._said.setdefault(name, begun) < LINE_SECONDS:
            return
        if finished and self._said.get(name) == float("inf"):
            return
        self._said[name] = float("inf") if finished else now
        parts = [name]
        if total:
            parts.append(f"{100 * min(done / total, 1):.0f} %")
        if total and done and not finished:
            parts.append(f"{(now - begun) * (total / done - 1):.0f} s left")
        say("  ".join([*parts, note]).rstrip(), err=True)

    def __enter__(self) -> Progress:
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
