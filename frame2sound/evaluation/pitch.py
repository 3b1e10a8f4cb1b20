"""Pitch detection by YIN, and the share of frames with the right pitch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

Samples = NDArray[np.floating]
Times = NDArray[np.float64]

MIN_PITCH_HZ, MAX_PITCH_HZ = 60.0, 2000.0
WINDOW_SECONDS = 0.06

_PERIODIC = 0.15  # the first dip below this is the period (de Cheveigné and Kawahara)
_UNPITCHED = 0.5  # without a dip below this there is no pitch
_SILENCE = 1e-7  # power, -70 dBFS
_BATCH_FRAMES = 128  # frames in memory at once
_SEMITONE = 1 / 12  # octaves


def pitch_accuracy(
    samples: Samples, sample_rate: int, reference_hz: Sequence[float | None], frame_times: Times
) -> float | None:
    """Return the share of pitched frames at which a sound is within a semitone of the true pitch.

    Parameters
    ----------
    samples : array of shape (samples,)
    sample_rate : int
        In Hz.
    reference_hz : sequence of N
        True pitch of each frame; None for frames without pitch.
    frame_times : array of shape (N + 1,)
        When each frame begins, in seconds, and when the last one ends.

    Returns
    -------
    float or None
        In [0, 1]; None if no frame has a pitch. Silence and noise score 0.

    Raises
    ------
    ValueError
        There is not one more time than there are pitches.
    """
    _, hits = pitch_hits(samples, sample_rate, reference_hz, frame_times)
    return float(np.mean(hits)) if len(hits) else None


def pitch_hits(
    samples: Samples, sample_rate: int, reference_hz: Sequence[float | None], frame_times: Times
) -> tuple[Times, NDArray[np.bool_]]:
    """Return the middles of the pitched frames in seconds, and whether the pitch is right there."""
    if len(frame_times) != len(reference_hz) + 1:
        raise ValueError(
            f"got {len(frame_times)} times for {len(reference_hz)} pitches, expected one more"
        )
    reference = np.array([math.nan if hz is None else hz for hz in reference_hz], np.float64)
    pitched = np.flatnonzero(np.isfinite(reference))
    times: Times = (frame_times[:-1][pitched] + frame_times[1:][pitched]) / 2
    octaves = np.abs(np.log2(detect_pitch_hz(samples, sample_rate, times) / reference[pitched]))
    return times, octaves <= _SEMITONE


def detect_pitch_hz(samples: Samples, sample_rate: int, times: Times) -> NDArray[np.float64]:
    """Return the pitch, from 60 to 2000 Hz, of the 60 ms around each time; NaN without pitch.

    YIN (de Cheveigné and Kawahara, "YIN, a fundamental frequency estimator for speech and music",
    2002): the first dip of the cumulative mean normalised difference that is deep enough, or else
    the deepest dip, refined by a parabola.
    """
    window, longest = (round(s * sample_rate) for s in (WINDOW_SECONDS, 1 / MIN_PITCH_HZ))
    starts = np.round(np.asarray(times) * sample_rate).astype(np.int64) - window // 2
    pitches = [np.zeros(0)]
    for first in range(0, len(starts), _BATCH_FRAMES):
        excerpts = np.zeros((min(_BATCH_FRAMES, len(starts) - first), window))
        for row, start in zip(excerpts, starts[first:].tolist(), strict=False):
            excerpt = samples[max(start, 0) : max(start + window, 0)]
            row[max(-start, 0) :][: len(excerpt)] = excerpt
        lags = _periods(_dissimilarity(excerpts, longest), sample_rate)
        lags[np.mean(excerpts**2, axis=1) < _SILENCE] = np.nan
        pitches.append(sample_rate / lags)
    return np.concatenate(pitches)


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


def _periods(relative: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Return the period of each row in samples; NaN without a period."""
    shortest = max(2, math.floor(sample_rate / MAX_PITCH_HZ))
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
