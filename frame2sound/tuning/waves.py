"""Waves of tones as harmonics: only those below half the sample rate, so that nothing aliases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from frame2sound.sonification.oscillators import OscillatorBank
from frame2sound.sound.windows import hann_fade_in

FloatArray = NDArray[np.float64]
Samples = NDArray[np.float32]

WAVES = ("sine", "triangle", "square", "saw")

FADE_SECONDS = 0.01
"""How long a tone fades in, and out."""

SINE_PHASE = -0.25
"""In cycles of a cosine."""

BLOCK_SAMPLES = 1 << 16
"""Samples that are computed together."""

_HOP_SECONDS = 0.003


def harmonics(wave: str, count: int) -> FloatArray:
    """Return the amplitudes of the first harmonics of a wave that swings from -1 to 1.

    Their sines add up to the Fourier series of the wave: ``8 / pi**2 * (-1)**((k - 1) / 2) / k**2``
    of the odd ``k`` for a triangle, ``4 / pi / k`` of the odd ones for a square, and
    ``2 / pi * (-1)**(k + 1) / k`` for a rising saw.

    Parameters
    ----------
    wave : {"sine", "triangle", "square", "saw"}
    count : int
        At least 1.

    Examples
    --------
    >>> (harmonics("square", 4) * np.pi / 4).round(3).tolist()
    [1.0, 0.0, 0.333, 0.0]
    """
    order = np.arange(1, count + 1, dtype=np.float64)
    if wave == "sine":
        return np.asarray(order == 1, np.float64)
    if wave == "saw":
        return np.asarray(2 / np.pi * (-1.0) ** (order + 1) / order)
    is_odd = order % 2
    if wave == "square":
        return np.asarray(4 / np.pi * is_odd / order)
    if wave == "triangle":
        return np.asarray(8 / np.pi**2 * is_odd * (-1.0) ** (order // 2) / order**2)
    raise ValueError(f"got wave {wave!r}, expected one of {', '.join(WAVES)}")


def chord_blocks(
    tones_hz: Sequence[float], wave: str, samples: int, sample_rate: int
) -> Iterator[Samples]:
    """Yield tones that sound together, each as loud as one alone, faded in and out.

    Parameters
    ----------
    tones_hz : sequence of float
        All below half the sample rate.
    wave : {"sine", "triangle", "square", "saw"}
    samples, sample_rate : int

    Yields
    ------
    float32 array (n,)
        `BLOCK_SAMPLES` or fewer; ``samples`` in all.
    """
    fade = hann_fade_in(min(round(FADE_SECONDS * sample_rate), samples // 2))
    for first in range(0, samples, BLOCK_SAMPLES):
        end = min(first + BLOCK_SAMPLES, samples)
        block = np.zeros(end - first, np.float32)
        for hz in tones_hz:
            block += _steady_tone(hz, wave, first, end, sample_rate)
        places = np.arange(first, end)
        to_edge = np.minimum(places, samples - 1 - places)
        fading = to_edge < len(fade)
        block[fading] *= fade[to_edge[fading]]
        yield block


def _steady_tone(hz: float, wave: str, first: int, end: int, sample_rate: int) -> Samples:
    """Return a part of an endless tone, from its sample ``first`` to ``end``."""
    highest = 1 if wave == "sine" else math.ceil(sample_rate / 2 / hz) - 1
    amplitudes = harmonics(wave, max(highest, 1))
    sounding = np.flatnonzero(amplitudes)
    hop = max(round(_HOP_SECONDS * sample_rate), 1)
    partials = np.asarray(hz * (sounding + 1), np.float64)
    begin = first - hop  # it fades in over a hop, which is left out
    phases = SINE_PHASE + partials * begin / sample_rate
    bank = OscillatorBank(partials, phases, sample_rate, hop)
    hops = 2 + (end - first) // hop
    steady = np.broadcast_to(amplitudes[sounding], (hops, len(sounding)))
    return bank.process(steady)[hop : hop + end - first]
