"""Synthesise the sound of struck things, by material and size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from frame2sound.film.drawing.synthesis import (
    FloatArray,
    band_noise,
    modal_tone,
    smooth_step,
)


@dataclass(frozen=True)
class Material:
    """What a struck thing is made of.

    Parameters
    ----------
    hz : float
        Lowest mode of a thing of size 1, in Hz; it falls in proportion to the size.
    modes : tuple of (ratio, gain, decay_seconds)
        Modes relative to the lowest; the decay is that of a thing of size 1, and grows with it.
    knock : float
        Gain of the knock, a short burst of noise.
    knock_band_hz : (float, float)
        Band of the knock, in Hz.
    knock_seconds : float
        Time in which the knock falls to 1/e.
    """

    hz: float
    modes: tuple[tuple[float, float, float], ...]
    knock: float
    knock_band_hz: tuple[float, float]
    knock_seconds: float


MATERIALS = {
    "wood": Material(
        310, ((1, 1, 0.035), (2.57, 0.5, 0.02), (4.9, 0.3, 0.012)), 0.6, (200, 3500), 0.006
    ),
    "rubber": Material(95, ((1, 1, 0.05), (1.62, 0.5, 0.03)), 0.35, (60, 900), 0.012),
    "metal": Material(
        880,
        ((1, 1, 0.16), (1.51, 0.7, 0.12), (2.76, 0.6, 0.09), (4.1, 0.35, 0.05), (5.4, 0.25, 0.03)),
        0.5,
        (1500, 9000),
        0.004,
    ),
    "stone": Material(
        640, ((1, 0.5, 0.012), (1.83, 0.6, 0.009), (3.1, 0.4, 0.006)), 1.0, (500, 7000), 0.009
    ),
}


def strike(material: str, size: float, seed: int, sample_rate: int) -> FloatArray:
    """Return the sound of a struck thing, mono with a peak of 1, at most 0.9 s long.

    Parameters
    ----------
    material : str
        A key of `MATERIALS`.
    size : float
        Relative to 1: a thing twice as large sounds an octave lower, and longer.
    seed : int
        Seed of the noise of the knock.
    sample_rate : int
        In Hz.
    """
    made = MATERIALS[material]
    modes = [(made.hz * ratio / size, gain, decay * size**0.5) for ratio, gain, decay in made.modes]
    seconds = min(0.9, max(0.12, 7 * max(decay for _, _, decay in modes)))
    ring = modal_tone(modes, seconds, sample_rate)
    time = np.arange(len(ring)) / sample_rate
    low, high = made.knock_band_hz
    burst = band_noise(seed, low, high, max(2, round(0.25 * sample_rate)), sample_rate)
    knock = np.resize(burst, len(ring)) * np.exp(-time / made.knock_seconds)
    sound = (ring + made.knock * knock) * smooth_step(time, 0.0006)
    struck: FloatArray = sound / np.abs(sound).max()
    return struck
