"""Libraries in a notebook: opening them, adding films, and what is in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from frame2sound.api.parameters import (
    FrameRate,
    ParameterError,
    at_least,
    frame_rate,
    grey_level,
    one_of,
)
from frame2sound.api.records import Record, RecordList, plain_values
from frame2sound.errors import BatchError, FilmError, LibraryError
from frame2sound.film.limits import DEFAULT_LIMITS, Limits
from frame2sound.library import folders, store
from frame2sound.library.remote import LocalLibrary, RemoteLibrary, locate_library
from frame2sound.library.store import PickledFilm
from frame2sound.library.write_lock import write_lock

if TYPE_CHECKING:
    from frame2sound.library.export import ExportKind
    from frame2sound.library.parallel import PickleOutcome
    from frame2sound.library.pickler import PickleOptions
    from frame2sound.library.summary import FilmSummary, LibrarySummary
    from frame2sound.progress import ProgressCallback
    from frame2sound.storage import Location

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 1000, 192_000
"""Of a library, in Hz."""


@dataclass(frozen=True)
class AddedFilm(Record):
    """What became of a film that was added to a library.

    Attributes
    ----------
    source : str
        Path or address of the film.
    film : PickledFilm, optional
        None if it could not be added.
    new : bool
        False if it was in the library already.
    error : str, optional
        Why it could not be added.
    """

    source: str
    film: PickledFilm | None = None
    new: bool = False
    error: str | None = None

    @property
    def seconds(self) -> float:
        """Duration of the film; 0 if it could not be added."""
        return 0.0 if self.film is None else self.film.seconds

    @property
    def frames(self) -> int:
        """Number of frames; 0 if it could not be added."""
        return 0 if self.film is None else self.film.card.frames

    @property
    def notes(self) -> tuple[str, ...]:
        """What should be known of the film, such as that its sound is silent."""
        return () if self.film is None else self.film.card.notes

    def lines(self) -> list[str]:
        """Return one line, and one for each note."""
        if self.film is None:
            return [f"{self.source}  {self.error}"]
        name = self.source.rstrip("/").rpartition("/")[2]
        state = "pickled" if self.new else "already there"
        state += ", excluded" * self.film.excluded
        return [
            f"{name}  {state}  {self.seconds:.2f} s  {self.frames} frames",
            *(f"  note: {note}" for note in self.notes),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        if self.film is None:
            return {"film": self.source, "error": self.error}
        return {
            "film": self.source,
            "folder": str(self.film.path),
            "new": self.new,
            "excluded": self.film.excluded,
            "frames": self.frames,
            "seconds": self.seconds,
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class ChangedFilm(Record):
    """A film that was excluded, included or deleted."""

    film: str
    state: Literal["excluded", "included", "dropped"]

    def lines(self) -> list[str]:
        """Return the film's name and what was done."""
        return [f"{self.film}  {'deleted' if self.state == 'dropped' else self.state}"]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {"film": self.film, "state": self.state}


@dataclass(frozen=True)
class VerifiedFilm(Record):
    """Whether every byte of a film is still as it was pickled.

    Attributes
    ----------
    film : str
    faults : tuple of str
        What is wrong with it, a line each.
    checked : bool
        Whether there are checksums to compare with.
    """

    film: str
    faults: tuple[str, ...]
    checked: bool

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.faults

    def lines(self) -> list[str]:
        """Return whether it is whole, and its faults."""
        state = "whole" if self.whole else "not whole"
        if self.whole and not self.checked:
            state += ", as far as can be told without checksums"
        return [f"{self.film}  {state}", *(f"  {fault}" for fault in self.faults)]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {
            "film": self.film,
            "whole": self.whole,
            "checked": self.checked,
            "faults": list(self.faults),
        }


@dataclass(frozen=True)
class ExportedFilm(Record):
    """A film written as plain arrays; ``shape`` is that of its sound."""

    path: Path
    shape: tuple[int, int]

    def lines(self) -> list[str]:
        """Return the path and the shape."""
        return [f"{self.path}  sound {self.shape[0]} x {self.shape[1]}"]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {"path": str(self.path), "shape": list(self.shape)}


