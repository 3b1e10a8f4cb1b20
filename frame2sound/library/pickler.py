"""The pickler: a film in, a folder of frames, times and sound out."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from frame2sound.atomic import atomic_folder, truncate_name
from frame2sound.clock import sample_at
from frame2sound.errors import FilmError, LibraryError
from frame2sound.film.decoding.audio_aligner import AudioChunk
from frame2sound.film.decoding.frame_resizer import picture_shape
from frame2sound.film.decoding.image_sequence import audio_file, image_files, is_image_sequence
from frame2sound.film.decoding.reader import FilmReader, Frame
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.limits import DEFAULT_LIMITS, Limits
from frame2sound.library.card import clamp_frame_rate
from frame2sound.library.checksums import Checksums
from frame2sound.library.folders import CARD_FILE
from frame2sound.library.npy_writer import NpyWriter
from frame2sound.library.store import Card, Library, PickledFilm
from frame2sound.progress import ProgressCallback, ignore_progress, rename_task
from frame2sound.storage import Location

MAX_TITLE_BYTES = 160
"""Bytes of a film's name that its folder begins with."""

BATCH_FRAMES = 256
"""Frames written at once."""

SILENCE_THRESHOLD_DB = -90.0
"""A film whose loudest sample is below this level (dBFS) is called silent."""


@dataclass(frozen=True)
class PickleOptions:
    """How a film is to be read; see `FilmReader`. ``apart``: in a subprocess."""

    video_stream: int | None = None
    audio_stream: int | None = None
    allow_damaged: bool = False
    limits: Limits = DEFAULT_LIMITS
    in_subprocess: bool = False
    threads: int | None = None
    hardware: str | None = None
    fps: Fraction | None = None
    background: int = 0


@dataclass(frozen=True)
class _Origin:
    source: str
    digest: str
    stamp: str | None


def film_digest(path: Path, fps: Fraction | None = None) -> str:
    """Return the SHA-256 of a file, or of numbered pictures and their sound, in hexadecimal.

    Numbered pictures shown at another frame rate are another film.
    """
    if is_image_sequence(path):
        files, _ = image_files(path)
        sound = audio_file(path)
        parts = "".join(film_digest(file) for file in [*files, *filter(None, [sound])])
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
    location: Location,
    library: Library,
    options: PickleOptions = PickleOptions(),
    on_progress: ProgressCallback = ignore_progress,
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
    if isinstance(location, Path):
        source = str(location.resolve())
        return _pickle_file(location, source, None, library, options, on_progress)
    source, stamp = str(location), location.compute_stamp()
    for known in library.readable_films():
        if (known.card.source, known.card.stamp) == (source, stamp) and _matches_options(
            known, options
        ):
            return known, False
    with location.local_copy() as path:
        try:
            report = rename_task(on_progress, location.name)
            return _pickle_file(path, source, stamp, library, options, report)
        except FilmError as error:
            raise type(error)(str(error).replace(str(path), source)) from error


def _pickle_file(
    path: Path,
    source: str,
    stamp: str | None,
    library: Library,
    options: PickleOptions,
    on_progress: ProgressCallback,
) -> tuple[PickledFilm, bool]:
    state = _file_state(path)
    digest = film_digest(path, options.fps)
    known = library.find(digest, options.video_stream, options.audio_stream, options.background)
    if known is not None:
        return known, False
    reader = (SubprocessFilmReader if options.in_subprocess else FilmReader)(
        path,
        library.sample_rate,
        video_stream=options.video_stream,
        audio_stream=options.audio_stream,
        allow_damaged=options.allow_damaged,
        limits=options.limits,
        threads=options.threads,
        hardware=options.hardware,
        fps=options.fps,
        background=options.background,
    )
    folder = library.path / _folder_name(path, digest, options)
    if os.path.lexists(folder / CARD_FILE):
        library.film(folder)  # it is this film, so its card cannot be read
    elif folder.exists():
        shutil.rmtree(folder, ignore_errors=True)  # without its card it is no film
    with atomic_folder(folder, LibraryError, CARD_FILE) as partial:
        origin = _Origin(source, digest, stamp)
        card = _write_arrays(reader, library.colour, partial, origin, options, on_progress)
        if _file_state(path) not in (state, None):
            raise FilmError(
                f"{path} changed while it was being pickled; "
                "wait until it is written, and pickle it again"
            )
        (partial / CARD_FILE).write_text(card.to_json() + "\n")
    film = PickledFilm(folder, card, library.colour)
    library.delete_older_versions(film)
    return film, True


def folder_title(source: Location) -> str:
    """Return a film's name as its folder in a library begins with it."""
    name = (re.sub(r"[^\w.-]+", "-", source.stem).strip("-.") or "film")[:80]
    return truncate_name(name, MAX_TITLE_BYTES)


