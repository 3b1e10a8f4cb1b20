"""The library: a folder of pickled films, each a folder of memory-mapped arrays."""

from __future__ import annotations

import json
import mmap
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.errors import LibraryError
from frame2sound.film.picture import picture_shape
from frame2sound.library.checksums import Checksums
from frame2sound.library.folders import CARD, EXCLUDED, drop, exclude
from frame2sound.library.lock import HOLDER, LOCK
from frame2sound.safe import whole_file

VERSION = 1
CARD_VERSION = 3
"""Cards of version 1 know no checksums, those of version 2 no stamp."""

SAMPLE_RATE = 22050
"""A library's sample rate in Hz unless it is made with another."""


@dataclass(frozen=True)
class Card:
    """``film.json``: what is known of a pickled film beside its arrays.

    ``sounding`` is the range of samples that the film's sound track covers; outside it the sound
    is silence that nobody recorded, and nothing is learned from it. ``video_stream`` and
    ``audio_stream`` are None where the default was taken. ``digest`` is SHA-256 of the file,
    ``checksums`` are those of what it was pickled into. Of a film from another system ``source`` is
    the address, and ``stamp`` what that system told of the file's state. ``ground`` is the grey, 0
    to 255, on which transparent pictures lie.
    """

    source: str
    digest: str
    fps: Fraction
    frames: int
    samples: int
    sample_rate: int
    sounding: tuple[int, int]
    video_stream: int | None = None
    audio_stream: int | None = None
    notes: tuple[str, ...] = ()
    checksums: Checksums | None = None
    stamp: str | None = None
    ground: int = 0
    version: int = CARD_VERSION

    def __post_init__(self) -> None:
        begin, end = self.sounding
        if not 0 <= begin <= end <= self.samples or self.frames < 1 or self.fps <= 0:
            raise ValueError("the card says something impossible")
        if self.version > CARD_VERSION:
            raise ValueError(f"got a card of version {self.version}, expected up to {CARD_VERSION}")

    def to_json(self) -> str:
        """Return the card as JSON text."""
        table = asdict(self) | {"fps": str(self.fps)}
        if not self.ground:
            del table["ground"]  # which earlier versions do not know
        return json.dumps(table, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Read a card; `ValueError` if it is not one."""
        try:
            table: dict[str, Any] = json.loads(text)
            begin, end = table.pop("sounding")
            fps, notes = Fraction(table.pop("fps")), tuple(table.pop("notes"))
            sums = table.pop("checksums", None)
            checksums = None if sums is None else Checksums(**sums)
            return cls(fps=fps, sounding=(begin, end), notes=notes, checksums=checksums, **table)
        except (LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise ValueError("the text is no card") from error


@dataclass(frozen=True)
class PickledFilm:
    """A film in a library.

    Attributes
    ----------
    colour : bool
        Whether its frames are in colour; its library's.
    frames : uint8 array (N, 64, 64), or (N, 64, 64, 3) in colour
        Grey pictures, 0 black to 255 white; or red, green and blue, each 0 to 255.
    times : float64 array (N + 1,)
        When each appears, in seconds from the first, and when the last one ends.
    sound : float32 array (M,)
        Mono; sample 0 is time 0 and M is the film's length, ``round(times[-1] * sample_rate)``.
    """

    path: Path
    card: Card
    colour: bool = False

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.path.name

    @property
    def excluded(self) -> bool:
        """Whether it is kept out of training and comparison."""
        return (self.path / EXCLUDED).exists()

    @property
    def seconds(self) -> float:
        """How long the film is."""
        return float(self.times[-1])

    @cached_property
    def frames(self) -> NDArray[np.uint8]:
        """Pictures, grey or in colour, memory-mapped."""
        shape = (self.card.frames, *picture_shape(self.colour))
        return self._array("frames", np.dtype(np.uint8), shape)

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """Presentation times in seconds."""
        return self._array("times", np.dtype(np.float64), (self.card.frames + 1,))

    @cached_property
    def sound(self) -> NDArray[np.float32]:
        """Mono sound, memory-mapped."""
        return self._array("sound", np.dtype(np.float32), (self.card.samples,))

    def let_go(self) -> None:
        """Give back the memory into which pictures and sound were mapped, until they are read anew.

        What has been read of a map stays in the reader's memory as long as nobody else needs it:
        with hours of film, that is most of the computer's.
        """
        for array in (self.frames, self.sound):
            mapped = array.base
            if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
                mapped.madvise(mmap.MADV_DONTNEED)

    def _array(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        path = self.path / f"{name}.npy"
        try:
            array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise LibraryError(
                f"{path} is missing or cut short; delete its folder and pickle the film again"
            ) from error
        if array.dtype != dtype or array.shape != shape:
            raise LibraryError(
                f"{path} holds {array.dtype} {array.shape}, expected {dtype} {shape}; "
                "delete its folder and pickle the film again"
            )
        return array


class Library:
    """A folder of pickled films that share one sample rate, and are all grey or all in colour.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    colour : bool
        Whether the films' frames are in colour.

    Examples
    --------
    >>> for film in Library.open(Path("my-library")).films():  # doctest: +SKIP
    ...     print(film.name, film.seconds)
    """

    def __init__(self, path: Path, sample_rate: int, colour: bool = False) -> None:
        self.path = path
        self.sample_rate = sample_rate
        self.colour = colour

    @classmethod
    def open(cls, path: Path) -> Library:
        """Open a library that exists.

        Raises
        ------
        LibraryError
            There is none there, or a newer version of the program made it.
        """
        try:
            table = json.loads((path / "library.json").read_text())
            version, sample_rate = int(table["version"]), int(table["sample_rate"])
            colour = bool(table.get("colour", False))
        except FileNotFoundError as error:
            raise LibraryError(
                f"{path} is no library; make one with: frame2sound pickle FILM... --library {path}"
            ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LibraryError(f"{path}/library.json is not readable as a library's") from error
        if version > VERSION:
            raise LibraryError(
                f"{path} is of version {version}, this program reads up to {VERSION}; update it"
            )
        return cls(path, sample_rate, colour)

    @classmethod
    def create(
        cls, path: Path, sample_rate: int | None = None, colour: bool | None = None
    ) -> Library:
        """Open a library, or make an empty one.

        Parameters
        ----------
        sample_rate : int, optional
            In Hz; None takes whatever it is, 22 050 for a new one.
        colour : bool, optional
            None takes whatever it is, grey for a new one.

        Raises
        ------
        LibraryError
            It has another sample rate, or is grey where colour was asked for, or the reverse.
        """
        if (path / "library.json").exists():
            library = cls.open(path)
            if sample_rate not in (None, library.sample_rate):
                raise LibraryError(
                    f"{path} is a library at {library.sample_rate} Hz, got {sample_rate} Hz; "
                    "use another --library for another rate"
                )
            if colour not in (None, library.colour):
                had, wanted = ("colour", "grey") if library.colour else ("grey", "colour")
                raise LibraryError(
                    f"{path} is a library in {had}, got films to pickle in {wanted}; "
                    f"use another --library for {wanted}"
                )
            return library
        if path.exists() and (not path.is_dir() or _holds_anything(path)):
            raise LibraryError(f"{path} exists and is no library; choose a new or empty folder")
        rate = SAMPLE_RATE if sample_rate is None else sample_rate
        with whole_file(path / "library.json", LibraryError) as partial:
            table = {"version": VERSION, "sample_rate": rate, "colour": bool(colour)}
            partial.write_text(json.dumps(table) + "\n")
        return cls(path, rate, bool(colour))

    def films(self) -> list[PickledFilm]:
        """Return every film to learn from, by name: pickled completely, and not excluded."""
        return [film for film in self.every_film() if not film.excluded]

    def every_film(self) -> list[PickledFilm]:
        """Return every film that is completely pickled, excluded or not, by name."""
        return [self.film(card.parent) for card in sorted(self.path.glob(f"[!.]*/{CARD}"))]

    def without_films(self) -> str:
        """Return what to tell a person who would learn from it and cannot."""
        excluded = [film.name for film in self.every_film() if film.excluded]
        if excluded:
            return (
                f"all films of {self.path} are excluded; include one with: "
                f"frame2sound library {self.path} --include {excluded[0]}"
            )
        return (
            f"{self.path} holds no films; add some with: "
            f"frame2sound pickle FILM... --library {self.path}"
        )

    def find(
        self, digest: str, video: int | None, audio: int | None, ground: int = 0
    ) -> PickledFilm | None:
        """Return the film pickled from a file with this digest, streams and ground."""
        wanted = (digest, video, audio)
        found = (film for film in self.every_film() if _identity(film) == wanted)
        return next((film for film in found if film.card.ground == ground), None)

    def drop_older(self, newest: PickledFilm) -> None:
        """Remove what was pickled from an earlier state of the same file.

        Where that was excluded, so is the newest.
        """
        for film in self.every_film():
            same = film.card.source == newest.card.source and film.path != newest.path
            if same and _identity(film)[1:] == _identity(newest)[1:]:
                if film.excluded:
                    exclude(newest.path)
                drop(film.path)

    def film(self, path: Path) -> PickledFilm:
        """Return the film in a folder.

        Raises
        ------
        LibraryError
            Its card cannot be read.
        """
        try:
            card = Card.from_json((path / CARD).read_text())
        except (OSError, ValueError) as error:
            raise LibraryError(
                f"{path}/film.json is not readable; delete the folder and pickle the film again"
            ) from error
        return PickledFilm(path, card, self.colour)


def _holds_anything(folder: Path) -> bool:
    return any(path.name not in (LOCK, HOLDER) for path in folder.iterdir())


def _identity(film: PickledFilm) -> tuple[str, int | None, int | None]:
    return film.card.digest, film.card.video_stream, film.card.audio_stream
