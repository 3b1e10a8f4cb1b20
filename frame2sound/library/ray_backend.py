"""Films pickled on many machines: tasks of Ray (Moritz et al. 2018), one film each.

Films and the library must lie where every machine finds them under the same path.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from frame2sound.errors import FilmError, Frame2SoundError, LibraryError
from frame2sound.library.parallel import PickleOutcome, group_copies
from frame2sound.library.pickler import PickleOptions, pickle_film
from frame2sound.library.store import Library
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.storage import Location, parse_location

MAX_RETRIES = 3
"""How often a film is begun again after a machine or a process has died on it."""

CONNECT_TIMEOUT = 10
"""Seconds that a machine may take to accept a connection."""


def pickle_films_on_ray(
    sources: list[Location],
    library: Library,
    address: str,
    options: PickleOptions = PickleOptions(),  # noqa: B008
    on_progress: ProgressCallback = ignore_progress,
) -> Iterator[PickleOutcome]:
    """Pickle films as tasks of a cluster; yield each outcome as it comes.

    What a machine had done when it died is done again by another; the library never holds half a
    film. A bad film stops no other.

    Parameters
    ----------
    address : str
        Of the cluster's head, as ``ray.init`` takes it; ``local`` makes one of this machine alone.
    on_progress : callable
        Is called as each film is done.

    Raises
    ------
    LibraryError
        Ray is not installed, or there is no cluster at the address.
    """
    ray = _connect(address)
    task = ray.remote(num_cpus=1, max_retries=MAX_RETRIES)(_pickle_task)
    options = replace(options, in_subprocess=True, threads=1)
    try:
        folder = str(library.path.resolve())
        waiting = {
            task.remote([_absolute_location(each) for each in some], folder, options): some
            for some in group_copies(sources)
        }
        while waiting:
            (done,), _ = ray.wait(list(waiting), num_returns=1)
            for outcome in _get_outcomes(ray, done, waiting.pop(done), library):
                if outcome.film is not None:
                    seconds = outcome.film.seconds
                    on_progress(outcome.source.name, seconds, seconds, "")
                yield outcome
    finally:
        ray.shutdown()


def _connect(address: str) -> Any:
    """Return Ray, joined to a cluster."""
    try:
        import ray
    except ImportError as error:
        raise LibraryError(
            "--ray needs Ray, which is not installed; pip install frame2sound[cluster]"
        ) from error
    try:
        _check_listening(address)
        ray.init(address=address, log_to_driver=False, include_dashboard=False)
    except (OSError, OverflowError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        why = str(error).partition("\n")[0]
        raise LibraryError(
            f"no cluster was found at {address!r} ({why}); start one with: ray start --head"
        ) from error
    return ray


def _check_listening(address: str) -> None:
    """Raise OSError if nothing listens at HOST:PORT; Ray would wait there for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_TIMEOUT).close()


def _absolute_location(source: Location) -> str:
    return str(source.resolve() if isinstance(source, Path) else source)


def _pickle_task(
    sources: list[str], folder: str, options: PickleOptions
) -> list[tuple[str, bool, str]]:
    """Pickle films, on whichever machine this runs; return folder, whether new, and error."""
    results = []
    for source in sources:
        try:
            library = Library.open(Path(folder))
            film, new = pickle_film(parse_location(source, FilmError), library, options)
            results.append((film.name, new, ""))
        except Frame2SoundError as error:
            results.append(("", False, str(error)))
    return results


def _get_outcomes(
    ray: Any, task: Any, sources: list[Location], library: Library
) -> list[PickleOutcome]:
    try:
        results = ray.get(task)
    except ray.exceptions.RayTaskError as error:
        why = f"{type(error.cause).__name__}: {error.cause}".partition("\n")[0]
        failure = f"the cluster failed ({why}); install this frame2sound on every machine of it"
        return [PickleOutcome(source, error=f"{source}: {failure}") for source in sources]
    except ray.exceptions.RayError as error:
        why = str(error).partition("\n")[0]
        failure = f"the machines that read it died ({why}); try it alone"
        return [PickleOutcome(source, error=f"{source}: {failure}") for source in sources]
    return [
        PickleOutcome(
            source, library.film(library.path / name) if name else None, new, error or None
        )
        for source, (name, new, error) in zip(sources, results, strict=True)
    ]
