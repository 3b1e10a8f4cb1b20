"""Pitch detection by YIN."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from frame2sound.sound.stft import Stft

Samples = NDArray[np.floating]
Times = NDArray[np.float64]

MIN_PITCH_HZ, MAX_PITCH_HZ = 60.0, 2000.0
WINDOW_SECONDS = 0.06

_PERIODIC = 0.15  # the first dip below this is the period (de Cheveigné and Kawahara)
_UNPITCHED = 0.5  # without a dip below this there is no pitch
_SILENCE = 1e-7  # power without the constant part, -70 dBFS
_BATCH_FRAMES = 128  # frames in memory at once
_MIN_REFINED_HZ = 150.0
_PEAK_RANGE = np.log(10)  # 20 dB
_REFINED_OCTAVES = 2 / 12


def detect_pitch_hz(
    samples: Samples, sample_rate: int, times: Times, max_hz: float = MAX_PITCH_HZ
) -> NDArray[np.float64]:
    """Return the pitch, from 60 Hz, of the 60 ms around each time; NaN without pitch.

    YIN (de Cheveigné and Kawahara, "YIN, a fundamental frequency estimator for speech and music",
    2002): the first dip of the cumulative mean normalised difference that is deep enough, or else
    the deepest dip, refined by a parabola.

    Parameters
    ----------
    samples : array of shape (samples,)
        Silent beyond its ends.
    sample_rate : int
        In Hz.
    times : array of shape (n,)
        In seconds.
    max_hz : float
        Highest pitch; the higher, the oftener a harmonic is taken for the pitch.
    """
    window, longest = (round(s * sample_rate) for s in (WINDOW_SECONDS, 1 / MIN_PITCH_HZ))
    starts = np.round(np.asarray(times) * sample_rate).astype(np.int64) - window // 2
    pitches = [np.zeros(0)]
    for first in range(0, len(starts), _BATCH_FRAMES):
        excerpts = np.zeros((min(_BATCH_FRAMES, len(starts) - first), window))
        for row, start in zip(excerpts, starts[first:].tolist(), strict=False):
            excerpt = samples[max(start, 0) : max(start + window, 0)]
            row[max(-start, 0) :][: len(excerpt)] = excerpt
        lags = _periods(_dissimilarity(excerpts, longest), math.floor(sample_rate / max_hz))
        lags[np.var(excerpts, axis=1) < _SILENCE] = np.nan
        pitches.append(sample_rate / lags)
    return np.concatenate(pitches)


def refine_pitch_hz(
    samples: Samples, sample_rate: int, times: Times, hz: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return pitches, moved to the highest spectral peak within two semitones of each, if any.

    The partials of bells and bars are no multiples of the lowest, which shifts YIN's period; the
    lowest is what is heard as their pitch. Peaks are those of Hann windows of 60 ms, no more
    than 20 dB below the highest, by a parabola through the levels. Pitches below 150 Hz, where
    neighbouring harmonics overlap, stay as they are.

    Parameters
    ----------
    samples, sample_rate, times
        Those of `detect_pitch_hz`.
    hz : array of shape (n,)
        What it returned; NaN stays NaN.
    """
    refined = hz.copy()
    high = np.flatnonzero(hz >= _MIN_REFINED_HZ)
    centres = np.round(np.asarray(times)[high] * sample_rate).astype(np.int64)
    window = 2 * (round(WINDOW_SECONDS * sample_rate) // 2)
    stft = Stft(2 * window, window // 2, window_length=window)
    for first in range(0, len(high), _BATCH_FRAMES):
        batch = slice(first, first + _BATCH_FRAMES)
        levels = np.log(np.maximum(stft.magnitude(samples, centres[batch]), 1e-9))
        bins = hz[high[batch]] * stft.n_fft / sample_rate
        refined[high[batch]] = _nearest_peaks(levels, bins) * sample_rate / stft.n_fft
    return refined


def _nearest_peaks(levels: NDArray[np.floating], bins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the places of the highest strong peaks within two semitones of places, in bins."""
    numbers = np.arange(levels.shape[1])
    peaks = np.zeros(levels.shape, bool)
    peaks[:, 1:-1] = (levels[:, 1:-1] > levels[:, :-2]) & (levels[:, 1:-1] >= levels[:, 2:])
    peaks &= levels > levels.max(axis=1, keepdims=True) - _PEAK_RANGE
    reach = np.maximum(bins * (2**_REFINED_OCTAVES - 1), 1)
    peaks &= np.abs(numbers - bins[:, None]) <= reach[:, None]
    at = np.where(peaks, levels, -np.inf).argmax(axis=1)
    row, inner = np.arange(len(levels)), np.clip(at, 1, levels.shape[1] - 2)
    low, top, high = (levels[row, inner + shift] for shift in (-1, 0, 1))
    curve = np.minimum(low - 2 * top + high, -1e-12)
    found = inner + np.clip(0.5 * (low - high) / curve, -0.5, 0.5)
    return np.where(peaks.any(axis=1), found, bins)


def _dissimilarity(excerpts: NDArray[np.float64], longest: int) -> NDArray[np.float64]:
    """Return the cumulative mean normalised difference at lags 0 to ``longest + 1`` of each row."""
    rows, window = excerpts.shape
    size, lags = window - longest - 1, np.arange(longest + 2)
    n_fft = next_fast_len(window + size, real=True)
    head = rfft(excerpts[:, :size], n_fft)
    correlation = irfft(np.conj(head) * rfft(excerpts, n_fft), n_fft)[:, : longest + 2]
    energy = np.cumsum(np.concatenate([np.zeros((rows, 1)), excerpts**2], axis=1), axis=1)
    difference = energy[:, size, None] + energy[:, lags + size] - energy[:, lags] - 2 * correlation
    difference = np.maximum(difference, 0.0)
    difference[:, 0] = 0.0
    sums = np.cumsum(difference, axis=1)
    relative: NDArray[np.float64] = np.ones_like(difference)
    np.divide(difference * lags, sums, out=relative, where=sums > 0)
    return relative


def _periods(relative: NDArray[np.float64], least: int) -> NDArray[np.float64]:
    """Return the period of each row in samples; NaN without a period."""
    shortest = max(2, least)
    left, middle, right = (
        relative[:, shortest + shift : relative.shape[1] - 1 + shift] for shift in (-1, 0, 1)
    )
    dips = (middle <= left) & (middle < right)
    deep = dips & (middle < _PERIODIC)
    deepest = np.where(dips, middle, np.inf).argmin(axis=1)
    chosen = np.where(deep.any(axis=1), deep.argmax(axis=1), deepest)
    row = np.arange(len(relative))
    low, dip, high = left[row, chosen], middle[row, chosen], right[row, chosen]
    curve = np.maximum(low - 2 * dip + high, 1e-12)
    period: NDArray[np.float64] = shortest + chosen + np.clip(0.5 * (low - high) / curve, -0.5, 0.5)
    period[~dips.any(axis=1) | (dip > _UNPITCHED)] = np.nan
    return period
