"""Pickle a film: decode it into a folder of a library with frames, times and sound."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from frame2sound.atomic import atomic_folder, truncate_name
from frame2sound.clock import sample_at
from frame2sound.errors import FilmError, LibraryError, error_reason
from frame2sound.film.decoding.audio_chunks import AudioChunk, GapFiller
from frame2sound.film.decoding.image_sequence import audio_file, image_files, is_image_sequence
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.reader import FilmReader, Frame
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.small_frames import picture_shape
from frame2sound.library.card import FullSoundFormat, clamp_frame_rate
from frame2sound.library.checksums import Checksums, hash_file
from frame2sound.library.folders import CARD_FILE, DEFAULT_FULL_RATE, FULL_SOUND_FILE
from frame2sound.library.npy_writer import NpyWriter
from frame2sound.library.store import Card, Library, PickledFilm
from frame2sound.progress import ProgressCallback, ignore_progress, rename_task
from frame2sound.storage import Location

if TYPE_CHECKING:
    from frame2sound.library.full_sound_writer import FullSoundWriter

MAX_TITLE_BYTES = 160
"""Longest part of a film's name in the name of its folder, in bytes."""

BATCH_FRAMES = 256
"""Frames that are written at once."""

SILENCE_THRESHOLD_DB = -90.0
"""A film whose loudest sample is below this level (dBFS) counts as silent."""


@dataclass(frozen=True)
class PickleOptions(DecodeOptions):
    """Options of `FilmReader`, and two more.

    Attributes
    ----------
    in_subprocess : bool
        Decode the film in a subprocess.
    full_rate : int
        Highest rate in Hz at which the sound is kept as it is heard; 0 keeps only what is learned.
    """

    in_subprocess: bool = False
    full_rate: int = DEFAULT_FULL_RATE


@dataclass(frozen=True)
class _Origin:
    source: str
    digest: str
    stamp: str | None


def film_digest(path: Path, fps: Fraction | None = None) -> str:
    """Return the SHA-256 of a film, in hexadecimal.

    That of an image sequence depends on its pictures, its sound and its frame rate.

    Raises
    ------
    FilmError
        The film cannot be read.
    """
    if is_image_sequence(path):
        files, _ = image_files(path)
        audio = audio_file(path)
        parts = "".join(film_digest(file) for file in [*files, *filter(None, [audio])])
        return hashlib.sha256(f"{fps} {parts}".encode()).hexdigest()
    if path.exists() and not path.is_file():
        raise FilmError(f"{path} cannot be read (not a regular file); expected a film file")
    try:
        return hash_file(path, follow_links=True)
    except OSError as error:
        raise FilmError(
            f"{path} cannot be read ({error_reason(error)}); expected a film file"
        ) from error


def pickle_film(
    location: Location,
    library: Library,
    options: PickleOptions = PickleOptions(),
    on_progress: ProgressCallback = ignore_progress,
) -> tuple[PickledFilm, bool]:
    """Pickle a film into a library, unless the library has it already.

    The film's folder appears only when it is complete. A film whose bytes are in the library is not
    pickled again; a film that has changed replaces its older version. A film at an address is
    downloaded to a temporary file, unless its metadata show that the library has it.

    Returns
    -------
    film : PickledFilm
    is_new : bool
        False if the library had the film already.

    Raises
    ------
    FilmError
        The film cannot be read, or has no sound.
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
        path, library.sample_rate, options, full_rate=options.full_rate
    )
    folder = library.path / _folder_name(path, digest, options)
    if os.path.lexists(folder / CARD_FILE):
        library.film(folder)  # raises: `find` missed this film because its card is unreadable
    elif folder.exists():
        shutil.rmtree(folder, ignore_errors=True)  # a folder without a card is incomplete
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
    """Return the part of a film's name with which the name of its folder begins."""
    name = (re.sub(r"[^\w.-]+", "-", source.stem).strip("-.") or "film")[:80]
    return truncate_name(name, MAX_TITLE_BYTES)


