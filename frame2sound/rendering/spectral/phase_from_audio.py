"""Load a sound whose phases are used, from a sound file or a film."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from frame2sound.clock import sample_at
from frame2sound.errors import FilmError, SoundtrackError
from frame2sound.film.decoding.audio_chunks import collect_samples
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.sound.phase.from_audio import PhaseFromAudio
from frame2sound.sound.resampler import resample
from frame2sound.sound.sound_file import open_sound_file
from frame2sound.sound.stft import Stft

MAX_SECONDS = 600
"""Longer sounds are cut."""


def load_phase_from_audio(path: Path, stft: Stft, sample_rate: int) -> PhaseFromAudio:
    """Return a reconstructor with the phases of a file's sound, in mono at the brain's rate.

    Raises
    ------
    SoundtrackError
        The file cannot be read, has no sound, or is shorter than a window.
    """
    sound = _read(path, sample_rate)
    if not np.isfinite(sound).all():
        raise SoundtrackError(f"phase file {path} holds numbers that are not finite; use another")
    try:
        return PhaseFromAudio(stft, sound, sample_rate, sample_rate)
    except ValueError as error:
        raise SoundtrackError(f"phase file {path}: {error}; use a longer one") from error


def _read(path: Path, sample_rate: int) -> NDArray[np.float32]:
    try:
        with open_sound_file(path) as file:
            rate = file.samplerate
            sound = file.read(MAX_SECONDS * rate, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError):
        return _read_film(path, sample_rate)
    mono: NDArray[np.float32] = sound.mean(axis=1, dtype=np.float32)
    if rate == sample_rate:
        return mono
    count = sample_at(Fraction(len(mono), rate), sample_rate)
    return np.concatenate([mono[:0], *resample([mono], (rate, sample_rate), 0, 0, count)])


def _read_film(path: Path, sample_rate: int) -> NDArray[np.float32]:
    try:
        if not SubprocessFilmReader(path).streams.audio_sample_rate:
            raise SoundtrackError(f"phase file {path} has no sound; expected one with sound")
        chunks = SubprocessFilmReader(path, sample_rate).audio_chunks()
        return collect_samples(chunks, MAX_SECONDS * sample_rate)
    except FilmError as error:
        raise SoundtrackError(f"phase file: {error}") from error
