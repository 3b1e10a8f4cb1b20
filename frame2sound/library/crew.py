"""Several films pickled side by side, one process a film."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import Empty
from threading import Thread
from typing import Any

from frame2sound.errors import Frame2SoundError
from frame2sound.library.pickler import Choice, pickle_film, title
from frame2sound.library.store import Library, PickledFilm

Report = Callable[[Path, float, int], None]
"""Called now and then with a film, the seconds of it done and the frames written."""


@dataclass(frozen=True)
class Outcome:
    """What became of one film: `film`, and whether it is `new`; or `error`, one line."""

    source: Path
    film: PickledFilm | None = None
    new: bool = False
    error: str | None = None


def pickle_films(
    sources: list[Path],
    library: Library,
    choice: Choice = Choice(),  # noqa: B008
    jobs: int | None = None,
    report: Report = lambda source, seconds, frames: None,
) -> Iterator[Outcome]:
    """Pickle films into a library; yield each outcome as it comes, in order of completion.

    A bad film stops no other. Interrupted, films that are complete stay and the others leave
    nothing behind.

    Parameters
    ----------
    jobs : int, optional
        Films at a time; by default as many as there are processors.
    """
    sources = list(dict.fromkeys(sources))
    jobs = min(jobs or os.cpu_count() or 1, len(sources))
    namesakes: dict[str, list[Path]] = {}  # may be copies, so they are not read at once
    for source in sources:
        namesakes.setdefault(title(source), []).append(source)
    if jobs <= 1:
        for source in sources:
            yield _outcome(source, library, choice, report)
        return
    context = multiprocessing.get_context("spawn")
    reports, stop = context.Queue(), context.Event()
    pool = ProcessPoolExecutor(jobs, context, _join_crew, (reports, stop))
    try:
        futures = {pool.submit(_work, some, library, choice): some for some in namesakes.values()}
        yield from _gather(futures, reports, report)
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _outcome(source: Path, library: Library, choice: Choice, report: Report) -> Outcome:
    try:
        film, new = pickle_film(source, library, choice, lambda s, n: report(source, s, n))
    except Frame2SoundError as error:
        return Outcome(source, error=str(error))
    return Outcome(source, film, new)


def _gather(
    futures: dict[Future[list[Outcome]], list[Path]], reports: Any, report: Report
) -> Iterator[Outcome]:
    waiting = set(futures)
    while waiting:
        try:
            report(*reports.get(timeout=0.1))
            continue
        except Empty:
            pass
        done = {future for future in waiting if future.done()}
        waiting -= done
        for future in as_completed(done):
            try:
                yield from future.result()
            except BrokenProcessPool:
                for source in futures[future]:
                    yield Outcome(
                        source, error=f"{source}: the decoder crashed on it or on a film beside it"
                    )


_reports: Any = None
_stop: Event | None = None


def _join_crew(reports: Any, stop: Event) -> None:
    global _reports, _stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _reports, _stop = reports, stop
    Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """End this process when the one that hired it was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(sources: list[Path], library: Library, choice: Choice) -> list[Outcome]:
    return [_outcome(source, library, choice, _report_home) for source in sources]


def _report_home(source: Path, seconds: float, frames: int) -> None:
    if _stop is not None and _stop.is_set():
        raise KeyboardInterrupt
    _reports.put((source, seconds, frames))