def _file_state(path: Path) -> tuple[int, int, int] | None:
    """Return inode, size and time of change of a film; None if it does not exist."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _matches_options(film: PickledFilm, options: PickleOptions) -> bool:
    card = film.card
    requested = options.video_stream, options.audio_stream, options.background
    return (card.video_stream, card.audio_stream, card.background) == requested


def _folder_name(path: Path, digest: str, options: PickleOptions) -> str:
    suffixes = [
        f"{kind}{number}"
        for kind, number in (
            ("v", options.video_stream),
            ("a", options.audio_stream),
            ("g", options.background or None),
        )
        if number is not None
    ]
    return "-".join([folder_title(path), *suffixes, digest[:8]])


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
        _open_full_sound(folder, reader.full_format) as full_sound,
    ):
        audio = _AudioArrayWriter(sound)
        end_seconds = Fraction(0)
        report = _rate_reporter(reader, on_progress)
        for event in _batch_frames(reader.events(colour=colour)):
            if not isinstance(event, AudioChunk):
                frames.append(np.stack([frame.picture for frame in event]))
                times.append(np.array([float(frame.start_seconds) for frame in event]))
                end_seconds = event[-1].end_seconds
                if full_sound is not None:
                    full_sound.advance(sample_at(end_seconds, full_sound.sample_rate))
                report(float(end_seconds), frames.row_count)
            elif not event.full:
                audio.write(event)
            elif full_sound is not None:
                full_sound.write(event)
        times.append(np.array([float(end_seconds)]))
        audio.pad_or_trim(sample_at(end_seconds, reader.sample_rate))
        kept, notes = _finish_full_sound(full_sound, end_seconds)
    return Card(
        source=origin.source,
        digest=origin.digest,
        stamp=origin.stamp,
        fps=clamp_frame_rate(reader.streams.fps),
        frames=frames.row_count,
        samples=sound.row_count,
        sample_rate=reader.sample_rate,
        audio_range=audio.audio_range,
        video_stream=options.video_stream,
        audio_stream=options.audio_stream,
        background=options.background,
        notes=(*reader.notes, *audio.notes(reader.sample_rate), *notes),
        full_sound=kept,
        checksums=Checksums.from_folder(folder),
    )


def _open_full_sound(
    folder: Path, full_format: tuple[int, int] | None
) -> AbstractContextManager[FullSoundWriter | None]:
    if full_format is None:
        return nullcontext()
    from frame2sound.library.full_sound_writer import FullSoundWriter

    return FullSoundWriter(folder / FULL_SOUND_FILE, *full_format)


def _finish_full_sound(
    writer: FullSoundWriter | None, end_seconds: Fraction
) -> tuple[FullSoundFormat | None, list[str]]:
    """Complete the full sound; return what was written, and what the user should know of it."""
    if writer is None:
        return None, []
    return writer.finish(sample_at(end_seconds, writer.sample_rate)), list(writer.notes())


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
    """Writes chunks of sound to an array, filling gaps with silence and dropping overlaps."""

    def __init__(self, writer: NpyWriter) -> None:
        self.writer = writer
        self.audio_range = (0, 0)
        self._gap_filler = GapFiller()
        self._peak = 0.0

    def write(self, chunk: AudioChunk) -> None:
        begin = max(chunk.start_sample, self.writer.row_count)
        for block in self._gap_filler.process(chunk):
            self._peak = max(self._peak, float(np.abs(block).max()))
            self.writer.append(block)
        if self.writer.row_count > begin:
            begin = self.audio_range[0] if self.audio_range[1] else begin
            self.audio_range = (begin, self.writer.row_count)

    def pad_or_trim(self, sample_count: int) -> None:
        """Make the audio as long as the film."""
        for block in self._gap_filler.pad(sample_count):
            self.writer.append(block)
        self.writer.truncate(sample_count)
        self.audio_range = (
            min(self.audio_range[0], sample_count),
            min(self.audio_range[1], sample_count),
        )

    def notes(self, sample_rate: int) -> Iterator[str]:
        """Yield what the user should know about the sound."""
        begin, end = (at / sample_rate for at in self.audio_range)
        if self._peak < 10 ** (SILENCE_THRESHOLD_DB / 20):
            yield "its sound is silent"
        if begin > 0.1:
            yield f"its sound begins at {begin:.2f} s; nothing before is used for training"
        if end < self.writer.row_count / sample_rate - 0.1:
            yield f"its sound ends at {end:.2f} s; nothing after is used for training"
