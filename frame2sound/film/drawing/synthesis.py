"""Synthesis: sounds as pure functions of absolute sample positions.

Whatever is asked for in pieces is the same as when it is asked for at once: noise is a function
of the sample's number, tones of their phase, and nothing remembers what was asked before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_NOISE_BLOCK = 8192
_TABLE_SAMPLES = 4096


def white_noise(seed: int, start: int, stop: int) -> FloatArray:
    """Return white noise for the samples ``[start, stop)``, uniform in [-1, 1).

    Parameters
    ----------
    seed : int
        Which noise, from 0.
    start, stop : int
        Absolute sample numbers, from 0.

    Examples
    --------
    >>> whole = white_noise(7, 0, 20_000)
    >>> bool((white_noise(7, 8_000, 9_000) == whole[8_000:9_000]).all())
    True
    """
    first, last = start // _NOISE_BLOCK, -(-stop // _NOISE_BLOCK)
    if stop <= start:
        return np.zeros(0)
    blocks = [
        np.random.default_rng((seed, block)).uniform(-1, 1, _NOISE_BLOCK)
        for block in range(first, last)
    ]
    return np.concatenate(blocks)[start - first * _NOISE_BLOCK : stop - first * _NOISE_BLOCK]


def band_noise(
    seed: int, low_hz: float, high_hz: float, length: int, sample_rate: int
) -> FloatArray:
    """Return a loop of noise with a flat band between two frequencies, and RMS 1.

    The loop joins itself without a seam, so sample ``n`` of an endless noise is
    ``loop[n % length]``. Above the Nyquist frequency there is nothing: a band there is silent.
    """
    frequency = np.fft.rfftfreq(length, 1 / sample_rate)
    band = (frequency >= low_hz) & (frequency < high_hz) & (frequency < sample_rate / 2)
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(frequency))
    loop = np.fft.irfft(np.where(band, np.exp(1j * phase), 0), length)
    loudness = np.sqrt(np.mean(loop**2))
    return loop / loudness if loudness > 0 else loop


def wavetable(harmonics: Sequence[float]) -> FloatArray:
    """Return one period of a tone, from the amplitudes of harmonics 1, 2, 3..., with peak 1.

    Shape ``(4097,)``: the first value stands again at the end, for `play`.
    """
    turn = np.arange(_TABLE_SAMPLES + 1) / _TABLE_SAMPLES
    amplitudes = enumerate(harmonics, start=1)
    table = sum((gain * np.sin(2 * np.pi * n * turn) for n, gain in amplitudes), 0 * turn)
    peak = np.abs(table).max()
    return table / peak if peak > 0 else table


def read_wavetable(table: FloatArray, cycles: NDArray[np.floating]) -> FloatArray:
    """Read a wavetable at phases in turns (1 is a whole period), interpolating linearly."""
    position = (cycles - np.floor(cycles)) * _TABLE_SAMPLES
    whole = np.minimum(position.astype(np.int64), _TABLE_SAMPLES - 1)
    below: FloatArray = table[whole]
    between: FloatArray = below + (position - whole) * (table[whole + 1] - below)
    return between


def smooth_step(time_seconds: NDArray[np.floating] | float, duration_seconds: float) -> FloatArray:
    """Return a soft step: 0 before time 0, 1 after ``duration``, half a cosine in between.

    >>> smooth_step(np.array([-1.0, 0.5, 2.0]), 1.0).round(6).tolist()
    [0.0, 0.5, 1.0]
    """
    across: FloatArray = np.clip(
        np.asarray(time_seconds, dtype=np.float64) / duration_seconds, 0, 1
    )
    return 0.5 - 0.5 * np.cos(np.pi * across)


def modal_tone(
    modes: Sequence[tuple[float, float, float]], seconds: float, sample_rate: int
) -> FloatArray:
    """Return the sound of a struck body: decaying sines that end in exact silence.

    Parameters
    ----------
    modes : sequence of (hz, gain, decay_seconds)
        A mode falls to 1/e (-8.7 dB) in its decay time. Modes above 0.45 of the sample rate
        are left out.
    seconds : float
        Length; the last third is faded to nothing.
    sample_rate : int
        Samples a second.
    """
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    sound = np.zeros(len(time))
    for hz, gain, decay in modes:
        if hz < 0.45 * sample_rate:
            sound += gain * np.exp(-time / decay) * np.sin(2 * np.pi * hz * time)
    return sound * (1 - smooth_step(time - seconds * 2 / 3, seconds / 3))


def soft_clip(samples: FloatArray, ceiling: float) -> FloatArray:
    """Keep samples below a ceiling: untouched up to half of it, bent smoothly above.

    >>> soft_clip(np.array([0.2, -5.0]), 0.7).round(3).tolist()
    [0.2, -0.7]
    """
    knee = ceiling / 2
    size = np.abs(samples)
    if not (size > knee).any():
        return samples
    bent = knee + (ceiling - knee) * np.tanh((size - knee) / (ceiling - knee))
    return np.where(size > knee, np.sign(samples) * bent, samples)
