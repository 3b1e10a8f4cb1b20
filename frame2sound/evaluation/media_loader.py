"""Load films to be measured: sound in temporary files, and what measures need of the picture."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import IO, TypeVar

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import sample_at
from frame2sound.errors import FilmError
from frame2sound.evaluation.levels import MAX_BLACK_VALUE, LevelMeter, Levels
from frame2sound.evaluation.measurements import BlackFrames
from frame2sound.film.decoding.audio_chunks import AudioChunk, GapFiller
from frame2sound.film.decoding.downmix import Downmixer, cancellation_note
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.probe import Streams
from frame2sound.film.decoding.reader import Frame
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.drawing.scene import SceneTruth
from frame2sound.film.small_frames import SIZE
from frame2sound.untrusted import read_text

MIN_SAMPLE_RATE = 8000
"""In Hz; soundtracks of lower rates are resampled to it."""

MAX_PADDING_SECONDS = 0.1
"""Sound after the end that the container declares is padding of the codec, if not longer."""


@dataclass(frozen=True)
class LoadedFilm:
    """A film that is loaded to be measured.

    Attributes
    ----------
    samples : array of shape (samples,)
        In one channel, memory-mapped: the mean of the channels, or the loudest where they cancel.
    sample_rate : int
        In Hz: that of the film, but at least 8000.
    fps : Fraction
        Nominal frames per second.
    picture_seconds : Fraction
        When the last frame ends.
    black_frames : BlackFrames
        When frames appear, and which are black.
    frames : array of shape (N, 64, 64) or None
        Grey, memory-mapped; None unless they were asked for.
    levels : Levels
        Of all channels, mixed down to two at most.
    warnings : tuple of str
        What was unusual when the film was read.
    """

    samples: NDArray[np.float32]
    sample_rate: int
    fps: Fraction
    picture_seconds: Fraction
    black_frames: BlackFrames
    frames: NDArray[np.uint8] | None
    levels: Levels
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class LoadedSound:
    """The sound of a film that is loaded as a reference.

    Attributes
    ----------
    samples : array of shape (samples,)
        See `LoadedFilm`.
    warnings : tuple of str
        What was unusual when the film was read.
    """

    samples: NDArray[np.float32]
    warnings: tuple[str, ...]


MAX_TRUTH_BYTES = 1 << 28
"""Largest file with the ground truth of a film: a day of it at 30 frames per second."""


class MediaLoader:
    """Loads films to be measured; a context manager that keeps them in temporary files.

    Examples
    --------
    >>> with MediaLoader() as loader:  # doctest: +SKIP
    ...     print(loader.load_film(Path("film.mp4")).levels)
    """

    def __init__(self) -> None:
        self._open = ExitStack()

    def __enter__(self) -> MediaLoader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def load_film(
        self, path: Path, *, keep_frames: bool = False, allow_damaged: bool = False
    ) -> LoadedFilm:
        """Read a film in one pass.

        Parameters
        ----------
        path : Path
        keep_frames : bool
            Whether to keep the frames too.
        allow_damaged : bool
            Whether to go on after damage in the file.

        Raises
        ------
        FilmError
            The film cannot be read, or has no sound.
        """
        streams = SubprocessFilmReader(path).streams
        if streams.audio_index is None:
            raise FilmError(
                f"{path} has no sound to measure; give a film with sound, "
                "or render a soundtrack for it first"
            )
        rate = max(streams.audio_sample_rate, MIN_SAMPLE_RATE)
        channels = min(streams.audio_channels, 2)
        options = DecodeOptions(allow_damaged=allow_damaged)
        reader = SubprocessFilmReader(path, rate, options, channels=channels)
        sound, meter = _SampleFile(self._file(), rate, channels), LevelMeter(rate, channels)
        frame_file = self._file() if keep_frames else None
        times: list[float] = []
        is_black: list[bool] = []
        end_seconds = Fraction(0)
        for event in reader:
            if isinstance(event, Frame):
                times.append(float(event.start_seconds))
                is_black.append(bool(event.picture.max() <= MAX_BLACK_VALUE))
                end_seconds = event.end_seconds
                if frame_file is not None:
                    frame_file.write(event.picture.tobytes())
            else:
                for chunk in sound.write(event):
                    meter.update(chunk)
        return LoadedFilm(
            samples=sound.finish(streams),
            sample_rate=rate,
            fps=streams.fps,
            picture_seconds=end_seconds,
            black_frames=BlackFrames(
                np.array([*times, float(end_seconds)]), np.array(is_black, dtype=bool)
            ),
            frames=None
            if frame_file is None
            else _memory_map(frame_file, np.uint8).reshape(-1, SIZE, SIZE),
            levels=meter.result(),
            warnings=(*reader.notes, *sound.notes()),
        )

    def load_audio(
        self, path: Path, sample_rate: int, *, allow_damaged: bool = False
    ) -> LoadedSound:
        """Return the sound of a film at a sample rate, as a reference.

        Raises
        ------
        FilmError
            The film cannot be read, or has no sound.
        """
        streams = SubprocessFilmReader(path).streams
        if streams.audio_index is None:
            raise FilmError(
                f"{path} has no sound, so it cannot be a reference; "
                "give a film with its original sound"
            )
        channels = min(streams.audio_channels, 2)
        options = DecodeOptions(allow_damaged=allow_damaged)
        reader = SubprocessFilmReader(path, sample_rate, options, channels=channels)
        sound = _SampleFile(self._file(), sample_rate, channels)
        for event in reader.audio_chunks():
            for _ in sound.write(event):
                pass
        return LoadedSound(sound.finish(streams), (*reader.notes, *sound.notes()))

    def _file(self) -> IO[bytes]:
        return self._open.enter_context(tempfile.TemporaryFile(prefix="frame2sound-"))


def read_truth(path: Path) -> SceneTruth:
    """Read the ground truth of a demo film.

    Raises
    ------
    FilmError
        The file cannot be read, or is not the ground truth of a demo film.
    """
    try:
        truth = SceneTruth.from_json(read_text(path, MAX_TRUTH_BYTES, follow_links=True))
        np.array([truth.onsets], np.float64)
        np.array([truth.pitch_hz, truth.loudness_db], np.float64)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise FilmError(
            f"{path} cannot be read ({why}); give the JSON file next to a demo film"
        ) from error
    except (ValueError, TypeError, ArithmeticError) as error:
        raise FilmError(
            f"{path} is not the truth of a demo film; give the JSON file next to a demo film"
        ) from error
    return truth


def without_padding(samples: int, sample_rate: int, declared_end: Fraction | None) -> int:
    """Return the length of a sound without the padding of its codec.

    Parameters
    ----------
    samples : int
    sample_rate : int
        In Hz.
    declared_end : Fraction, optional
        In seconds; see `Streams.declared_audio_end_seconds`.

    Examples
    --------
    >>> without_padding(48_500, 48_000, Fraction(1)), without_padding(60_000, 48_000, Fraction(1))
    (48000, 60000)
    """
    if declared_end is None:
        return samples
    declared = sample_at(declared_end, sample_rate)
    return declared if 0 < samples - declared <= MAX_PADDING_SECONDS * sample_rate else samples


class _SampleFile:
    """Sound in a file, mixed to one channel, with gaps filled with silence."""

    def __init__(self, file: IO[bytes], sample_rate: int, channels: int) -> None:
        self._file, self._sample_rate, self._channels = file, sample_rate, channels
        self._gap_filler = GapFiller()
        self._downmixer = Downmixer(["FL", "FR"][:channels], 1, sample_rate)

    def write(self, chunk: AudioChunk) -> Iterator[NDArray[np.float32]]:
        """Write a chunk to its place; yield all samples written, with their channels."""
        for block in self._gap_filler.process(chunk):
            planes = np.ascontiguousarray(block.reshape(-1, self._channels).T)
            self._file.write(self._downmixer.process(planes).tobytes())
            yield block

    def finish(self, streams: Streams) -> NDArray[np.float32]:
        """Write what is left; return the sound up to the end that the container declares."""
        self._file.write(self._downmixer.flush().tobytes())
        length, declared = self._gap_filler.sample_count, streams.declared_audio_end_seconds
        return _memory_map(self._file, np.float32)[
            : without_padding(length, self._sample_rate, declared)
        ]

    def notes(self) -> list[str]:
        """Return what a person should know about the mix; complete after `finish`."""
        mixed, rate = self._downmixer, self._sample_rate
        if not mixed.cancelled_samples:
            return []
        seconds, start = mixed.cancelled_samples / rate, mixed.cancelled_start / rate
        return [cancellation_note(seconds, start, mixed.cancelled_end / rate)]


Value = TypeVar("Value", np.float32, np.uint8)


def _memory_map(file: IO[bytes], kind: type[Value]) -> NDArray[Value]:
    file.flush()
    return np.memmap(file, kind, "r") if file.tell() else np.zeros(0, kind)
