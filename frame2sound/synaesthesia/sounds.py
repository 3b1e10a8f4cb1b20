"""Sounds to train on: one-second windows of clips, and of the sound of films."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.sound_input import SoundInput, open_sound
from frame2sound.errors import Frame2SoundError, SynaesthesiaError
from frame2sound.film.decoding.image_sequence import AUDIO_SUFFIXES
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.sound.resampler import resample
from frame2sound.synaesthesia.sound_windows import RATE, cut_windows, log_mel

SOUND_SUFFIXES = AUDIO_SUFFIXES | {".mp3", ".mp4", ".m4v", ".mkv", ".mov", ".webm", ".avi", ".ogv"}
"""Suffixes of files whose sound is read from a folder."""

MAX_WINDOWS = 8192
"""Most windows that are kept; of more, evenly spaced ones are."""

SILENCE_DBFS = -70.0
"""Windows whose root mean square is lower are left out."""

FloatArray = NDArray[np.float32]

_NamedWindow = tuple[str, FloatArray]


@dataclass(frozen=True)
class Sounds:
    """Windows of one second.

    Attributes
    ----------
    names : list of str
        The file, and the number of the window in it.
    windows : float32 array (n, 22050)
    spectra : float32 array (n, 42, 48)
        Their log mel spectra.
    """

    names: list[str]
    windows: FloatArray
    spectra: FloatArray

    def __len__(self) -> int:
        return len(self.names)

    def select(self, indices: NDArray[np.int64]) -> Sounds:
        """Return some of the windows."""
        names = [self.names[index] for index in indices]
        return Sounds(names, self.windows[indices], self.spectra[indices])


def load_sounds(
    paths: Iterable[Path],
    hop_seconds: float = 1.0,
    on_progress: ProgressCallback = ignore_progress,
) -> Sounds:
    """Return the windows of sound files and films, and of those in folders.

    Raises
    ------
    SynaesthesiaError
        There is none, a file cannot be read, or all are silent.
    """
    count, files = 0, find_sounds(paths)
    audible = _EvenlySpaced(2 * MAX_WINDOWS)
    for done, path in enumerate(files):
        for number, window in enumerate(_windows_of(path, round(hop_seconds * RATE))):
            count += 1
            if _is_audible(window):
                audible.add((f"{path.name} {number}", window))
        on_progress("sounds", done + 1, len(files), "")
    return _with_spectra(audible.kept, count)


def sounds_of_windows(names: list[str], windows: FloatArray) -> Sounds:
    """Return windows with their spectra, without those that are silent.

    Raises
    ------
    SynaesthesiaError
        All are silent.
    """
    pairs = zip(names, windows, strict=True)
    return _with_spectra([each for each in pairs if _is_audible(each[1])], len(names))


class _EvenlySpaced:
    """Keeps windows that come, evenly spaced: of more than a limit every second, then fourth."""

    def __init__(self, limit: int) -> None:
        self.kept: list[_NamedWindow] = []
        self._limit, self._step, self._count = limit, 1, 0

    def add(self, window: _NamedWindow) -> None:
        """Take the next."""
        if self._count % self._step == 0:
            self.kept.append(window)
        self._count += 1
        if len(self.kept) > self._limit:
            self.kept, self._step = self.kept[::2], 2 * self._step


def _is_audible(window: FloatArray) -> bool:
    level = np.sqrt(np.mean(window.astype(np.float64) ** 2))
    return bool(level > 10 ** (SILENCE_DBFS / 20))


def _with_spectra(audible: list[_NamedWindow], count: int) -> Sounds:
    """Return at most so many as are kept, evenly spaced, of the windows that are not silent."""
    if not audible:
        raise SynaesthesiaError(f"got {count} windows of silence, expected sound; give other files")
    kept = min(len(audible), MAX_WINDOWS)
    places = np.linspace(0, len(audible) - 1, kept).round().astype(int)
    windows = np.stack([audible[place][1] for place in places])
    return Sounds([audible[place][0] for place in places], windows, log_mel(windows))


def find_sounds(paths: Iterable[Path]) -> list[Path]:
    """Return files and the sounds and films in folders, in the order of their names."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.iterdir() if p.suffix.lower() in SOUND_SUFFIXES)
            if not found:
                raise SynaesthesiaError(f"{path} holds no sounds; expected sound files or films")
            files += found
        elif path.exists():
            files.append(path)
        else:
            raise SynaesthesiaError(f"{path}: no such file; expected a sound or a film")
    return files


def _windows_of(path: Path, hop: int) -> Iterator[FloatArray]:
    try:
        yield from cut_windows(mono_sound(open_sound(path)), hop)
    except Frame2SoundError as error:
        raise SynaesthesiaError(str(error)) from error


def mono_sound(sound: SoundInput) -> Iterator[FloatArray]:
    """Yield the mean of a sound's channels at 22050 Hz, block by block."""
    mono = (block.mean(axis=1, dtype=np.float32) for block in sound.blocks())
    return resampled(mono, sound, RATE)


def resampled(
    blocks: Iterable[FloatArray], sound: SoundInput, sample_rate: int
) -> Iterator[FloatArray]:
    """Yield the blocks of a sound at another sample rate in Hz."""
    if sound.sample_rate == sample_rate:
        return iter(blocks)
    count = -(-sound.samples * sample_rate // sound.sample_rate)
    return resample(blocks, (sound.sample_rate, sample_rate), 0, 0, count)
