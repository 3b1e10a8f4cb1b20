"""Synthesise sounds as pure functions of absolute sample positions.

Samples are the same whether computed in pieces or at once: noise is a function of the sample's
number, tones are functions of their phase, and there is no state.
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
        Random seed, from 0.
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
    """Return periodic noise with a flat spectrum between two frequencies, and an RMS of 1.

    Sample ``n`` of endless noise is ``loop[n % length]``, without a discontinuity. A band above
    the Nyquist frequency is silent.
    """
    frequency = np.fft.rfftfreq(length, 1 / sample_rate)
    band = (frequency >= low_hz) & (frequency < high_hz) & (frequency < sample_rate / 2)
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, len(frequency))
    loop = np.fft.irfft(np.where(band, np.exp(1j * phase), 0), length)
    loudness = np.sqrt(np.mean(loop**2))
    return loop / loudness if loudness > 0 else loop


def wavetable(harmonics: Sequence[float]) -> FloatArray:
    """Return one period of a tone with a peak of 1, from the amplitudes of harmonics 1, 2, 3...

    Shape ``(4097,)``: the first value is repeated at the end, for `read_wavetable`.
    """
    turn = np.arange(_TABLE_SAMPLES + 1) / _TABLE_SAMPLES
    amplitudes = enumerate(harmonics, start=1)
    table = sum((gain * np.sin(2 * np.pi * n * turn) for n, gain in amplitudes), 0 * turn)
    peak = np.abs(table).max()
    return table / peak if peak > 0 else table


def read_wavetable(table: FloatArray, cycles: NDArray[np.floating]) -> FloatArray:
    """Return values of a wavetable at phases in cycles, linearly interpolated."""
    position = (cycles - np.floor(cycles)) * _TABLE_SAMPLES
    whole = np.minimum(position.astype(np.int64), _TABLE_SAMPLES - 1)
    below: FloatArray = table[whole]
    between: FloatArray = below + (position - whole) * (table[whole + 1] - below)
    return between


def smooth_step(time_seconds: NDArray[np.floating] | float, duration_seconds: float) -> FloatArray:
    """Return a smooth step: 0 before time 0, 1 after the duration, half a cosine in between.

    >>> smooth_step(np.array([-1.0, 0.5, 2.0]), 1.0).round(6).tolist()
    [0.0, 0.5, 1.0]
    """
    progress: FloatArray = np.clip(
        np.asarray(time_seconds, dtype=np.float64) / duration_seconds, 0, 1
    )
    return 0.5 - 0.5 * np.cos(np.pi * progress)


def modal_tone(
    modes: Sequence[tuple[float, float, float]], seconds: float, sample_rate: int
) -> FloatArray:
    """Return the sound of a struck body: decaying sines that end in silence.

    Parameters
    ----------
    modes : sequence of (hz, gain, decay_seconds)
        A mode falls to 1/e (-8.7 dB) in its decay time. Modes above 0.45 of the sample rate
        are left out.
    seconds : float
        Duration; the last third is faded out.
    sample_rate : int
        In Hz.
    """
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    sound = np.zeros(len(time))
    for hz, gain, decay in modes:
        if hz < 0.45 * sample_rate:
            sound += gain * np.exp(-time / decay) * np.sin(2 * np.pi * hz * time)
    return sound * (1 - smooth_step(time - seconds * 2 / 3, seconds / 3))


def soft_clip(samples: FloatArray, ceiling: float) -> FloatArray:
    """Return samples below a ceiling: unchanged up to half of it, smoothly compressed above.

    >>> soft_clip(np.array([0.2, -5.0]), 0.7).round(3).tolist()
    [0.2, -0.7]
    """
    knee = ceiling / 2
    size = np.abs(samples)
    if not (size > knee).any():
        return samples
    compressed = knee + (ceiling - knee) * np.tanh((size - knee) / (ceiling - knee))
    return np.where(size > knee, np.sign(samples) * compressed, samples)
