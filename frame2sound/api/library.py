"""Libraries in a notebook: opening them, adding films, and what is in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

from frame2sound.api.library_records import (
    AddedFilm,
    ChangedFilm,
    ExportedFilm,
    LibraryListing,
    VerifiedFilm,
    raise_failures,
)
from frame2sound.api.parameters import (
    FrameRate,
    ParameterError,
    at_least,
    frame_rate,
    grey_level,
    one_of,
)
from frame2sound.api.records import RecordList
from frame2sound.errors import FilmError, LibraryError
from frame2sound.film.limits import DEFAULT_LIMITS, Limits
from frame2sound.library import folders, store
from frame2sound.library.remote import LocalLibrary, RemoteLibrary, locate_library
from frame2sound.library.store import PickledFilm
from frame2sound.library.write_lock import write_lock

if TYPE_CHECKING:
    from frame2sound.library.export import ExportKind
    from frame2sound.library.parallel import PickleOutcome
    from frame2sound.library.pickler import PickleOptions
    from frame2sound.progress import ProgressCallback
    from frame2sound.storage import Location

MIN_SAMPLE_RATE, MAX_SAMPLE_RATE = 1000, 192_000
"""Of what is learned and of the full sound, in Hz."""


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
        if sample_rate is not None:
            _check_rate("sample_rate", sample_rate)
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
        full_rate: int = folders.DEFAULT_FULL_RATE,
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
        full_rate : int
            Keep the sound of each film as it is heard, mono or stereo, at up to this sample rate in
            Hz, beside that which is learned; 0 does not keep it.
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
        if full_rate != 0:
            _check_rate("full_rate", full_rate, " or 0")
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
            full_rate=full_rate,
        )
        sources = [parse_location(str(film), FilmError) for film in films]
        results: RecordList[AddedFilm] = RecordList()
        for result in self._pickle(sources, options, calibration, jobs, ray, progress):
            results.append(result)
            if on_result is not None:
                on_result(result)
        raise_failures(results)
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


_CHANGES: dict[Literal["excluded", "included", "dropped"], Callable[[Path], None]] = {
    "excluded": folders.exclude,
    "included": folders.include,
    "dropped": folders.delete_film,
}


def _check_rate(name: str, rate: int, other: str = "") -> None:
    if not MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE:
        raise ParameterError(
            f"got `{name}={rate}`, expected {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz{other}"
        )


def _refuse_twice(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"got {name} more than once, expected one change for each film")
