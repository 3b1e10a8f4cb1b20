"""The pitch of a sound at each frame, found without knowing what it should be."""

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

_PERIODIC = 0.15  # de Cheveigné and Kawahara accept the first dip below this ...
_UNPITCHED = 0.5  # ... and what never dips below this has no pitch
_SILENCE = 1e-7  # power: -70 dBFS
_BATCH_FRAMES = 128  # frames in memory at once
_SEMITONE = 1 / 12  # octaves


def pitch_accuracy(
    samples: Samples, sample_rate: int, reference_hz: Sequence[float | None], frame_times: Times
) -> float | None:
    """Return the share of pitched frames at which a sound is within a semitone of their pitch.

    Parameters
    ----------
    sound : array of shape (samples,)
    sample_rate : int
        In Hz.
    pitch_hz : sequence of N
        The true pitch of each frame; None where it has none.
    times : array of shape (N + 1,)
        When each frame begins, in seconds, and when the last one ends.

    Returns
    -------
    float or None
        In [0, 1]; None when no frame has a pitch. Silence and noise have none, and score 0.

    Raises
    ------
    ValueError
        There are not so many times as pitches, and one.
    """
    _, right = pitch_hits(samples, sample_rate, reference_hz, frame_times)
    return float(np.mean(right)) if len(right) else None


def pitch_hits(
    samples: Samples, sample_rate: int, reference_hz: Sequence[float | None], frame_times: Times
) -> tuple[Times, NDArray[np.bool_]]:
    """Return the middles of the pitched frames in seconds, and at which the sound is right."""
    if len(frame_times) != len(reference_hz) + 1:
        raise ValueError(
            f"got {len(frame_times)} times for {len(reference_hz)} pitches, expected one more"
        )
    wanted = np.array([math.nan if hz is None else hz for hz in reference_hz], np.float64)
    pitched = np.flatnonzero(np.isfinite(wanted))
    at: Times = (frame_times[:-1][pitched] + frame_times[1:][pitched]) / 2
    octaves = np.abs(np.log2(detect_pitch_hz(samples, sample_rate, at) / wanted[pitched]))
    return at, octaves <= _SEMITONE


def detect_pitch_hz(samples: Samples, sample_rate: int, times: Times) -> NDArray[np.float64]:
    """Return the pitch, from 60 to 2000 Hz, of the 60 ms around each time; NaN where none is.

    YIN (de Cheveigné and Kawahara, "YIN, a fundamental frequency estimator for speech and music",
    2002): the first deep enough dip of the cumulative mean normalised difference, or else the
    deepest, placed between samples by a parabola.
    """
    span, longest = (round(s * sample_rate) for s in (WINDOW_SECONDS, 1 / MIN_PITCH_HZ))
    starts = np.round(np.asarray(times) * sample_rate).astype(np.int64) - span // 2
    found = [np.zeros(0)]
    for first in range(0, len(starts), _BATCH_FRAMES):
        excerpts = np.zeros((min(_BATCH_FRAMES, len(starts) - first), span))
        for row, start in zip(excerpts, starts[first:].tolist(), strict=False):
            heard = samples[max(start, 0) : max(start + span, 0)]
            row[max(-start, 0) :][: len(heard)] = heard
        lags = _periods(_dissimilarity(excerpts, longest), sample_rate)
        lags[np.mean(excerpts**2, axis=1) < _SILENCE] = np.nan
        found.append(sample_rate / lags)
    return np.concatenate(found)


def _dissimilarity(excerpts: NDArray[np.float64], longest: int) -> NDArray[np.float64]:
    """Return the cumulative mean normalised difference at lags 0 to ``longest + 1``, row by row."""
    rows, span = excerpts.shape
    size, lags = span - longest - 1, np.arange(longest + 2)
    n_fft = next_fast_len(span + size, real=True)
    head = rfft(excerpts[:, :size], n_fft)
    both = irfft(np.conj(head) * rfft(excerpts, n_fft), n_fft)[:, : longest + 2]
    energy = np.cumsum(np.concatenate([np.zeros((rows, 1)), excerpts**2], axis=1), axis=1)
    difference = energy[:, size, None] + energy[:, lags + size] - energy[:, lags] - 2 * both
    difference = np.maximum(difference, 0.0)
    difference[:, 0] = 0.0
    sums = np.cumsum(difference, axis=1)
    relative: NDArray[np.float64] = np.ones_like(difference)
    np.divide(difference * lags, sums, out=relative, where=sums > 0)
    return relative


def _periods(relative: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """Return the period of each row in samples; NaN where there is none."""
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
