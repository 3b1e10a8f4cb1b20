"""Pickle several films in parallel, each decoded in its own process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event

from frame2sound.errors import Frame2SoundError
from frame2sound.film.decoding.image_sequence import audio_file, image_files, is_image_sequence
from frame2sound.film.sandbox import kill_children
from frame2sound.library.pickler import PickleOptions, folder_title, pickle_film
from frame2sound.library.store import Library, PickledFilm
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.storage import Location

ProgressArguments = tuple[str, float, float | None, str]


@dataclass(frozen=True)
class PickleOutcome:
    """The result for one film: ``film`` and ``is_new``, or ``error``, a message of one line."""

    source: Location
    film: PickledFilm | None = None
    is_new: bool = False
    error: str | None = None


def pickle_films(
    sources: list[Location],
    library: Library,
    options: PickleOptions = PickleOptions(),  # noqa: B008
    jobs: int | None = None,
    on_progress: ProgressCallback = ignore_progress,
) -> Iterator[PickleOutcome]:
    """Pickle films into a library and yield each outcome, in order of completion.

    A film that fails does not stop the others, even if its decoder crashes or hangs. After an
    interrupt, complete films stay and the others leave nothing behind.

    Parameters
    ----------
    jobs : int, optional
        Films at a time; by default the number of processors. They share the processors.
    """
    sources = list(dict.fromkeys(sources))
    cores = os.cpu_count() or 1
    jobs = min(jobs or cores, len(sources))
    options = replace(options, in_subprocess=True, threads=max(1, cores // max(jobs, 1)))
    if jobs <= 1:
        for source in sources:
            yield _outcome(source, library, options, on_progress)
        return
    reports: SimpleQueue[ProgressArguments] = SimpleQueue()
    stop = Event()

    def queue_report(*report: *ProgressArguments) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        reports.put(report)

    def pickle_group(group: list[Location]) -> list[PickleOutcome]:
        return [
            _outcome(each, library, options, queue_report) for each in group if not stop.is_set()
        ]

    with ThreadPoolExecutor(jobs, "film") as pool:
        try:
            pending = {pool.submit(pickle_group, group) for group in group_copies(sources)}
            yield from _yield_outcomes(pending, reports, on_progress)
        except BaseException:
            stop.set()
            kill_children()
            raise


def group_copies(sources: list[Location]) -> list[list[Location]]:
    """Return groups of films that may be copies of one, which must not be pickled at once.

    They have the same title or the same size; the sizes of films at addresses are not asked for.
    Groups are in the order of their first films, and films of a group in the order given.
    """
    sources = list(dict.fromkeys(sources))
    leaders = list(range(len(sources)))
    first_with: dict[str | int, int] = {}
    for at, source in enumerate(sources):
        for key in (folder_title(source), _size_in_bytes(source)):
            if key is not None:
                joined = {leaders[at], leaders[first_with.setdefault(key, at)]}
                if len(joined) > 1:
                    leaders = [min(joined) if each in joined else each for each in leaders]
    groups: dict[int, list[Location]] = {}
    for leader, source in zip(leaders, sources, strict=True):
        groups.setdefault(leader, []).append(source)
    return list(groups.values())


def _size_in_bytes(source: Location) -> int | None:
    """Return the size of a film's files, which is that of any copy; None if it is not known."""
    if not isinstance(source, Path):
        return None
    try:
        files = [source]
        if is_image_sequence(source):
            files = [*image_files(source)[0], *filter(None, [audio_file(source)])]
        return sum(file.stat().st_size for file in files)
    except (OSError, Frame2SoundError):
        return None


def _outcome(
    source: Location, library: Library, options: PickleOptions, on_progress: ProgressCallback
) -> PickleOutcome:
    try:
        film, new = pickle_film(source, library, options, on_progress)
    except Frame2SoundError as error:
        return PickleOutcome(source, error=str(error))
    return PickleOutcome(source, film, new)


def _yield_outcomes(
    pending: set[Future[list[PickleOutcome]]],
    reports: SimpleQueue[ProgressArguments],
    on_progress: ProgressCallback,
) -> Iterator[PickleOutcome]:
    while pending:
        try:
            on_progress(*reports.get(timeout=0.1))
            continue
        except Empty:
            pass
        done = {future for future in pending if future.done()}
        pending -= done
        for future in as_completed(done):
            yield from future.result()
