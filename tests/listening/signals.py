"""Sounds whose features are known, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11, 12), (0, 2, 3, 5, 7, 8, 11, 12)
CHORDS = {
    "major": ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)),
    "minor": ((0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7)),
}
"""Tonic, subdominant, dominant and tonic, in semitones above the tonic."""


def clicks(times: Iterable[float], seconds: float, rate: int, seed: int = 0) -> Sound:
    """Return short bursts of noise that begin at times in seconds."""
    burst = np.random.default_rng(seed).standard_normal(rate // 20) * 0.3
    burst *= np.exp(-np.arange(len(burst)) / (0.015 * rate))
    sound = np.zeros(round(seconds * rate) + len(burst))
    for time in times:
        at = round(time * rate)
        sound[at : at + len(burst)] += burst
    return sound[: round(seconds * rate)]


def beats(bpm: float, seconds: float, rate: int) -> Sound:
    """Return clicks at a tempo, the first at 0.3 s."""
    return clicks(np.arange(0.3, seconds - 0.1, 60 / bpm), seconds, rate)


def tones(hertz: Sequence[float], seconds: float, rate: int) -> Sound:
    """Return tones with five harmonics that sound together, faded in and out over 10 ms."""
    time = np.arange(round(seconds * rate)) / rate
    partials = [(number * hz, 1 / number) for hz in hertz for number in range(1, 6)]
    waves = (gain * np.sin(2 * np.pi * hz * time) for hz, gain in partials if hz < rate / 2)
    fades = np.clip(np.minimum(time, seconds - time) / 0.01, 0, 1)
    return 0.2 / len(hertz) * sum(waves) * fades


def melody(hertz: Iterable[float], seconds: float, rate: int) -> Sound:
    """Return tones one after the other, each as long."""
    return np.concatenate([tones([hz], seconds, rate) for hz in hertz])


def in_key(tonic: int, mode: str, kind: str, rate: int, seconds: float = 0.25) -> Sound:
    """Return a scale up and down, or four chords, on a tonic from 0 (C) to 11 (B).

    The minor scale is the harmonic one.
    """
    lowest = 440 * 2 ** ((tonic if tonic < 7 else tonic - 12) / 12 - 0.75)
    steps = MAJOR if mode == "major" else MINOR
    parts = CHORDS[mode] if kind == "chords" else [(step,) for step in steps + steps[::-1]]
    played = [[lowest * 2 ** (step / 12) for step in part] for part in parts]
    return np.concatenate([tones(hertz, seconds, rate) for hertz in played])
