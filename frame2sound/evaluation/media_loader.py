"""Reading a film to be measured: its sound on disk, and of its picture what is needed."""

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
from frame2sound.film.decoding.frame_resizer import SIZE
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.probe import Streams
from frame2sound.film.decoding.reader import Frame
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.drawing.scene import SceneTruth
from frame2sound.untrusted import read_text

MIN_SAMPLE_RATE = 8000
"""Hz; a soundtrack of a lower rate is resampled to it, so that all can be measured."""

MAX_PADDING_SECONDS = 0.1
"""A sound that is longer than its container states, but not by more, was padded by its codec."""


@dataclass(frozen=True)
class LoadedFilm:
    """A film as it was seen and heard.

    Attributes
    ----------
    sound : array of shape (samples,)
        Mono, memory-mapped.
    sample_rate : int
        In Hz: the film's own, but at least 8000.
    fps : Fraction
        Nominal frames a second.
    seconds : Fraction
        When the last frame ends.
    screen : Screen
        When frames appear, and which are black.
    frames : array of shape (N, 64, 64) or None
        Grey, memory-mapped; None when they were not wanted.
    levels : Levels
        Of all channels, folded into two at most.
    notes : tuple of str
        What a person should know about the reading.
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
"""Bytes of a film's truth: a day of it at 30 frames a second."""


class MediaLoader:
    """Where films are read to be measured: it holds them in temporary files until it is left.

    Examples
    --------
    >>> with Auditorium() as auditorium:  # doctest: +SKIP
    ...     print(auditorium.view(Path("film.mp4")).levels)
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
        """Read a film, once.

        Raises
        ------
        FilmError
            It cannot be read, or has no sound.
        """
        streams = SubprocessFilmReader(path).streams
        if streams.audio_index is None:
            raise FilmError(
                f"{path} has no sound to measure; give it some with frame2sound render, "
                "or name a film with sound"
            )
        rate, channels = (
            max(streams.audio_sample_rate, MIN_SAMPLE_RATE),
            min(streams.audio_channels, 2),
        )
        options = DecodeOptions(allow_damaged=allow_damaged)
        reader = SubprocessFilmReader(path, rate, options, channels=channels)
        tape, meter = _SampleFile(self._file()), LevelMeter(rate, channels)
        reel = self._file() if keep_frames else None
        times: list[float] = []
        dark: list[bool] = []
        until = Fraction(0)
        for event in reader:
            if isinstance(event, Frame):
                times.append(float(event.start_seconds))
                dark.append(bool(event.picture.max() <= MAX_BLACK_VALUE))
                until = event.end_seconds
                if reel is not None:
                    reel.write(event.picture.tobytes())
            else:
                for piece in tape.write(event):
                    meter.update(piece)
        return LoadedFilm(
            samples=tape.samples()[: _audio_end(streams, rate, tape.sample_count)],
            sample_rate=rate,
            fps=streams.fps,
            picture_seconds=until,
            black_frames=BlackFrames(np.array([*times, float(until)]), np.array(dark, dtype=bool)),
            frames=None if reel is None else _memory_map(reel, np.uint8).reshape(-1, SIZE, SIZE),
            levels=meter.result(),
            warnings=tuple(reader.notes),
        )

    def load_audio(
        self, path: Path, sample_rate: int, *, allow_damaged: bool = False
    ) -> NDArray[np.float32]:
        """Read a film's sound alone, as a reference: mono, memory-mapped, at a rate.

        Raises
        ------
        FilmError
            It cannot be read, or has no sound.
        """
        if SubprocessFilmReader(path).streams.audio_index is None:
            raise FilmError(
                f"{path} has no sound, so it is no reference; name the film with its own sound"
            )
        tape = _SampleFile(self._file())
        options = DecodeOptions(allow_damaged=allow_damaged)
        for event in SubprocessFilmReader(path, sample_rate, options).audio_chunks():
            for _ in tape.write(event):
                pass
        return tape.samples()

    def _file(self) -> IO[bytes]:
        return self._open.enter_context(tempfile.TemporaryFile(prefix="frame2sound-"))


def read_truth(path: Path) -> SceneTruth:
    """Read what happens in a demo film.

    Raises
    ------
    FilmError
        The file cannot be read, or is no truth.
    """
    try:
        truth = SceneTruth.from_json(read_text(path, MAX_TRUTH_BYTES, follow_links=True))
        np.array([truth.onsets], np.float64)
        np.array([truth.pitch_hz, truth.loudness_db], np.float64)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise FilmError(
            f"{path} cannot be read ({why}); name the JSON beside a demo film"
        ) from error
    except (ValueError, TypeError, ArithmeticError) as error:
        raise FilmError(
            f"{path} is not the truth of a demo film; name the JSON that frame2sound films "
            "writes beside one"
        ) from error
    return truth


def _audio_end(streams: Streams, sample_rate: int, length: int) -> int:
    """Return where the sound ends: a codec's padding, which no player plays, is none of it."""
    if streams.declared_audio_end_seconds is None:
        return length
    stated = sample_at(streams.declared_audio_end_seconds, sample_rate)
    return stated if 0 < length - stated <= MAX_PADDING_SECONDS * sample_rate else length


class _SampleFile:
    """Mono sound on disk, gaps filled with silence."""

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
