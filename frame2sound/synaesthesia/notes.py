"""Notes that the project plays itself: clips of one second to train on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.synaesthesia.sound_windows import RATE

Samples = NDArray[np.float32]
FloatArray = NDArray[np.float64]

MIN_LEVEL_DB, MAX_LEVEL_DB = -42.0, -9.0
"""Range of the level of notes: root mean square in dBFS."""

LOWEST_HZ, HIGHEST_HZ = 70.0, 4000.0

Generator = np.random.Generator


def make_notes(count: int, seed: int) -> Iterator[tuple[str, Samples]]:
    """Yield notes of one second: tones, swells, noises and modulated tones in turn.

    Parameters
    ----------
    count : int
    seed : int
        The same seed gives the same notes; the first ones do not depend on ``count``.

    Yields
    ------
    name : str
        Such as ``"0003-modulated"``.
    samples : float32 array (22050,)
        At 22050 Hz, from -1 to 1.
    """
    kinds = list(_KINDS.items())
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        name, play = kinds[number % len(kinds)]
        yield f"{number:04d}-{name}", _levelled(play(rng), rng)


def write_notes(folder: Path, count: int, seed: int) -> Iterator[Path]:
    """Write notes as WAV files of 16 bits into a folder, and yield the path of each."""
    from frame2sound.sound.wav_file import open_wav

    for name, samples in make_notes(count, seed):
        path = folder / f"{name}.wav"
        with open_wav(path, RATE, 1, "PCM_16") as file:
            file.write(samples)
        yield path


def _levelled(sound: FloatArray, rng: Generator) -> Samples:
    """Return a sound at a random level, lower where it would exceed full scale."""
    level = 10 ** (rng.uniform(MIN_LEVEL_DB, MAX_LEVEL_DB) / 20)
    level = min(level / np.sqrt(np.mean(sound**2)), 0.98 / np.abs(sound).max())
    ramp = np.minimum(np.arange(RATE) + 1, 220) / 220
    return np.asarray(sound * level * ramp * ramp[::-1], np.float32)


def _seconds() -> FloatArray:
    return np.arange(RATE) / RATE


def _frequency(rng: Generator) -> float:
    return float(np.exp(rng.uniform(np.log(LOWEST_HZ), np.log(HIGHEST_HZ))))


def _harmonics(hz: FloatArray, rng: Generator) -> FloatArray:
    """Return harmonics that fall by a random slope, of a frequency in time, below Nyquist."""
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    most = int(np.clip(0.45 * RATE / hz.max(), 1, 24))
    slope = rng.uniform(0.6, 4.0)
    return np.asarray(
        sum(
            order**-slope * np.sin(order * phase + rng.uniform(0, 2 * np.pi))
            for order in range(1, most + 1)
        )
    )


def _tone(rng: Generator) -> FloatArray:
    return _harmonics(np.full(RATE, _frequency(rng)), rng)


def _swell(rng: Generator) -> FloatArray:
    """Return a tone or a noise that grows or fades."""
    sound = _tone(rng) if rng.random() < 0.6 else _noise(rng)
    shape = np.exp(rng.uniform(1.5, 5.0) * (_seconds() - 1))
    return np.asarray(sound * (shape if rng.random() < 0.5 else shape[::-1]))


def _noise(rng: Generator) -> FloatArray:
    """Return a band of noise."""
    spectrum = np.fft.rfft(rng.standard_normal(RATE))
    octaves = np.log2(np.maximum(np.arange(len(spectrum)), 1) / (2 * _frequency(rng)))
    width = rng.uniform(0.15, 2.0)
    return np.fft.irfft(spectrum * np.exp(-0.5 * (octaves / width) ** 2), RATE)


def _modulated(rng: Generator) -> FloatArray:
    """Return a tone whose level or pitch is modulated."""
    speed, depth = np.exp(rng.uniform(np.log(2), np.log(12))), rng.uniform(0.3, 1.0)
    wave = np.sin(2 * np.pi * (speed * _seconds() + rng.random()))
    hz = np.full(RATE, _frequency(rng))
    if rng.random() < 0.5:
        return np.asarray(_harmonics(hz, rng) * (1 + depth * wave))
    return _harmonics(hz * 2 ** (0.5 * depth * wave), rng)


_KINDS: dict[str, Callable[[Generator], FloatArray]] = {
    "tone": _tone,
    "swell": _swell,
    "noise": _noise,
    "modulated": _modulated,
}
