"""Waves of tones as harmonics: only those below half the sample rate, so that nothing aliases."""

from __future__ import annotations

import math
from collections.abc import Sequence

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


def sound_chord(tones_hz: Sequence[float], wave: str, samples: int, sample_rate: int) -> Samples:
    """Return tones that sound together, each as loud as one alone, faded in and out.

    Parameters
    ----------
    tones_hz : sequence of float
        All below half the sample rate.
    wave : {"sine", "triangle", "square", "saw"}
    samples, sample_rate : int

    Returns
    -------
    float32 array (samples,)
    """
    sound = np.zeros(samples, np.float32)
    for hz in tones_hz:
        sound += _steady_tone(hz, wave, samples, sample_rate)
    fade = hann_fade_in(min(round(FADE_SECONDS * sample_rate), samples // 2))
    if len(fade):
        sound[: len(fade)] *= fade
        sound[-len(fade) :] *= fade[::-1]
    return sound


def _steady_tone(hz: float, wave: str, samples: int, sample_rate: int) -> Samples:
    highest = 1 if wave == "sine" else math.ceil(sample_rate / 2 / hz) - 1
    amplitudes = harmonics(wave, max(highest, 1))
    sounding = np.flatnonzero(amplitudes)
    hop = max(round(_HOP_SECONDS * sample_rate), 1)
    partials = np.asarray(hz * (sounding + 1), np.float64)
    phases = SINE_PHASE - partials * hop / sample_rate  # it fades in over a hop, which is left out
    bank = OscillatorBank(partials, phases, sample_rate, hop)
    steady = np.broadcast_to(amplitudes[sounding], (2 + samples // hop, len(sounding)))
    return bank.process(steady)[hop : hop + samples]
