"""Write a film's sound as it is heard, while the film is decoded."""

from __future__ import annotations

import errno
import math
import os
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from types import TracebackType

import numpy as np
import soundfile
from numpy.typing import NDArray

from frame2sound.film.decoding.audio_chunks import AudioChunk, GapFiller
from frame2sound.library.card import FullSoundFormat
from frame2sound.library.full_sound import HEADROOM, SAMPLE_BITS

COMPRESSION_LEVEL = 0.5
"""FLAC's level 4 of 8, the fastest that joins the two sides of stereo adaptively.

``benchmarks/full_sound.py`` compares the levels.
"""

MAX_HELD_SECONDS = 2
"""Sound that may wait in memory until it is known that the picture lasts as long."""

COPY_SAMPLES = 1 << 16
"""Samples in memory at once while a file is shortened."""


class FullSoundWriter:
    """Writes chunks of sound to a FLAC file, silence in the gaps, as long as the picture lasts.

    A FLAC file cannot be shortened. So samples are held until frames have been seen that end after
    them; should more than `MAX_HELD_SECONDS` wait, they are written, and the file is written anew
    at the end if that was too much.

    Parameters
    ----------
    path : Path
        The file to write.
    sample_rate, channels : int
        Rate in Hz, and 1 or 2 channels, of the chunks.
    """

    def __init__(self, path: Path, sample_rate: int, channels: int) -> None:
        self.path, self.sample_rate, self.channels = path, sample_rate, channels
        self._gap_filler = GapFiller()
        self._held: deque[NDArray[np.float32]] = deque()
        self._held_samples = self._seen_end = 0
        self._peak = 0.0
        self._flac = _FlacFile(path, sample_rate, channels)

    def write(self, chunk: AudioChunk) -> None:
        """Add a chunk; those of earlier times have come before."""
        for block in self._gap_filler.process(chunk):
            self._hold(block)

    def advance(self, end_sample: int) -> None:
        """Write the samples before one that is not after the picture's end."""
        self._seen_end = max(self._seen_end, end_sample)
        while self._held and self._flac.sample_count < self._seen_end:
            self._write_held(self._seen_end - self._flac.sample_count)

    def finish(self, sample_count: int) -> FullSoundFormat | None:
        """Make the sound as long as the picture, and close the file.

        Returns
        -------
        FullSoundFormat or None
            What was written; None if the film is too short for a single sample.
        """
        for block in self._gap_filler.pad(sample_count, () if self.channels == 1 else (2,)):
            self._hold(block)
        self.advance(sample_count)
        self._flac.close()
        if not sample_count:
            self.path.unlink()
            return None
        if self._flac.sample_count > sample_count:
            _shorten(self.path, sample_count)
        return FullSoundFormat(self.sample_rate, self.channels, sample_count)

    def notes(self) -> Iterator[str]:
        """Yield what the user should know about the sound."""
        if self._peak > HEADROOM:
            over_db, kept_db = (20 * math.log10(peak) for peak in (self._peak, HEADROOM))
            yield (
                f"its sound is up to {over_db:.1f} dB over full scale; full_sound.flac is clipped "
                f"at {kept_db:.0f} dB, what is learned is not"
            )

    def __enter__(self) -> FullSoundWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._flac.abandon()

    def _hold(self, block: NDArray[np.float32]) -> None:
        self._held.append(block)
        self._held_samples += len(block)
        while self._held_samples > MAX_HELD_SECONDS * self.sample_rate:
            self._write_held(self._held_samples)
        self.advance(self._seen_end)

    def _write_held(self, most: int) -> None:
        """Write at most so many samples of the first held block."""
        block = self._held.popleft()
        if len(block) > most:
            self._held.appendleft(block[most:])
        block = block[:most]
        self._held_samples -= len(block)
        self._peak = max(self._peak, float(block.max()), -float(block.min()))
        self._flac.write(_to_stored(block))


class _FlacFile:
    """A FLAC file that is written; what goes wrong with the disk raises `OSError`."""

    def __init__(self, path: Path, sample_rate: int, channels: int) -> None:
        self.sample_count = 0
        self._file = _RecordingFile(path, "wb")
        self._sound = soundfile.SoundFile(
            self._file,
            "w",
            sample_rate,
            channels,
            "PCM_24",
            format="FLAC",
            compression_level=COMPRESSION_LEVEL,
        )

    def write(self, stored: NDArray[np.int32]) -> None:
        """Append samples ``(n,)`` or ``(n, 2)``, whose full scale is 2**31."""
        try:
            self._sound.write(stored)
        except (soundfile.SoundFileError, AssertionError) as error:
            raise self._file.error or OSError(errno.EIO, os.strerror(errno.EIO)) from error
        self.sample_count += len(stored)

    def close(self) -> None:
        """Complete the file."""
        self._sound.close()
        self._file.close()
        if self._file.error is not None:
            raise self._file.error

    def abandon(self) -> None:
        """Close the file, whatever is in it."""
        with suppress(soundfile.SoundFileError, OSError):
            self._sound.close()
        self._file.close()


class _RecordingFile(FileIO):
    """A file that keeps the error of a write, which libsndfile would forget."""

    error: OSError | None = None

    def write(self, data: bytes) -> int:  # type: ignore[override]
        view = memoryview(data)
        try:
            while view:
                view = view[super().write(view) :]
        except OSError as error:
            self.error = error
            return 0
        return len(data)


def _to_stored(samples: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return samples as the upper bits of 32, clipped at `HEADROOM`."""
    limit = 1 << (SAMPLE_BITS - 1)
    scaled = np.rint(samples * np.float32(limit / HEADROOM))
    steps = np.clip(scaled, -limit, limit - 1).astype(np.int32)
    stored: NDArray[np.int32] = steps << (32 - SAMPLE_BITS)
    return stored


def _shorten(path: Path, sample_count: int) -> None:
    """Replace a FLAC file by its first samples."""
    shorter = path.with_suffix(".shorter")
    with soundfile.SoundFile(os.fsencode(path)) as source:
        target = _FlacFile(shorter, source.samplerate, source.channels)
        try:
            while (left := sample_count - target.sample_count) > 0:
                target.write(source.read(min(left, COPY_SAMPLES), "int32"))
            target.close()
        except BaseException:
            target.abandon()
            raise
    shorter.replace(path)
