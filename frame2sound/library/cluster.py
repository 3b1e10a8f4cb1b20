"""Films pickled on many machines: tasks of Ray (Moritz et al. 2018), one film each.

Films and the library must lie where every machine finds them under the same path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from frame2sound.errors import FilmError, Frame2SoundError, LibraryError
from frame2sound.library.crew import Outcome, Report, namesakes
from frame2sound.library.pickler import Choice, pickle_film
from frame2sound.library.store import Library
from frame2sound.places import Place, place

RETRIES = 3
"""How often a film is begun again after a machine or a process has died on it."""


def pickle_on_cluster(
    sources: list[Place],
    library: Library,
    address: str,
    choice: Choice = Choice(),  # noqa: B008
    report: Report = lambda source, seconds, total, frames: None,
) -> Iterator[Outcome]:
    """Pickle films as tasks of a cluster; yield each outcome as it comes.

    What a machine had done when it died is done again by another; the library never holds half a
    film. A bad film stops no other.

    Parameters
    ----------
    address : str
        Of the cluster's head, as ``ray.init`` takes it; ``local`` makes one of this machine alone.
    report : function
        Is called as each film is done.

    Raises
    ------
    LibraryError
        Ray is not installed, or there is no cluster at the address.
    """
    ray = _joined(address)
    task = ray.remote(num_cpus=1, max_retries=RETRIES)(_pickle)
    choice = replace(choice, apart=True, threads=1)
    try:
        folder = str(library.path.resolve())
        waiting = {
            task.remote([_everywhere(each) for each in some], folder, choice): some
            for some in namesakes(sources)
        }
        while waiting:
            (done,), _ = ray.wait(list(waiting), num_returns=1)
            for outcome in _outcomes(ray, done, waiting.pop(done), library):
                if outcome.film is not None:
                    seconds, frames = outcome.film.seconds, outcome.film.card.frames
                    report(outcome.source, seconds, seconds, frames)
                yield outcome
    finally:
        ray.shutdown()


def _joined(address: str) -> Any:
    """Return Ray, joined to a cluster."""
    try:
        import ray
    except ImportError as error:
        raise LibraryError(
            "--ray needs Ray, which is not installed; pip install frame2sound[cluster]"
        ) from error
    try:
        ray.init(address=address, log_to_driver=False, include_dashboard=False)
    except (ConnectionError, RuntimeError, ValueError) as error:
        why = str(error).partition("\n")[0]
        raise LibraryError(
            f"no cluster was found at {address!r} ({why}); start one with: ray start --head"
        ) from error
    return ray


def _everywhere(source: Place) -> str:
    return str(source.resolve() if isinstance(source, Path) else source)


def _pickle(sources: list[str], folder: str, choice: Choice) -> list[tuple[str, bool, str]]:
    """Pickle films, on whichever machine this runs; return folder, whether new, and error."""
    library, told = Library.open(Path(folder)), []
    for source in sources:
        try:
            film, new = pickle_film(place(source, FilmError), library, choice)
            told.append((film.name, new, ""))
        except Frame2SoundError as error:
            told.append(("", False, str(error)))
    return told


def _outcomes(ray: Any, done: Any, sources: list[Place], library: Library) -> list[Outcome]:
    try:
        told = ray.get(done)
    except ray.exceptions.RayError as error:
        why = str(error).partition("\n")[0]
        return [
            Outcome(source, error=f"{source}: the machines that read it died ({why}); try it alone")
            for source in sources
        ]
    return [
        Outcome(source, library.film(library.path / name) if name else None, new, error or None)
        for source, (name, new, error) in zip(sources, told, strict=True)
    ]
