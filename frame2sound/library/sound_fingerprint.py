"""Fingerprints of a film's sound, to find copies and excerpts that were encoded differently.

The signs of differences between neighbouring bands and successive times survive encoding (Haitsma
and Kalker, "A highly robust audio fingerprinting system", ISMIR 2002).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

FRAMES_PER_SECOND = 20
WINDOW_SECONDS = 0.37
DIFFERENCE_FRAMES = 4
"""Frames of the fingerprint between the times that are compared."""

BAND_COUNT, LOWEST_HZ, HIGHEST_HZ = 13, 150.0, 4000.0
"""Bands, evenly spaced in the logarithm of frequency, below half the sample rate."""

MIN_DIFFERENCE_DB = 1.5
"""Smaller differences count as none, since encoders change levels as much."""

FLOOR_DB = -50.0
"""Levels lower than this below the loudest band of the sound count as this."""

MIN_SHARED_SECONDS, MIN_SHARED_SHARE = 3.0, 0.5
"""Least part of the shorter sound that must be found in the other."""

MIN_MARKS = 200
"""Shared parts with fewer marks are almost steady or silent, and are not compared."""

MIN_AGREEMENT = 0.5
"""Sounds are copies if they agree at least so well, where 0 is chance and 1 is equal.

Demo films agree to 0.91 or more with copies in AAC at 64 kbit/s, to 0.74 or more with excerpts of
those, and to 0.31 or less with those of other seeds.
"""

CONSTANT_LEVEL_DB = 0.5
"""Levels with a smaller standard deviation are constant."""

BATCH_WINDOWS = 32
"""Windows in memory at once."""

Marks = NDArray[np.float32]
Levels = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SoundFingerprint:
    """The fingerprint of a sound, at 20 frames per second.

    Attributes
    ----------
    marks : float32 array (frames, 12)
        1 where the difference between a band and the one below it grows, -1 where it shrinks, and 0
        where it stays.
    levels : float32 array (frames,)
        Level in dB, relative to the loudest band of the sound.
    """

    marks: Marks
    levels: Levels

    def __len__(self) -> int:
        return len(self.levels)


def compute_sound_fingerprint(samples: NDArray[np.floating], sample_rate: int) -> SoundFingerprint:
    """Return the fingerprint of a sound of shape (samples,); ``sample_rate`` is in Hz."""
    length, hop = round(WINDOW_SECONDS * sample_rate), sample_rate / FRAMES_PER_SECOND
    count = max(0, int((len(samples) - length) // hop) + 1)
    starts = np.round(np.arange(count) * hop).astype(np.int64)
    power = _band_power(samples, starts, length, sample_rate)
    loudest = power.max(initial=0.0)
    if loudest == 0:
        return SoundFingerprint(
            np.zeros((count, BAND_COUNT - 1), np.float32), np.zeros(count, np.float32)
        )
    levels = 10 * np.log10(np.maximum(power / loudest, 10 ** (FLOOR_DB / 10)))
    across = np.diff(levels, axis=1)
    later = across[DIFFERENCE_FRAMES:] - across[:-DIFFERENCE_FRAMES]
    marks = np.sign(later) * (np.abs(later) > MIN_DIFFERENCE_DB)
    return SoundFingerprint(
        marks.astype(np.float32),
        levels.mean(axis=1)[DIFFERENCE_FRAMES:].astype(np.float32),
    )


def _band_power(
    samples: NDArray[np.floating], starts: NDArray[np.int64], length: int, sample_rate: int
) -> NDArray[np.float64]:
    """Return the power of each band in Hann windows, ``(len(starts), 13)``."""
    size = scipy.fft.next_fast_len(length, real=True)
    hz = np.fft.rfftfreq(size, 1 / sample_rate)
    edges = np.geomspace(LOWEST_HZ, min(HIGHEST_HZ, 0.45 * sample_rate), BAND_COUNT + 1)
    first_bins = np.searchsorted(hz, edges)
    window = np.hanning(length).astype(np.float32)
    power = np.empty((len(starts), BAND_COUNT))
    for first in range(0, len(starts), BATCH_WINDOWS):
        batch = starts[first : first + BATCH_WINDOWS]
        windows = np.stack([samples[start : start + length] for start in batch])
        spectra = np.abs(scipy.fft.rfft(windows * window, size)[:, : first_bins[-1]]) ** 2
        power[first : first + len(batch)] = np.add.reduceat(
            spectra, first_bins[:-1], axis=1, dtype=np.float64
        )
    return power


def sound_agreement(first: SoundFingerprint, second: SoundFingerprint) -> float:
    """Return how well two sounds agree at the best shift, -1 to 1; 0 if too little is known.

    It is the smaller of the agreement of their marks and the correlation of their levels. The
    former is the number of equal marks minus that of opposite ones, over the number of places where
    either sound has a mark. Shifts count where both sounds overlap for 3 s and for half of the
    shorter one, so that an excerpt is found in its source.
    """
    shortest = min(len(first), len(second))
    least = max(MIN_SHARED_SHARE * shortest, MIN_SHARED_SECONDS * FRAMES_PER_SECOND)
    if least > shortest:
        return 0.0
    size = 1 << (len(first) + len(second) - 1).bit_length()
    agreement = _correlate(first.marks, second.marks, size)
    both = _correlate(np.abs(first.marks), np.abs(second.marks), size)
    shifts = np.arange(size)
    shifts = np.where(shifts < len(first), shifts, shifts - size)
    starts, ends = np.maximum(shifts, 0), np.minimum(shifts + len(second), len(first))
    in_first = _count_marks(first.marks, starts, ends)
    in_second = _count_marks(second.marks, starts - shifts, ends - shifts)
    either = in_first + in_second - both
    valid = (ends - starts >= least) & (either >= MIN_MARKS)
    if not valid.any():
        return 0.0
    shares = np.where(valid, agreement / np.maximum(either, 1), -np.inf)
    best = int(shares.argmax())
    ours = first.levels[starts[best] : ends[best]]
    theirs = second.levels[starts[best] - shifts[best] : ends[best] - shifts[best]]
    return min(float(shares[best]), _level_correlation(ours, theirs))


def _level_correlation(first: Levels, second: Levels) -> float:
    deviations = first.std(), second.std()
    if min(deviations) < CONSTANT_LEVEL_DB:
        return float(max(deviations) < 2 * CONSTANT_LEVEL_DB)
    return float(np.corrcoef(first, second)[0, 1])


def _correlate(first: Marks, second: Marks, size: int) -> NDArray[np.float64]:
    """Return for each shift the sum of products of first at shift + t and second at t."""
    spectra = np.fft.rfft(first, size, axis=0) * np.conj(np.fft.rfft(second, size, axis=0))
    return np.asarray(np.fft.irfft(spectra.sum(1), size), np.float64)


def _count_marks(
    marks: Marks, starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the number of marks in ranges of frames."""
    totals = np.concatenate([[0.0], np.abs(marks).sum(1, dtype=np.float64).cumsum()])
    clipped = np.clip(np.stack([starts, np.maximum(ends, starts)]), 0, len(marks))
    return np.asarray(totals[clipped[1]] - totals[clipped[0]], np.float64)
