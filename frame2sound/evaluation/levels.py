"""How loud a soundtrack is: peaks, root mean squares, loudness, and the level of black.

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
"""The brightest that a pixel of a black frame may be, of 255."""

BLACK_WAIT_SECONDS = 0.2
INAUDIBLE_DB = -60.0
FULL_SCALE = 1 - 2**-15
"""The highest sample that 16 bits hold: 32767 / 32768."""

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Levels:
    """Integrated loudness in LUFS, true peak in dBTP, and how many samples are clipped.

    Minus infinity stands for silence.
    """

    loudness_lufs: float
    true_peak_dbtp: float
    clipped: int

    @classmethod
    def from_samples(cls, samples: Samples, sample_rate: int) -> Levels:
        """Measure a sound of shape (n,) or (n, channels), one or two."""
        meter = LevelMeter(sample_rate, 1 if samples.ndim == 1 else samples.shape[1])
        for first in range(0, len(samples), _BLOCK):
            meter.update(samples[first : first + _BLOCK])
        return meter.result()


class LevelMeter:
    """Measures `Levels` of sound that comes in pieces.

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
        """Hear a piece, ``(n,)`` or ``(n, channels)``.

        Raises
        ------
        ValueError
            The piece has another number of channels, or numbers that are not finite.
        """
        piece = np.asarray(samples, np.float32)
        self._loudness.update(piece)
        self._peak.update(piece)
        self._clipped += count_clipped(piece)

    def result(self) -> Levels:
        """Return what was measured; silence follows."""
        self._peak.finish()
        peak = self._peak.true_peak
        return Levels(
            self._loudness.integrated_lufs,
            20 * math.log10(peak) if peak else -math.inf,
            self._clipped,
        )


def true_peak_db(samples: Samples) -> float:
    """Return the true peak in dBTP, by 4x oversampling as in ITU-R BS.1770-4 Annex 2.

    -inf for silence.
    """
    from scipy.signal import resample_poly

    margin = 64  # samples: more than the interpolating filter reaches
    peak = 0.0
    for first in range(0, len(samples), _BLOCK):
        start = max(first - margin, 0)
        block = np.asarray(samples[start : first + _BLOCK + margin], dtype=np.float64)
        finer = resample_poly(block, 4, 1)[4 * (first - start) :][: 4 * _BLOCK]
        peak = max(peak, float(np.abs(finer).max()))
    return _db(peak**2)


def rms_db(samples: Samples) -> float:
    """Return the root mean square in dBFS, where a constant 1.0 has 0 dB; -inf for silence."""
    energy = float(slice_energies(samples, np.array([0, len(samples)]))[0])
    return _db(energy / max(len(samples), 1))


def count_clipped(samples: Samples) -> int:
    """Return how many samples stand at or beyond full scale, as 16 bits hold it."""
    return int(np.count_nonzero(samples >= FULL_SCALE) + np.count_nonzero(samples <= -FULL_SCALE))


def black_level_db(
    samples: Samples,
    sample_rate: int,
    frame_times: Times,
    frames: NDArray[np.uint8],
    wait_seconds: float = BLACK_WAIT_SECONDS,
    max_black_value: int = MAX_BLACK_VALUE,
) -> float | None:
    """Return the RMS in dBFS over the frames that have been black for ``wait_seconds``.

    Parameters
    ----------
    times : array of shape (N + 1,)
        When each frame appears, in seconds, and when the last one ends.
    frames : array of shape (N, 64, 64)
        A frame is black when none of its pixels is above ``black``, of 255.

    Returns
    -------
    float or None
        -inf when all is digital silence; None when no frame has been black for so long.
    """
    dark = np.fromiter(
        (frame.max() <= max_black_value for frame in frames), dtype=bool, count=len(frames)
    )
    return masked_black_level_db(samples, sample_rate, frame_times, dark, wait_seconds)


def masked_black_level_db(
    samples: Samples,
    sample_rate: int,
    frame_times: Times,
    is_black: NDArray[np.bool_],
    wait_seconds: float = BLACK_WAIT_SECONDS,
) -> float | None:
    """Return `black_level_db` of frames of which it is known whether they are black, (N,)."""
    since = np.where(
        is_black & ~np.concatenate([[False], is_black[:-1]]), frame_times[:-1], -np.inf
    )
    waited = frame_times[:-1] - np.maximum.accumulate(since) >= wait_seconds - 1e-9
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
    """Return the mean absolute difference of RMS levels from the true ones, in dB.

    Parameters
    ----------
    level_db : sequence of N
        What each slice should be, in dB relative to an RMS of 1. What is below -60 dB, here or in
        the sound, counts as -60: it is not heard.
    bounds : array of shape (N + 1,)
        The first sample of each slice, and the end of the last.

    Returns
    -------
    float or None
        At least 0; None without slices.
    """
    if not reference_db:
        return None
    power = slice_energies(samples, bounds) / np.maximum(np.diff(bounds), 1)
    heard = 10 * np.log10(np.maximum(power, 10 ** (INAUDIBLE_DB / 10)))
    return float(np.mean(np.abs(heard - np.maximum(reference_db, INAUDIBLE_DB))))


def slice_energies(samples: Samples, bounds: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum the squares between each pair of bounds; there is silence past the end of the sound."""
    return np.array(
        [
            np.einsum("i,i->", samples[a:b], samples[a:b], dtype=np.float64)
            for a, b in pairwise(bounds.tolist())
        ]
    )


def _db(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else -math.inf
