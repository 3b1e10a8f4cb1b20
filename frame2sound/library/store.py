"""A library: a folder of pickled films, each a folder of memory-mapped arrays."""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.errors import LibraryError
from frame2sound.film.small_frames import picture_shape
from frame2sound.library.card import Card, LibraryInfo
from frame2sound.library.folders import (
    CARD_FILE,
    DAMAGED_REMEDY,
    EXCLUDED_FILE,
    FULL_SOUND_FILE,
    LIBRARY_FILE,
    delete_film,
    exclude,
    film_folders,
)
from frame2sound.library.full_sound import FullSound
from frame2sound.library.write_lock import HOLDER_FILE, LOCK_FILE
from frame2sound.untrusted import (
    map_array,
    one_line_reason,
    read_json,
    read_text,
    refuse_newer_version,
)

__all__ = ["DAMAGED_REMEDY", "Card", "Library", "PickledFilm"]

LIBRARY_VERSION = 1

MAX_CARD_BYTES = 1 << 20
"""Largest ``library.json``, and largest card of a film, in bytes."""

MAX_DURATION_MISMATCH_SECONDS = 1.0
"""Largest difference between a film's last time and the duration of its sound."""

CREATE_REMEDY = "make one with: frame2sound pickle"
"""The remedy in messages about a missing library."""

DEFAULT_SAMPLE_RATE = 22050
"""The default sample rate of a new library in Hz."""


