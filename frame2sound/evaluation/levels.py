"""Levels of a soundtrack: loudness, true peak, RMS, clipping, and the level in black frames.

Pure functions on arrays, read block by block; full scale is 1.0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import sample_at
from frame2sound.sound.loudness import LoudnessMeter
from frame2sound.sound.true_peak import TruePeakMeter

Samples = NDArray[np.floating]
Times = NDArray[np.float64]

MAX_BLACK_VALUE = 8
"""Largest value of a pixel of a black frame, of 255."""

BLACK_WAIT_SECONDS = 0.2
"""How long the screen must have been black before its level counts."""

INAUDIBLE_DB = -60.0
"""Levels below this count as this, in dB relative to an RMS of 1."""

FULL_SCALE = 1 - 2**-15
"""Largest sample of 16 bits: 32767 / 32768."""

_BLOCK = 1 << 20  # samples


@dataclass(frozen=True)
class Levels:
    """Integrated loudness in LUFS, true peak in dBTP, and number of clipped samples.

    Loudness and peak of silence are minus infinity.
    """

    loudness_lufs: float
    true_peak_dbtp: float
    clipped: int

    @classmethod
    def from_samples(cls, samples: Samples, sample_rate: int) -> Levels:
        """Measure a sound of shape (n,) or (n, channels), with one or two channels."""
        meter = LevelMeter(sample_rate, 1 if samples.ndim == 1 else samples.shape[1])
        for first in range(0, len(samples), _BLOCK):
            meter.update(samples[first : first + _BLOCK])
        return meter.result()


class LevelMeter:
    """Measures the `Levels` of a sound that arrives in chunks.

    Parameters
    ----------
    sample_rate : int
        In Hz, at least 4000.
    channels : int
        One or two.
    """

    def __init__(self, sample_rate: int, channels: int = 1) -> None:
        self._loudness = LoudnessMeter(sample_rate, channels)
        self._peak = TruePeakMeter(channels)
        self._clipped = 0

    def update(self, samples: Samples) -> None:
        """Add a chunk of shape (n,) or (n, channels).

        Raises
        ------
        ValueError
            The chunk has another number of channels, or values that are not finite.
        """
        chunk = np.asarray(samples, np.float32)
        self._loudness.update(chunk)
        self._peak.update(chunk)
        self._clipped += count_clipped(chunk)

    def result(self) -> Levels:
        """Return the levels of all chunks; no more chunks may follow."""
        self._peak.finish()
        peak = self._peak.true_peak
        return Levels(
            self._loudness.integrated_lufs,
            20 * math.log10(peak) if peak else -math.inf,
            self._clipped,
        )


def true_peak_db(samples: Samples) -> float:
    """Return the true peak in dBTP, by 4x oversampling as in ITU-R BS.1770-4 Annex 2.

    Silence has minus infinity.
    """
    from scipy.signal import resample_poly

    margin = 64  # samples, more than the length of the interpolation filter
    peak = 0.0
    for first in range(0, len(samples), _BLOCK):
        start = max(first - margin, 0)
        block = np.asarray(samples[start : first + _BLOCK + margin], dtype=np.float64)
        finer = resample_poly(block, 4, 1)[4 * (first - start) :][: 4 * _BLOCK]
        peak = max(peak, float(np.abs(finer).max()))
    return _db(peak**2)


def rms_db(samples: Samples) -> float:
    """Return the RMS in dBFS: a constant 1.0 has 0 dB, silence minus infinity."""
    energy = float(slice_energies(samples, np.array([0, len(samples)]))[0])
    return _db(energy / max(len(samples), 1))


def count_clipped(samples: Samples) -> int:
    """Return the number of samples at or beyond full scale of 16 bits."""
    return int(np.count_nonzero(samples >= FULL_SCALE) + np.count_nonzero(samples <= -FULL_SCALE))


def black_level_db(
    samples: Samples,
    sample_rate: int,
    frame_times: Times,
    frames: NDArray[np.uint8],
    wait_seconds: float = BLACK_WAIT_SECONDS,
    max_black_value: int = MAX_BLACK_VALUE,
) -> float | None:
    """Return the RMS in dBFS during frames that have been black for ``wait_seconds``.

    Parameters
    ----------
    frame_times : array of shape (N + 1,)
        When each frame appears, in seconds, and when the last one ends.
    frames : array of shape (N, 64, 64)
        A frame is black if no pixel is above ``max_black_value``.

    Returns
    -------
    float or None
        Minus infinity for digital silence; None if no frame has been black for so long.
    """
    is_black = np.fromiter(
        (frame.max() <= max_black_value for frame in frames), dtype=bool, count=len(frames)
    )
    return masked_black_level_db(samples, sample_rate, frame_times, is_black, wait_seconds)


def masked_black_level_db(
    samples: Samples,
    sample_rate: int,
    frame_times: Times,
    is_black: NDArray[np.bool_],
    wait_seconds: float = BLACK_WAIT_SECONDS,
) -> float | None:
    """Return `black_level_db`, given which frames are black as an array of shape (N,)."""
    black_since = np.where(
        is_black & ~np.concatenate([[False], is_black[:-1]]), frame_times[:-1], -np.inf
    )
    waited = frame_times[:-1] - np.maximum.accumulate(black_since) >= wait_seconds - 1e-9
    starts = np.array([sample_at(Fraction(float(t)), sample_rate) for t in frame_times])
    counted = is_black & waited & (np.diff(starts) > 0)
    if not counted.any():
        return None
    return _db(
        float(slice_energies(samples, starts)[counted].sum() / np.diff(starts)[counted].sum())
    )


def level_error_db(
    samples: Samples, reference_db: Sequence[float], bounds: NDArray[np.int64]
) -> float | None:
    """Return the mean absolute error of RMS levels, in dB.

    Parameters
    ----------
    reference_db : sequence of N
        True level of each slice, in dB relative to an RMS of 1. Levels below -60 dB, here or in the
        sound, count as -60 dB.
    bounds : array of shape (N + 1,)
        First sample of each slice, and the end of the last.

    Returns
    -------
    float or None
        At least 0; None if there are no slices.
    """
    if not reference_db:
        return None
    power = slice_energies(samples, bounds) / np.maximum(np.diff(bounds), 1)
    measured_db = 10 * np.log10(np.maximum(power, 10 ** (INAUDIBLE_DB / 10)))
    return float(np.mean(np.abs(measured_db - np.maximum(reference_db, INAUDIBLE_DB))))


def slice_energies(samples: Samples, bounds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the sum of squares between successive bounds; past the end there is silence."""
    return np.array(
        [
            np.einsum("i,i->", samples[a:b], samples[a:b], dtype=np.float64)
            for a, b in pairwise(bounds.tolist())
        ]
    )


def _db(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else -math.inf