def _file_state(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a film does; None where it is not, or no more."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _matches_options(film: PickledFilm, options: PickleOptions) -> bool:
    card = film.card
    chosen = options.video_stream, options.audio_stream, options.background
    return (card.video_stream, card.audio_stream, card.background) == chosen


def _folder_name(path: Path, digest: str, options: PickleOptions) -> str:
    picked = [
        f"{kind}{number}"
        for kind, number in (
            ("v", options.video_stream),
            ("a", options.audio_stream),
            ("g", options.background or None),
        )
        if number is not None
    ]
    return "-".join([folder_title(path), *picked, digest[:8]])


def _write_arrays(
    reader: FilmReader,
    colour: bool,
    folder: Path,
    origin: _Origin,
    options: PickleOptions,
    on_progress: ProgressCallback,
) -> Card:
    assert reader.sample_rate is not None
    with (
        NpyWriter(folder / "frames.npy", np.uint8, picture_shape(colour)) as frames,
        NpyWriter(folder / "times.npy", np.float64) as times,
        NpyWriter(folder / "sound.npy", np.float32) as sound,
    ):
        ear = _AudioArrayWriter(sound)
        until = Fraction(0)
        report = _rate_reporter(reader, on_progress)
        for event in _batch_frames(reader.events(colour=colour)):
            if isinstance(event, AudioChunk):
                ear.write(event)
            else:
                frames.append(np.stack([frame.picture for frame in event]))
                times.append(np.array([float(frame.start_seconds) for frame in event]))
                until = event[-1].end_seconds
                report(float(until), frames.row_count)
        times.append(np.array([float(until)]))
        ear.pad_or_trim(sample_at(until, reader.sample_rate))
    return Card(
        source=origin.source,
        digest=origin.digest,
        stamp=origin.stamp,
        fps=clamp_frame_rate(reader.streams.fps),
        frames=frames.row_count,
        samples=sound.row_count,
        sample_rate=reader.sample_rate,
        audio_range=ear.audio_range,
        video_stream=options.video_stream,
        audio_stream=options.audio_stream,
        background=options.background,
        notes=(*reader.notes, *ear.notes(reader.sample_rate)),
        checksums=Checksums.from_folder(folder),
    )


def _rate_reporter(
    reader: FilmReader, on_progress: ProgressCallback
) -> Callable[[float, int], None]:
    """Return a function that reports seconds of film, with the frames read in a second as note."""
    path, total, began = reader.streams.path, reader.streams.declared_seconds, time.monotonic()

    def report(seconds: float, frames: int) -> None:
        spent = time.monotonic() - began
        note = f"{frames / spent:.0f} frames/s" if spent > 1 else ""
        total_seconds = None if total is None else max(total, seconds)
        on_progress(path.name, seconds, total_seconds, note)

    return report


def _batch_frames(events: Iterator[Frame | AudioChunk]) -> Iterator[list[Frame] | AudioChunk]:
    batch: list[Frame] = []
    for event in events:
        if isinstance(event, AudioChunk):
            yield event
            continue
        batch.append(event)
        if len(batch) == BATCH_FRAMES:
            yield batch
            batch = []
    if batch:
        yield batch


class _AudioArrayWriter:
    """Lays sound end to end in an array, with silence in the gaps."""

    def __init__(self, writer: NpyWriter) -> None:
        self.writer = writer
        self.audio_range = (0, 0)
        self._peak = 0.0

    def write(self, sound: AudioChunk) -> None:
        late = self.writer.row_count - sound.start_sample
        samples = sound.samples[max(late, 0) :]
        if not len(samples):
            return
        self._write_silence(-late)
        begin = self.audio_range[0] if self.audio_range[1] else self.writer.row_count
        self._peak = max(self._peak, float(np.abs(samples).max()))
        self.writer.append(samples)
        self.audio_range = (begin, self.writer.row_count)

    def pad_or_trim(self, sample_count: int) -> None:
        """Make the sound as long as the film."""
        self._write_silence(sample_count - self.writer.row_count)
        self.writer.truncate(sample_count)
        self.audio_range = (
            min(self.audio_range[0], sample_count),
            min(self.audio_range[1], sample_count),
        )

    def notes(self, sample_rate: int) -> Iterator[str]:
        begin, end = (at / sample_rate for at in self.audio_range)
        if self._peak < 10 ** (SILENCE_THRESHOLD_DB / 20):
            yield "its sound is silent"
        if begin > 0.1:
            yield f"its sound begins at {begin:.2f} s; nothing is learned before that"
        if end < self.writer.row_count / sample_rate - 0.1:
            yield f"its sound ends at {end:.2f} s; nothing is learned after that"

    def _write_silence(self, sample_count: int) -> None:
        while sample_count > 0:
            step = min(sample_count, 1 << 16)
            self.writer.append(np.zeros(step, np.float32))
            sample_count -= step
