"""Several films pickled side by side, each read in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event

from frame2sound.errors import Frame2SoundError
from frame2sound.film.sandbox import kill_children
from frame2sound.library.pickler import Choice, pickle_film, title
from frame2sound.library.store import Library, PickledFilm
from frame2sound.places import Place

Report = Callable[[Place, float, float | None, int], None]
"""Called now and then with a film, the seconds of it done, of how many, and the frames written."""

Told = tuple[Place, float, float | None, int]


@dataclass(frozen=True)
class Outcome:
    """What became of one film: `film`, and whether it is `new`; or `error`, one line."""

    source: Place
    film: PickledFilm | None = None
    new: bool = False
    error: str | None = None


def pickle_films(
    sources: list[Place],
    library: Library,
    choice: Choice = Choice(),  # noqa: B008
    jobs: int | None = None,
    report: Report = lambda source, seconds, total, frames: None,
) -> Iterator[Outcome]:
    """Pickle films into a library; yield each outcome as it comes, in order of completion.

    A bad film stops no other, even if a decoder crashes on it or hangs. Interrupted, films that
    are complete stay and the others leave nothing behind.

    Parameters
    ----------
    jobs : int, optional
        Films at a time; by default as many as there are processors, which they share.
    """
    sources = list(dict.fromkeys(sources))
    cores = os.cpu_count() or 1
    jobs = min(jobs or cores, len(sources))
    choice = replace(choice, apart=True, threads=max(1, cores // max(jobs, 1)))
    if jobs <= 1:
        for source in sources:
            yield _outcome(source, library, choice, report)
        return
    reports: SimpleQueue[Told] = SimpleQueue()
    stop = Event()

    def tell(*told: *Told) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        reports.put(told)

    def work(some: list[Place]) -> list[Outcome]:
        return [_outcome(each, library, choice, tell) for each in some if not stop.is_set()]

    with ThreadPoolExecutor(jobs, "film") as pool:
        try:
            yield from _gather(
                {pool.submit(work, some) for some in namesakes(sources)}, reports, report
            )
        except BaseException:
            stop.set()
            kill_children()
            raise


def namesakes(sources: list[Place]) -> list[list[Place]]:
    """Group films that may be copies of each other, so that they are not read at once."""
    groups: dict[str, list[Place]] = {}
    for source in dict.fromkeys(sources):
        groups.setdefault(title(source), []).append(source)
    return list(groups.values())


def _outcome(source: Place, library: Library, choice: Choice, report: Report) -> Outcome:
    try:
        film, new = pickle_film(source, library, choice, partial(report, source))
    except Frame2SoundError as error:
        return Outcome(source, error=str(error))
    return Outcome(source, film, new)


def _gather(
    waiting: set[Future[list[Outcome]]],
    reports: SimpleQueue[Told],
    report: Report,
) -> Iterator[Outcome]:
    while waiting:
        try:
            report(*reports.get(timeout=0.1))
            continue
        except Empty:
            pass
        done = {future for future in waiting if future.done()}
        waiting -= done
        for future in as_completed(done):
            yield from future.result()