@dataclass(frozen=True)
class PickledFilm:
    """A film in a library.

    Attributes
    ----------
    colour : bool
        Whether its frames are in colour, as all of its library's are.
    frames : uint8 array (N, 64, 64), or (N, 64, 64, 3) in colour
        Grey pictures, 0 black to 255 white; or red, green and blue, each 0 to 255.
    times : float64 array (N + 1,)
        When each frame appears, in seconds from the first, and when the last one ends.
    sound : float32 array (M,)
        What is learned: mono; sample 0 is at time 0, and M is ``round(times[-1] * sample_rate)``.
    full_sound : FullSound or None
        The sound as it is heard; None if the film was pickled without.
    """

    path: Path
    card: Card
    colour: bool = False

    def __repr__(self) -> str:
        seconds = self.card.samples / self.card.sample_rate
        return f"PickledFilm({self.name!r}, {seconds:.2f} s, {self.card.frames} frames)"

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.path.name

    @property
    def excluded(self) -> bool:
        """Whether the user has excluded it from training and comparison."""
        return _is_excluded(self.path)

    @property
    def seconds(self) -> float:
        """The film's duration."""
        return float(self.times[-1])

    @cached_property
    def frames(self) -> NDArray[np.uint8]:
        """The pictures, memory-mapped."""
        shape = (self.card.frames, *picture_shape(self.colour))
        return self._map_array("frames", np.dtype(np.uint8), shape)

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """The presentation times in seconds."""
        times = self._map_array("times", np.dtype(np.float64), (self.card.frames + 1,))
        if not (np.isfinite(times).all() and (np.diff(times) > 0).all()):
            raise LibraryError(f"{self.path}/times.npy does not increase; {DAMAGED_REMEDY}")
        rate, samples = self.card.sample_rate, self.card.samples
        if times[0] < 0 or abs(times[-1] - samples / rate) > MAX_DURATION_MISMATCH_SECONDS:
            raise LibraryError(
                f"{self.path}/times.npy goes from {times[0]:g} to {times[-1]:g} s, expected 0 to "
                f"{samples / rate:g} s; {DAMAGED_REMEDY}"
            )
        return times

    @cached_property
    def sound(self) -> NDArray[np.float32]:
        """The mono sound, memory-mapped."""
        return self._map_array("sound", np.dtype(np.float32), (self.card.samples,))

    @property
    def full_sound(self) -> FullSound | None:
        """The sound as it is heard, mono or stereo; nothing of it is in memory."""
        held = self.card.full_sound
        return None if held is None else FullSound(self.path / FULL_SOUND_FILE, held)

    def release_memory(self) -> None:
        """Release the memory that the mapped pictures and sound occupy; reading maps them again.

        Without this, pages that were read count as the memory of this process until others need
        it: with hours of film, that is most of a computer's.
        """
        for array in (self.frames, self.sound):
            mapped = array.base
            if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
                mapped.madvise(mmap.MADV_DONTNEED)

    def _map_array(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
        path = self.path / f"{name}.npy"
        try:
            return map_array(path, dtype, shape)
        except (OSError, ValueError, EOFError) as error:
            raise LibraryError(
                f"{path} is missing or damaged ({one_line_reason(error)}); {DAMAGED_REMEDY}"
            ) from error


class Library:
    """A folder of pickled films with one sample rate, all grey or all in colour.

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
            The path is not a library, or a newer version of the program made it.
        """
        try:
            table = read_json(path / LIBRARY_FILE, MAX_CARD_BYTES)
            version = table["version"]
        except FileNotFoundError as error:
            raise LibraryError(f"{path} is no library; {CREATE_REMEDY}") from error
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise _unreadable_error(path, error) from error
        refuse_newer_version(version, LIBRARY_VERSION, path, LibraryError)
        try:
            info = msgspec.convert(table, LibraryInfo)
        except msgspec.ValidationError as error:
            raise _unreadable_error(path, error) from error
        return cls(path, info.sample_rate, info.colour)

    @classmethod
    def create(
        cls, path: Path, sample_rate: int | None = None, colour: bool | None = None
    ) -> Library:
        """Open a library, or create an empty one.

        Parameters
        ----------
        sample_rate : int, optional
            In Hz; None accepts that of an existing library, and is 22 050 for a new one.
        colour : bool, optional
            None accepts that of an existing library, and is grey for a new one.

        Raises
        ------
        LibraryError
            An existing library has another sample rate or the other colour.
        """
        if (path / LIBRARY_FILE).exists():
            library = cls.open(path)
            if sample_rate not in (None, library.sample_rate):
                raise LibraryError(
                    f"{path} is a library at {library.sample_rate} Hz, got {sample_rate} Hz; "
                    "use another `library` for another rate"
                )
            if colour not in (None, library.colour):
                actual, requested = ("colour", "grey") if library.colour else ("grey", "colour")
                raise LibraryError(
                    f"{path} is a library in {actual}, got films to pickle in {requested}; "
                    f"use another `library` for {requested}"
                )
            return library
        if path.exists() and (not path.is_dir() or _is_in_use(path)):
            raise LibraryError(f"{path} exists and is no library; choose a new or empty folder")
        rate = DEFAULT_SAMPLE_RATE if sample_rate is None else sample_rate
        with atomic_write(path / LIBRARY_FILE, LibraryError) as partial:
            table = {"version": LIBRARY_VERSION, "sample_rate": rate, "colour": bool(colour)}
            partial.write_text(json.dumps(table) + "\n")
        return cls(path, rate, bool(colour))

    def films(self) -> list[PickledFilm]:
        """Return all complete films that are not excluded, by name."""
        return [self.film(folder) for folder in self._folders() if not _is_excluded(folder)]

    def all_films(self) -> list[PickledFilm]:
        """Return all complete films, excluded or not, by name."""
        return [self.film(folder) for folder in self._folders()]

    def readable_films(self) -> Iterator[PickledFilm]:
        """Yield all complete films whose card can be read, excluded or not, by name."""
        for folder in self._folders():
            with suppress(LibraryError):
                yield self.film(folder)

    def _folders(self) -> list[Path]:
        return [path for path in film_folders(self.path) if os.path.lexists(path / CARD_FILE)]

    def no_films_message(self) -> str:
        """Return the message for a library without films for training."""
        excluded = [path.name for path in self._folders() if _is_excluded(path)]
        if excluded:
            return (
                f"all films of {self.path} are excluded; include one with: "
                f"frame2sound library {self.path} --include FILM"
            )
        return f"{self.path} holds no films; add some with: frame2sound pickle"

    def find(
        self, digest: str, video_stream: int | None, audio_stream: int | None, background: int = 0
    ) -> PickledFilm | None:
        """Return the film with this digest, these streams and this background, or None."""
        identity = (digest, video_stream, audio_stream)
        films = (film for film in self.readable_films() if _identity(film) == identity)
        return next((film for film in films if film.card.background == background), None)

    def delete_older_versions(self, newest: PickledFilm) -> None:
        """Delete films that were pickled from older versions of the same file.

        If one of them was excluded, the newest is excluded too. The same version is no older one,
        even in another folder.
        """
        for film in list(self.readable_films()):
            is_same = film.card.source == newest.card.source and film.path != newest.path
            is_older = _version(film) != _version(newest)
            if is_same and is_older and _identity(film)[1:] == _identity(newest)[1:]:
                if film.excluded:
                    exclude(newest.path)
                delete_film(film.path)

    def film(self, path: Path) -> PickledFilm:
        """Return the film in a folder.

        Raises
        ------
        LibraryError
            Its card cannot be read.
        """
        try:
            card = Card.from_json(read_text(path / CARD_FILE, MAX_CARD_BYTES))
        except LibraryError as error:
            raise LibraryError(f"{path}/{CARD_FILE}: {error}") from error
        except (OSError, ValueError) as error:
            raise LibraryError(
                f"{path}/{CARD_FILE} is not readable as a film's card "
                f"({one_line_reason(error)}); {DAMAGED_REMEDY}"
            ) from error
        if card.sample_rate != self.sample_rate:
            raise LibraryError(
                f"{path}/{CARD_FILE} says {card.sample_rate} Hz, expected its library's "
                f"{self.sample_rate} Hz; {DAMAGED_REMEDY}"
            )
        return PickledFilm(path, card, self.colour)


def _unreadable_error(path: Path, error: Exception) -> LibraryError:
    return LibraryError(
        f"{path}/{LIBRARY_FILE} is not readable as a library's ({one_line_reason(error)}); "
        "copy the library again, or use another `library`"
    )


def _is_excluded(folder: Path) -> bool:
    return os.path.lexists(folder / EXCLUDED_FILE)


def _is_in_use(folder: Path) -> bool:
    return any(path.name not in (LOCK_FILE, HOLDER_FILE) for path in folder.iterdir())


def _identity(film: PickledFilm) -> tuple[str, int | None, int | None]:
    return film.card.digest, film.card.video_stream, film.card.audio_stream


def _version(film: PickledFilm) -> tuple[str, int]:
    return film.card.digest, film.card.background
