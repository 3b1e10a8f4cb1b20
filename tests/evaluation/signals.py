"""Signals whose measures are known."""

import numpy as np

RATE = 22050
TRUTH = np.array([0.2, 0.5, 1.0133, 1.7, 2.345, 2.9])
TONE = np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE)


def clicks(times, seconds=3.0, sample_rate=RATE, amplitude=0.5):
    sound = np.zeros(round(seconds * sample_rate), dtype=np.float32)
    sound[np.round(np.asarray(times) * sample_rate).astype(int)] = amplitude
    return sound


def noise(seconds=3.0, amplitude=0.1, seed=1):
    return amplitude * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def pings(times, seconds=3.0):
    """Decaying tones, each of its own pitch, with an attack of 2 ms."""
    sound, t = np.zeros(round(seconds * RATE)), np.arange(round(seconds * RATE)) / RATE
    for time, pitch in zip(times, np.geomspace(80, 3000, len(times)), strict=True):
        age = np.maximum(t - time, 0)
        sound += (
            0.3 * np.sin(2 * np.pi * pitch * age) * np.minimum(age / 0.002, 1) * np.exp(-8 * age)
        )
    return sound
