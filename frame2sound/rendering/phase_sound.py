"""The sound whose phases are stolen, from a sound file or a film."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from frame2sound.errors import FilmError, SoundtrackError
from frame2sound.film.booth import BoothReader
from frame2sound.sound.phase.stolen import Stolen
from frame2sound.sound.stft import Stft

MOST_SECONDS = 600
"""Of a longer sound only so much is taken."""


def steal(path: Path, stft: Stft, sample_rate: int) -> Stolen:
    """Return a strategy that wears the phases of a file's sound, folded down to mono.

    Raises
    ------
    SoundtrackError
        It cannot be read, has no sound, has another sample rate, or is shorter than a window.
    """
    sound = _read(path, sample_rate)
    if not np.isfinite(sound).all():
        raise SoundtrackError(f"phase file {path} holds numbers that are not finite; use another")
    try:
        return Stolen(stft, sound, sample_rate, sample_rate)
    except ValueError as error:
        raise SoundtrackError(f"phase file {path}: {error}; use a longer one") from error


def _read(path: Path, sample_rate: int) -> NDArray[np.float32]:
    try:
        with soundfile.SoundFile(path) as file:
            _check(path, file.samplerate, sample_rate)
            sound = file.read(MOST_SECONDS * sample_rate, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError):
        return _of_film(path, sample_rate)
    mono: NDArray[np.float32] = sound.mean(axis=1, dtype=np.float32)
    return mono


def _of_film(path: Path, sample_rate: int) -> NDArray[np.float32]:
    try:
        rate = BoothReader(path).streams.audio_rate
        if not rate:
            raise SoundtrackError(f"phase file {path} has no sound; expected one with sound")
        _check(path, rate, sample_rate)
        heard = np.zeros(0, np.float32)
        for sound in BoothReader(path, sample_rate).sounds():
            end = sound.start + len(sound.samples)
            heard = np.pad(heard, (0, max(end - len(heard), 0)))
            heard[sound.start : end] = sound.samples
            if end >= MOST_SECONDS * sample_rate:
                break
    except FilmError as error:
        raise SoundtrackError(f"phase file: {error}") from error
    return heard


def _check(path: Path, rate: int, wanted: int) -> None:
    if rate != wanted:
        raise SoundtrackError(
            f"phase file {path} is at {rate} Hz, the brain at {wanted} Hz; "
            f"convert it with: ffmpeg -i {path} -ar {wanted} phase.wav"
        )
