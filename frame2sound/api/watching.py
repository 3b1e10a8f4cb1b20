"""Watching a folder: each animation that is put there gets a soundtrack."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from frame2sound.api.exporting import check_no_single_files
from frame2sound.api.records import Record
from frame2sound.api.render_job import RenderJob
from frame2sound.api.render_options import RenderOptions
from frame2sound.api.render_records import RenderedSoundtrack
from frame2sound.brain.pretrained import DEFAULT_BRAIN
from frame2sound.errors import Frame2SoundError, SoundtrackError, error_reason

if TYPE_CHECKING:
    from frame2sound.brain.brain import Brain
    from frame2sound.progress import ProgressCallback

POLL_SECONDS = 0.5
"""How often the folder is looked at."""

SETTLE_SECONDS = 2.0
"""A file that has not changed for so long is completely copied."""

OUTPUT_ENDING = "-sounding"
"""Files whose names end so are soundtracks, not animations."""

_UNFINISHED_SUFFIXES = (".crdownload", ".download", ".part", ".partial", ".tmp")

_Signature = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class FailedSoundtrack(Record):
    """An animation that could not be rendered.

    Attributes
    ----------
    animation : Path
    error : str
    """

    animation: Path
    error: str

    def lines(self) -> list[str]:
        """Return the error, which names the animation."""
        named = self.animation.name in self.error
        return [self.error if named else f"{self.animation}: {self.error}"]

    def to_dict(self) -> dict[str, Any]:
        """Return the animation and the error."""
        return {"animation": str(self.animation), "error": self.error}


def watch(
    folder: str | PathLike[str],
    *,
    brain: Brain | str | PathLike[str] = DEFAULT_BRAIN,
    out: str | PathLike[str] | None = None,
    progress: ProgressCallback | bool | None = None,
    until: Callable[[], bool] = lambda: False,
    **options: Any,
) -> Iterator[RenderedSoundtrack | FailedSoundtrack]:
    """Render each animation that is put into a folder, once it is completely copied.

    What is in the folder already is rendered first, unless it has a soundtrack that is newer. A
    film that is replaced is rendered again. Hidden files, unfinished downloads and soundtracks
    (``NAME-sounding``) are ignored; a folder of numbered pictures is one animation.

    Parameters
    ----------
    folder : str or path
    brain : Brain, str or path
        As for `render`.
    out : str or path, optional
        Folder for the soundtracks; by default the same.
    progress : callable or bool, optional
        As for `render`.
    until : callable
        Is asked before each look at the folder; the iterator ends when it returns True.
    **options
        Those of `render`, but for files of one animation such as ``events``.

    Yields
    ------
    RenderedSoundtrack or FailedSoundtrack
        After each animation.

    Raises
    ------
    SoundtrackError, ParameterError
        There is no such folder, or an option does nothing here or is out of range.

    Examples
    --------
    >>> for result in f2s.watch("inbox", out="sounding"):  # doctest: +SKIP
    ...     print(result)
    """
    from frame2sound.progress_bars import open_progress

    settings = RenderOptions(**options)
    check_no_single_files(settings)
    job = RenderJob(brain, settings)
    watched, target = Path(folder), Path(folder if out is None else out)
    watcher = FolderWatcher(watched)
    with open_progress(progress) as on_progress:
        yield from watch_films(job, watcher, target, on_progress, until)


def watch_films(
    job: RenderJob,
    watcher: FolderWatcher,
    out: Path,
    on_progress: ProgressCallback,
    until: Callable[[], bool] = lambda: False,
) -> Iterator[RenderedSoundtrack | FailedSoundtrack]:
    """Yield the soundtrack, or the error, of each animation that a watcher finds; see `watch`."""
    from frame2sound.rendering.render import default_output_path

    made: set[Path] = set()
    while not until():
        for animation in watcher.ready(monotonic()):
            path = default_output_path(animation, out, job.options.wav)
            if path not in made and _is_newer(path, animation):
                continue
            yield _render(job, animation, path, made, on_progress)
        sleep(POLL_SECONDS)


def _render(
    job: RenderJob, animation: Path, path: Path, made: set[Path], on_progress: ProgressCallback
) -> RenderedSoundtrack | FailedSoundtrack:
    """Render an animation; only a soundtrack that was made before is replaced unasked."""
    try:
        job.check_outputs([animation], [path])
        result = job.render(animation, path, on_progress, overwrite=True if path in made else None)
    except (Frame2SoundError, OSError) as error:
        text = str(error) if isinstance(error, Frame2SoundError) else error_reason(error)
        return FailedSoundtrack(animation, text)
    made.add(path)
    return result


def _is_newer(path: Path, animation: Path) -> bool:
    """Return whether a soundtrack is at least as new as its animation."""
    try:
        return path.stat().st_mtime >= animation.stat().st_mtime
    except OSError:
        return False


@dataclass
class FolderWatcher:
    """Finds the animations in a folder that are completely copied, and those that were replaced.

    Attributes
    ----------
    folder : Path
    settle_seconds : float
        A file that has not changed for so long is complete.

    Raises
    ------
    SoundtrackError
        The folder cannot be read.
    """

    folder: Path
    settle_seconds: float = SETTLE_SECONDS
    _since: dict[Path, tuple[_Signature, float]] = field(default_factory=dict)
    _found: dict[Path, _Signature] = field(default_factory=dict)

    def __post_init__(self) -> None:
        list(self._animations())

    def ready(self, now: float) -> list[Path]:
        """Return the animations that have become complete, each once until it changes.

        Parameters
        ----------
        now : float
            A time in seconds, later than that of the call before.
        """
        complete = []
        present = dict(self._animations())
        for path, signature in sorted(present.items()):
            if self._since.get(path, (None,))[0] != signature:
                self._since[path] = signature, now
            if self._found.get(path) == signature:
                continue
            if now - self._since[path][1] >= self.settle_seconds:
                self._found[path] = signature
                complete.append(path)
        for gone in self._since.keys() - present.keys():
            del self._since[gone]
            self._found.pop(gone, None)
        return complete

    def _animations(self) -> Iterator[tuple[Path, _Signature]]:
        """Yield what may be an animation, and what changes when it does."""
        from frame2sound.film.decoding.image_sequence import IMAGE_SUFFIXES

        for entry in _entries(self.folder):
            if entry.is_dir():
                pictures = [
                    each
                    for each in _entries(Path(entry.path), may_be_gone=True)
                    if Path(each.name).suffix.lower() in IMAGE_SUFFIXES
                ]
                signature = _signature(pictures)
            else:
                signature = _signature([entry])
            if any(size for _, size, _ in signature):
                yield Path(entry.path), signature


def _entries(folder: Path, *, may_be_gone: bool = False) -> list[os.DirEntry[str]]:
    """Return the entries of a folder that are neither hidden, nor unfinished, nor soundtracks."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except OSError as error:
        if may_be_gone:
            return []
        raise SoundtrackError(
            f"{folder} cannot be watched ({error_reason(error)}); expected a folder"
        ) from error
    return [
        entry
        for entry in found
        if not entry.name.startswith(".")
        and not entry.name.lower().endswith(_UNFINISHED_SUFFIXES)
        and not Path(entry.name).stem.endswith(OUTPUT_ENDING)
    ]


def _signature(entries: list[os.DirEntry[str]]) -> _Signature:
    """Return the names, sizes and times of files; what has gone meanwhile has none."""
    parts = []
    for entry in entries:
        try:
            status = entry.stat()
        except OSError:
            continue
        parts.append((entry.name, status.st_size, status.st_mtime_ns))
    return tuple(sorted(parts))
