"""The pickler: a film in, a folder of frames, times and sound out."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from frame2sound.clock import sample_at
from frame2sound.errors import FilmError, LibraryError
from frame2sound.film.decoding.audio_aligner import AudioChunk
from frame2sound.film.decoding.frame_resizer import picture_shape
from frame2sound.film.decoding.image_sequence import audio_file, image_files, is_image_sequence
from frame2sound.film.decoding.reader import FilmReader, Frame
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.limits import DEFAULT_LIMITS, Limits
from frame2sound.library.card import nominal
from frame2sound.library.checksums import Checksums
from frame2sound.library.folders import CARD
from frame2sound.library.growing import GrowingArray
from frame2sound.library.store import Card, Library, PickledFilm
from frame2sound.places import Place
from frame2sound.safe import shortened, whole_folder

LONGEST_TITLE = 160
"""Bytes of a film's name that its folder begins with."""

BATCH = 256
"""Frames written at once."""

SILENT_DB = -90.0
"""A film whose loudest sample is below this level (dBFS) is called silent."""

Progress = Callable[[float, float | None, int], None]
"""Called now and then with the seconds of film done, of how many, and the frames written."""


@dataclass(frozen=True)
class Choice:
    """How a film is to be read; see `FilmReader`. ``apart``: in a subprocess."""

    video_stream: int | None = None
    audio_stream: int | None = None
    allow_damaged: bool = False
    limits: Limits = DEFAULT_LIMITS
    apart: bool = False
    threads: int | None = None
    hardware: str | None = None
    fps: Fraction | None = None
    ground: int = 0


@dataclass(frozen=True)
class _Origin:
    source: str
    digest: str
    stamp: str | None


def digest_of(path: Path, fps: Fraction | None = None) -> str:
    """Return the SHA-256 of a file, or of numbered pictures and their sound, in hexadecimal.

    Numbered pictures shown at another frame rate are another film.
    """
    if is_image_sequence(path):
        files, _ = image_files(path)
        sound = audio_file(path)
        parts = "".join(digest_of(file) for file in [*files, *filter(None, [sound])])
        return hashlib.sha256(f"{fps} {parts}".encode()).hexdigest()
    if path.exists() and not path.is_file():
        raise FilmError(f"{path} cannot be read (not a regular file); expected a film file")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise FilmError(f"{path} cannot be read ({why}); expected a film file") from error


def pickle_film(
    film: Place,
    library: Library,
    choice: Choice = Choice(),
    progress: Progress = lambda seconds, total, frames: None,
) -> tuple[PickledFilm, bool]:
    """Pickle a film into a library, or find it there.

    The folder appears under its name only when it is complete. A film that is already there,
    byte for byte, is left alone; one that has changed takes the old one's place. From another
    system it is copied here for as long as it is read; unless it is there as that system knows it.

    Returns
    -------
    film : PickledFilm
    new : bool
        False when it was there already.

    Raises
    ------
    FilmError
        The film cannot be read, or has no sound to learn from.
    LibraryError
        The library cannot be written.
    """
    if isinstance(film, Path):
        return _pickle(film, str(film.resolve()), None, library, choice, progress)
    source, stamp = str(film), film.stamp()
    for known in library.readable_films():
        if (known.card.source, known.card.stamp) == (source, stamp) and _chosen(known, choice):
            return known, False
    with film.fetched() as path:
        try:
            return _pickle(path, source, stamp, library, choice, progress)
        except FilmError as error:
            raise type(error)(str(error).replace(str(path), source)) from error


def _pickle(
    path: Path,
    source: str,
    stamp: str | None,
    library: Library,
    choice: Choice,
    progress: Progress,
) -> tuple[PickledFilm, bool]:
    state = _state(path)
    digest = digest_of(path, choice.fps)
    known = library.find(digest, choice.video_stream, choice.audio_stream, choice.ground)
    if known is not None:
        return known, False
    reader = (SubprocessFilmReader if choice.apart else FilmReader)(
        path,
        library.sample_rate,
        video_stream=choice.video_stream,
        audio_stream=choice.audio_stream,
        allow_damaged=choice.allow_damaged,
        limits=choice.limits,
        threads=choice.threads,
        hardware=choice.hardware,
        fps=choice.fps,
        background=choice.ground,
    )
    folder = library.path / _folder_name(path, digest, choice)
    if os.path.lexists(folder / CARD):
        library.film(folder)  # it is this film, so its card cannot be read
    elif folder.exists():
        shutil.rmtree(folder, ignore_errors=True)  # without its card it is no film
    with whole_folder(folder, LibraryError, CARD) as partial:
        origin = _Origin(source, digest, stamp)
        card = _write(reader, library.colour, partial, origin, choice, progress)
        if _state(path) not in (state, None):
            raise FilmError(
                f"{path} changed while it was being pickled; "
                "wait until it is written, and pickle it again"
            )
        (partial / CARD).write_text(card.to_json() + "\n")
    film = PickledFilm(folder, card, library.colour)
    library.drop_older(film)
    return film, True


