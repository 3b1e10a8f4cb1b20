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
        Mono, memory-mapped.
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
        sound, meter = _SampleFile(self._file()), LevelMeter(rate, channels)
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
            samples=sound.samples()[: _audio_end(streams, rate, sound.sample_count)],
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
            warnings=tuple(reader.notes),
        )

    def load_audio(
        self, path: Path, sample_rate: int, *, allow_damaged: bool = False
    ) -> NDArray[np.float32]:
        """Return the sound of a film at a sample rate, as a reference: mono, memory-mapped.

        Raises
        ------
        FilmError
            The film cannot be read, or has no sound.
        """
        if SubprocessFilmReader(path).streams.audio_index is None:
            raise FilmError(
                f"{path} has no sound, so it cannot be a reference; "
                "give a film with its original sound"
            )
        sound = _SampleFile(self._file())
        options = DecodeOptions(allow_damaged=allow_damaged)
        for event in SubprocessFilmReader(path, sample_rate, options).audio_chunks():
            for _ in sound.write(event):
                pass
        return sound.samples()

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


def _audio_end(streams: Streams, sample_rate: int, length: int) -> int:
    """Return the end of the sound in samples, without padding of the codec."""
    if streams.declared_audio_end_seconds is None:
        return length
    declared = sample_at(streams.declared_audio_end_seconds, sample_rate)
    is_padded = 0 < length - declared <= MAX_PADDING_SECONDS * sample_rate
    return declared if is_padded else length


class _SampleFile:
    """Mono sound in a file, with gaps filled with silence."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._gap_filler = file, GapFiller()

    @property
    def sample_count(self) -> int:
        return self._gap_filler.sample_count

    def write(self, chunk: AudioChunk) -> Iterator[NDArray[np.float32]]:
        """Write a chunk to its place; yield all samples written, with their channels."""
        for block in self._gap_filler.process(chunk):
            mono = block if block.ndim == 1 else block.mean(axis=1, dtype=np.float32)
            self._file.write(mono.tobytes())
            yield block

    def samples(self) -> NDArray[np.float32]:
        return _memory_map(self._file, np.float32)


Value = TypeVar("Value", np.float32, np.uint8)


def _memory_map(file: IO[bytes], kind: type[Value]) -> NDArray[Value]:
    file.flush()
    return np.memmap(file, kind, "r") if file.tell() else np.zeros(0, kind)
