"""A look-ahead true-peak limiter that does not change quiet sound."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.sliding import sliding_max
from frame2sound.sound.true_peak import TAPS_PER_SIDE, true_peak_bound, true_peaks

CEILING_DB = -1.0
"""Highest true peak of any soundtrack, in dBTP (EBU R 128)."""

HEADROOM_DB = 0.35
"""Margin below the ceiling: a moving gain raises the peaks of white noise by up to 0.2 dB."""


AUDIBLE_AMPLITUDE = np.float32(10 ** (-60 / 20))
"""Quieter samples do not count in `Limiter.limited_share`."""

LIMITED_DB = 12.0
"""Samples whose gain is reduced by more count in `Limiter.limited_share`."""

_LIMITED_GAIN = np.float32(10 ** (-LIMITED_DB / 20))


class Limiter:
    """Reduces the gain smoothly around peaks, so that none exceeds the ceiling.

    The gain at each sample is the mean, weighted by a Hann window, of the lowest gain that any
    sample within the look-ahead requires. So no peak exceeds the ceiling, and the gain is exactly
    one at samples farther than the window from any peak. Chunks of any size give the same output.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    ceiling_db : float
        Highest true peak in dBTP.
    look_ahead_seconds : float
        Time before a peak at which the gain begins to fall.
    deciding : int, optional
        The gain is that of the first of the channels, so many; by default of all.

    Attributes
    ----------
    min_gain : float
        The lowest gain so far, at most 1.
    """

    def __init__(
        self,
        sample_rate: int,
        ceiling_db: float = CEILING_DB,
        look_ahead_seconds: float = 0.005,
        deciding: int | None = None,
    ) -> None:
        self.deciding = deciding
        self.ceiling = np.float32(10 ** ((ceiling_db - HEADROOM_DB) / 20))
        self.look_ahead = max(1, round(look_ahead_seconds * sample_rate))
        self.latency = 2 * self.look_ahead + 2 * TAPS_PER_SIDE
        window = np.hanning(2 * self.look_ahead + 3)[1:-1].astype(np.float32)
        self._smooth = window / window.sum()
        self._past: NDArray[np.float32] | None = None
        self._skip = 0
        self.min_gain = 1.0
        self._audible_count = self._limited_count = 0

    @property
    def max_reduction_db(self) -> float:
        """The largest gain reduction so far, in dB."""
        return 20 * math.log10(1 / self.min_gain)

    @property
    def limited_share(self) -> float:
        """The share of samples above -60 dBFS whose gain was reduced by more than 12 dB."""
        return self._limited_count / self._audible_count if self._audible_count else 0.0

    def process(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take ``(n,)`` or ``(n, channels)``; return what is ready, `latency` samples later.

        Raises
        ------
        ValueError
            The sound holds numbers that are not finite.
        """
        if not np.isfinite(samples).all():
            raise ValueError("the sound holds numbers that are not finite")
        if self._past is not None:
            samples = np.concatenate([self._past, samples])
        ready = len(samples) - self.latency
        if ready <= self._skip:
            self._past = samples
            return samples[:0]
        limited = self._limit(samples, self._skip, ready)
        keep = max(ready - self.latency, 0)
        self._past, self._skip = samples[keep:], ready - keep
        return limited

    def flush(self) -> NDArray[np.float32]:
        """Return the last samples."""
        if self._past is None:
            return np.empty(0, np.float32)
        limited = self._limit(self._past, self._skip, len(self._past))
        self._past, self._skip = None, 0
        return limited

    def _limit(self, sound: NDArray[np.float32], first: int, last: int) -> NDArray[np.float32]:
        """Return the samples from ``first`` to ``last``, limited, and update the statistics."""
        heard = sound if sound.ndim == 1 else sound[:, : self.deciding]
        gain, part = self._gain(heard), sound[first:last]
        level = np.abs(part) if part.ndim == 1 else np.abs(part).max(axis=1)
        self._audible_count += int(np.count_nonzero(level > AUDIBLE_AMPLITUDE))
        if gain is None:
            return part
        gain = gain[first:last]
        self._limited_count += int(
            np.count_nonzero((level > AUDIBLE_AMPLITUDE) & (gain < _LIMITED_GAIN))
        )
        self.min_gain = min(self.min_gain, max(float(gain.min(initial=1)), 1e-10))
        return part * gain[:, None] if part.ndim > 1 else part * gain

    def _gain(self, sound: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """Return the gain of each sample, ``(n,)``; None where it is 1 everywhere."""
        if true_peak_bound(sound) <= self.ceiling:
            return None
        channels = sound[:, None] if sound.ndim == 1 else sound
        peaks = np.maximum.reduce(
            [true_peaks(channel, float(self.ceiling)) for channel in channels.T]
        )
        if float(peaks.max(initial=0)) <= self.ceiling:
            return None
        # The gain must follow the peaks also in the silence beyond the ends.
        peaks = np.pad(peaks, self.look_ahead)
        loudest = sliding_max(peaks, self.look_ahead)
        cut = 1 - self.ceiling / np.maximum(loudest, self.ceiling)
        gain: NDArray[np.float32] = 1 - np.convolve(cut, self._smooth, mode="valid")
        return gain