def title(film: Place) -> str:
    """Return a film's name as its folder in a library begins with it."""
    name = (re.sub(r"[^\w.-]+", "-", film.stem).strip("-.") or "film")[:80]
    return shortened(name, LONGEST_TITLE)


def _state(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a film does; None where it is not, or no more."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _chosen(film: PickledFilm, choice: Choice) -> bool:
    card = film.card
    chosen = choice.video_stream, choice.audio_stream, choice.ground
    return (card.video_stream, card.audio_stream, card.ground) == chosen


def _folder_name(path: Path, digest: str, choice: Choice) -> str:
    picked = [
        f"{kind}{number}"
        for kind, number in (
            ("v", choice.video_stream),
            ("a", choice.audio_stream),
            ("g", choice.ground or None),
        )
        if number is not None
    ]
    return "-".join([title(path), *picked, digest[:8]])


def _write(
    reader: FilmReader,
    colour: bool,
    folder: Path,
    origin: _Origin,
    choice: Choice,
    progress: Progress,
) -> Card:
    assert reader.sample_rate is not None
    with (
        GrowingArray(folder / "frames.npy", np.uint8, picture_shape(colour)) as frames,
        GrowingArray(folder / "times.npy", np.float64) as times,
        GrowingArray(folder / "sound.npy", np.float32) as sound,
    ):
        ear = _Ear(sound)
        until = Fraction(0)
        for event in _batched(reader.events(colour=colour)):
            if isinstance(event, AudioChunk):
                ear.hear(event)
            else:
                frames.append(np.stack([frame.picture for frame in event]))
                times.append(np.array([float(frame.start_seconds) for frame in event]))
                until = event[-1].end_seconds
                progress(float(until), reader.streams.declared_seconds, frames.length)
        times.append(np.array([float(until)]))
        ear.finish(sample_at(until, reader.sample_rate))
    return Card(
        source=origin.source,
        digest=origin.digest,
        stamp=origin.stamp,
        fps=nominal(reader.streams.fps),
        frames=frames.length,
        samples=sound.length,
        sample_rate=reader.sample_rate,
        sounding=ear.sounding,
        video_stream=choice.video_stream,
        audio_stream=choice.audio_stream,
        background=choice.ground,
        notes=(*reader.notes, *ear.notes(reader.sample_rate)),
        checksums=Checksums.of(folder),
    )


def _batched(events: Iterator[Frame | AudioChunk]) -> Iterator[list[Frame] | AudioChunk]:
    batch: list[Frame] = []
    for event in events:
        if isinstance(event, AudioChunk):
            yield event
            continue
        batch.append(event)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


class _Ear:
    """Lays sound end to end in an array, with silence in the gaps."""

    def __init__(self, array: GrowingArray) -> None:
        self.array = array
        self.sounding = (0, 0)
        self._peak = 0.0

    def hear(self, sound: AudioChunk) -> None:
        late = self.array.length - sound.start_sample
        samples = sound.samples[max(late, 0) :]
        if not len(samples):
            return
        self._silence(-late)
        begin = self.sounding[0] if self.sounding[1] else self.array.length
        self._peak = max(self._peak, float(np.abs(samples).max()))
        self.array.append(samples)
        self.sounding = (begin, self.array.length)

    def finish(self, samples: int) -> None:
        """Make the sound as long as the film."""
        self._silence(samples - self.array.length)
        self.array.truncate(samples)
        self.sounding = (min(self.sounding[0], samples), min(self.sounding[1], samples))

    def notes(self, sample_rate: int) -> Iterator[str]:
        begin, end = (at / sample_rate for at in self.sounding)
        if self._peak < 10 ** (SILENT_DB / 20):
            yield "its sound is silent"
        if begin > 0.1:
            yield f"its sound begins at {begin:.2f} s; nothing is learned before that"
        if end < self.array.length / sample_rate - 0.1:
            yield f"its sound ends at {end:.2f} s; nothing is learned after that"

    def _silence(self, samples: int) -> None:
        while samples > 0:
            step = min(samples, 1 << 16)
            self.array.append(np.zeros(step, np.float32))
            samples -= step