@dataclass(frozen=True)
class LibraryListing(Record):
    """What is in a library, and what is wrong with it.

    Attributes
    ----------
    library : str
        Its folder.
    summary : LibrarySummary
        Films, duplicates, incomplete folders and links.
    """

    library: str
    summary: LibrarySummary

    def lines(self) -> list[str]:
        """Return a line for each film, its notes and faults, and the totals."""
        lines = []
        for film in self.summary.films:
            lines.append("  ".join([film.name, *_film_columns(film)]))
            lines += [f"  {line}" for line in self._remarks(film)]
        lines += [f"half-written: {line}" for line in self.summary.partial_folders]
        lines += [
            f"link: {name} is not followed; copy the film's folder here, or list its own library"
            for name in self.summary.symlinks
        ]
        return [*lines, self._totals()]

    def to_dict(self) -> dict[str, Any]:
        """Return the listing as plain values."""
        films, seconds = self.summary.films, sum(film.seconds for film in self.summary.films)
        values: dict[str, Any] = plain_values(
            {
                "library": self.library,
                "films": self.rows(),
                "twins": [
                    {
                        "films": [each.first_name, each.second_name],
                        "same": "file" if each.same_file else "picture",
                    }
                    for each in self.summary.duplicates
                ],
                "half_written": list(self.summary.partial_folders),
                "links": list(self.summary.symlinks),
                "seconds": seconds,
                "bytes": sum(film.size_bytes for film in films),
            }
        )
        return values

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each film."""
        return [_film_row(film) for film in self.summary.films]

    def _remarks(self, film: FilmSummary) -> list[str]:
        notes = [] if film.card is None else [f"note: {note}" for note in film.card.notes]
        same = [
            f"the same {'file' if each.same_file else 'picture'} as {each.first_name}"
            for each in self.summary.duplicates
            if each.second_name == film.name
        ]
        return [*notes, *same[:1], *(f"damaged: {fault}" for fault in film.faults)]

    def _totals(self) -> str:
        films = self.summary.films
        excluded = sum(film.excluded for film in films)
        damaged = sum(bool(film.faults) for film in films)
        parts = [
            count_films(len(films)),
            f"{sum(film.seconds for film in films) / 3600:.2f} hours",
            f"{sum(film.size_bytes for film in films) / 1e6:.1f} MB",
        ]
        parts += [f"{excluded} excluded"] * bool(excluded) + [f"{damaged} damaged"] * bool(damaged)
        return "  ".join(parts)


class Library(store.Library):
    """A library: a folder of pickled films that share a sample rate, all grey or all in colour.

    Attributes
    ----------
    path : Path
        Its folder; of a library at an address, that of its local copy.
    sample_rate : int
        In Hz.
    colour : bool
        Whether the films' frames are in colour.

    Examples
    --------
    >>> library = Library.create("my-library")  # doctest: +SKIP
    >>> library.add_films(["my-film.mp4"], progress=True)  # doctest: +SKIP
    >>> library["my-film"].frames.shape  # doctest: +SKIP
    (1800, 64, 64)
    """

    origin: LocalLibrary | RemoteLibrary

    def __init__(self, path: Path, sample_rate: int, colour: bool = False) -> None:
        super().__init__(path, sample_rate, colour)
        self.origin = LocalLibrary(path)

    @classmethod
    def open(cls, path: str | PathLike[str]) -> Library:
        """Open a library that exists.

        Parameters
        ----------
        path : str or path
            Its folder, or an address that fsspec reads, as ``s3://bucket/library``.

        Raises
        ------
        LibraryError
            There is none, or a newer version of the program made it.
        """
        origin = locate_library(str(path))
        library = cast(Library, super().open(origin.fetch()))
        library.origin = origin
        return library

    @classmethod
    def create(
        cls,
        path: str | PathLike[str],
        sample_rate: int | None = None,
        colour: bool | None = None,
        *,
        with_media: bool = True,
    ) -> Library:
        """Open a library, or make an empty one.

        Parameters
        ----------
        path : str or path
            Its folder, or an address that fsspec reads, as ``s3://bucket/library``.
        sample_rate : int, optional
            In Hz; by default that of the library, 22050 for a new one.
        colour : bool, optional
            Whether frames are in colour; by default as in the library, grey for a new one.
        with_media : bool
            False leaves the pictures and the sound of a library at an address there: films can
            then be added, but not read.

        Raises
        ------
        LibraryError
            The library has another sample rate, or frames of another kind.
        """
        if sample_rate is not None and not MIN_SAMPLE_RATE <= sample_rate <= MAX_SAMPLE_RATE:
            raise ParameterError(
                f"got `sample_rate={sample_rate}`, expected {MIN_SAMPLE_RATE} to "
                f"{MAX_SAMPLE_RATE} Hz"
            )
        origin = locate_library(str(path))
        folder = origin.fetch(with_media=with_media, allow_missing=True)
        library = cast(Library, super().create(folder, sample_rate, colour))
        library.origin = origin
        return library

    def __getitem__(self, name: str) -> PickledFilm:
        """Return the film of this name, or the only one whose name begins so."""
        return self.film(folders.find_film_folder(self.path, name))

    def __iter__(self) -> Iterator[PickledFilm]:
        return iter(self.films())

    def __len__(self) -> int:
        return len(self.films())

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        kind = "colour" if self.colour else "grey"
        return f"Library({str(self.path)!r}, {self.sample_rate} Hz, {kind})"

    def add_films(
        self,
        films: Iterable[str | PathLike[str]],
        *,
        calibration: bool = True,
        jobs: int | None = None,
        ray: str | None = None,
        video_stream: int | None = None,
        audio_stream: int | None = None,
        allow_damaged: bool = False,
        max_megapixels: float = DEFAULT_LIMITS.max_megapixels,
        max_hours: float = DEFAULT_LIMITS.max_hours,
        hardware: str | None = None,
        fps: FrameRate | None = None,
        background: int | str = "black",
        progress: ProgressCallback | bool | None = None,
        on_result: Callable[[AddedFilm], None] | None = None,
    ) -> RecordList[AddedFilm]:
        """Add films with sound to the library; return what became of each, in order of completion.

        A film that fails does not stop the others. A film that the library has already is not
        added again.

        Parameters
        ----------
        films : list of str or path
            Films, folders of numbered pictures, or addresses that fsspec reads.
        calibration : bool
            Add 30 s of black and of white screen with silence, once per library.
        jobs : int, optional
            Films at a time; by default as many as there are processors.
        ray : str, optional
            Address of a Ray cluster that reads the films.
        video_stream, audio_stream : int, optional
            Which picture and which sound of a film, from 0.
        allow_damaged : bool
            Use what can be decoded of a damaged film.
        max_megapixels, max_hours : float
            Larger or longer films are refused.
        hardware : str, optional
            Device that decodes: ``"cuda"``, ``"qsv"``, ``"vaapi"``, ``"videotoolbox"``...
        fps : int, float, str or Fraction, optional
            Frames per second of numbered pictures.
        background : int or str
            Grey behind transparent pictures: ``"black"``, ``"grey"``, ``"white"``, or 0 to 255.
        progress : callable or bool, optional
            True shows progress bars; see `ProgressCallback`.
        on_result : callable, optional
            Is called with each `AddedFilm` as it comes, also with those that failed.

        Raises
        ------
        BatchError
            After all films were tried: some could not be added; a line for each says why.
        LibraryError
            The library cannot be written.
        """
        from frame2sound.library.pickler import PickleOptions
        from frame2sound.storage import parse_location

        at_least("jobs", jobs, 1)
        if ray is not None and isinstance(self.origin, RemoteLibrary):
            raise LibraryError(
                f"got `ray` and a library at {self.origin.address}, expected a folder that every "
                "machine finds under the same path"
            )
        options = PickleOptions(
            video_stream,
            audio_stream,
            allow_damaged,
            Limits(max_megapixels, max_hours),
            hardware=hardware,
            fps=None if fps is None else frame_rate("fps", fps),
            background=grey_level("background", background),
        )
        sources = [parse_location(str(film), FilmError) for film in films]
        results: RecordList[AddedFilm] = RecordList()
        for result in self._pickle(sources, options, calibration, jobs, ray, progress):
            results.append(result)
            if on_result is not None:
                on_result(result)
        _raise_failures(results)
        return results

    def _pickle(
        self,
        sources: list[Location],
        options: PickleOptions,
        calibration: bool,
        jobs: int | None,
        ray: str | None,
        progress: ProgressCallback | bool | None,
    ) -> Iterator[AddedFilm]:
        """Yield each result after it is written, at the address of a remote library too."""
        from frame2sound.library.calibration import add_calibration_film
        from frame2sound.library.parallel import pickle_films
        from frame2sound.progress_bars import open_progress

        outcomes: Iterator[PickleOutcome]
        with write_lock(self.path), open_progress(progress) as on_progress:
            if calibration:
                add_calibration_film(self)
            if ray is None:
                outcomes = pickle_films(sources, self, options, jobs, on_progress)
            else:
                from frame2sound.library.ray_backend import pickle_films_on_ray

                outcomes = pickle_films_on_ray(sources, self, ray, options, on_progress)
            for outcome in outcomes:
                self.origin.push()
                yield AddedFilm(str(outcome.source), outcome.film, outcome.is_new, outcome.error)

    def exclude(self, *names: str) -> RecordList[ChangedFilm]:
        """Keep films out of training and comparison; by name, or the beginning of one."""
        return self.change_films(exclude=names)

    def include(self, *names: str) -> RecordList[ChangedFilm]:
        """Let excluded films take part in training and comparison again."""
        return self.change_films(include=names)

    def delete(self, *names: str) -> RecordList[ChangedFilm]:
        """Delete films from the library."""
        return self.change_films(delete=names)

    def change_films(
        self,
        *,
        exclude: Collection[str] = (),
        include: Collection[str] = (),
        delete: Collection[str] = (),
        on_result: Callable[[ChangedFilm], None] | None = None,
    ) -> RecordList[ChangedFilm]:
        """Exclude, include and delete films, by name or the beginning of one.

        Nothing is changed unless all names are known.

        Raises
        ------
        LibraryError
            A name is unknown or ambiguous, or the library cannot be written.
        ParameterError
            A film is named twice.
        """
        results: RecordList[ChangedFilm] = RecordList()
        with write_lock(self.path):
            changes = [
                (state, folders.find_film_folder(self.path, name))
                for state, names in zip(_CHANGES, (exclude, include, delete), strict=True)
                for name in dict.fromkeys(names)
            ]
            _refuse_twice([folder.name for _, folder in changes])
            for state, folder in changes:
                _CHANGES[state](folder)
                results.append(ChangedFilm(folder.name, state))
                if on_result is not None:
                    on_result(results[-1])
        self.origin.push()
        return results

    def summarise(self, progress: ProgressCallback | bool | None = None) -> LibraryListing:
        """Return what is in the library and what is wrong with it; slow the first time."""
        from frame2sound.library.summary import summarise
        from frame2sound.progress_bars import open_progress

        with open_progress(progress) as on_progress:
            return LibraryListing(str(self.path), summarise(self, on_progress))

    def verify(
        self,
        progress: ProgressCallback | bool | None = None,
        on_result: Callable[[VerifiedFilm], None] | None = None,
    ) -> RecordList[VerifiedFilm]:
        """Read every byte and compare it with its checksum; return whether each film is whole."""
        from frame2sound.library.verification import verify_films
        from frame2sound.progress_bars import open_progress

        results: RecordList[VerifiedFilm] = RecordList()
        with open_progress(progress) as on_progress:
            for each in verify_films(self, on_progress):
                results.append(VerifiedFilm(each.film, each.faults, each.has_checksums))
                if on_result is not None:
                    on_result(results[-1])
        return results

    def export_npz(
        self,
        film: PickledFilm | str,
        path: str | PathLike[str],
        sound: ExportKind = "pcm",
        fps: FrameRate = 30,
    ) -> ExportedFilm:
        """Write a film as plain arrays, frame by frame, into one ``.npz``.

        Parameters
        ----------
        film : PickledFilm or str
            Film of the library, or its name.
        path : str or path
            File to write.
        sound : {"pcm", "stft"}
            Samples of each frame, or their Fourier transform.
        fps : int, float, str or Fraction
            Frames per second.
        """
        from frame2sound.clock import Clock
        from frame2sound.library.export import ExportKind, export_npz

        one_of("export_sound", sound, get_args(ExportKind))
        chosen = self[film] if isinstance(film, str) else film
        clock = Clock(frame_rate("export_fps", fps), self.sample_rate)
        return ExportedFilm(Path(path), export_npz(chosen, clock, Path(path), sound))


def open_library(library: store.Library | str | PathLike[str]) -> store.Library:
    """Return a library that is open, or open the one in a folder or at an address."""
    return library if isinstance(library, store.Library) else Library.open(library)


def count_films(count: int) -> str:
    """Return a number of films in words.

    Examples
    --------
    >>> count_films(1), count_films(3)
    ('1 film', '3 films')
    """
    return f"{count} film{'s' * (count != 1)}"


_CHANGES: dict[Literal["excluded", "included", "dropped"], Callable[[Path], None]] = {
    "excluded": folders.exclude,
    "included": folders.include,
    "dropped": folders.delete_film,
}


def _raise_failures(results: list[AddedFilm]) -> None:
    failures = [result for result in results if result.film is None]
    if not failures:
        return
    if len(results) == 1:
        raise FilmError(str(failures[0].error))
    raise BatchError(
        f"{len(failures)} of {len(results)} films not pickled"
        + ("" if len(failures) == len(results) else ", the others are kept")
        + ":",
        *(f"  {result.error}" for result in failures),
    )


def _refuse_twice(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"got {name} more than once, expected one change for each film")


def _film_columns(film: FilmSummary) -> list[str]:
    parts = [_duration(film.seconds)] if film.card is not None else []
    parts.append(f"{film.size_bytes / 1e6:.1f} MB")
    if film.analysis is not None:
        loudness = film.analysis.loudness
        parts.append("-" if loudness is None else f"{loudness:.1f} LUFS")
        parts.append(f"{film.analysis.silent_share:.0%} silent")
    return [*parts, "excluded"] if film.excluded else parts


def _film_row(film: FilmSummary) -> dict[str, Any]:
    card, analysis = film.card, film.analysis
    return {
        "film": film.name,
        "source": None if card is None else card.source,
        "seconds": None if card is None else film.seconds,
        "frames": None if card is None else card.frames,
        "fps": None if card is None else str(card.fps),
        "bytes": film.size_bytes,
        "loudness_lufs": None if analysis is None else analysis.loudness,
        "silent": None if analysis is None else analysis.silent_share,
        "excluded": film.excluded,
        "notes": [] if card is None else list(card.notes),
        "faults": list(film.faults),
    }


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
