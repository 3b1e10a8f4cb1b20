"""The pitch of a monophonic sound over time, block by block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.onset_detection import LEVEL_WINDOW_SECONDS
from frame2sound.sound.pitch_detection import WINDOW_SECONDS, detect_pitch_hz, refine_pitch_hz

FloatArray = NDArray[np.float64]
Samples = NDArray[np.floating]

HIGHEST_HZ = 4200.0
"""About the highest note of a piano, C8."""

_MIN_POWER = 1e-10


@dataclass(frozen=True)
class PitchTrack:
    """Pitch and level of successive frames.

    Attributes
    ----------
    seconds : array of shape (n,)
        The frames' centres; the first is 0.
    hz : array of shape (n,)
        From 60 to 4200 Hz; NaN where there is no pitch.
    level_db : array of shape (n,)
        Root mean square of the 20 ms around the centre, in dBFS, at least -100.
    """

    seconds: FloatArray
    hz: FloatArray
    level_db: FloatArray

    def __len__(self) -> int:
        return len(self.seconds)

    @classmethod
    def joined(cls, parts: Iterable[PitchTrack]) -> PitchTrack:
        """Return the frames of successive parts, at least one, as one."""
        known = list(parts)
        return cls(
            np.concatenate([part.seconds for part in known]),
            np.concatenate([part.hz for part in known]),
            np.concatenate([part.level_db for part in known]),
        )


class PitchTracker:
    """Finds the pitch of a mono sound that comes in blocks, by YIN and its spectrum.

    See `detect_pitch_hz` and `refine_pitch_hz`.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    hop : int
        Samples from one frame to the next.
    """

    def __init__(self, sample_rate: int, hop: int) -> None:
        self.sample_rate, self.hop = sample_rate, hop
        self._half = round(WINDOW_SECONDS * sample_rate) // 2 + 1
        self._sound = np.zeros(self._half)  # silence before the first sample
        self._frames, self._received = 0, 0

    def process(self, samples: Samples) -> PitchTrack:
        """Take the next samples, ``(n,)``; return the frames that are complete."""
        self._sound = np.concatenate([self._sound, samples])
        self._received += len(samples)
        return self._take((len(self._sound) - 2 * self._half) // self.hop + 1)

    def flush(self) -> PitchTrack:
        """Return the last frames, which reach beyond the end."""
        self._sound = np.concatenate([self._sound, np.zeros(self._half)])
        total = 1 + self._received // self.hop if self._received else 0
        return self._take(total - self._frames)

    def _take(self, count: int) -> PitchTrack:
        count = max(count, 0)
        centres = self._half + np.arange(count) * self.hop
        sound, rate, times = self._sound, self.sample_rate, centres / self.sample_rate
        hz = detect_pitch_hz(sound, rate, times, max_hz=HIGHEST_HZ)
        hz = refine_pitch_hz(sound, rate, times, hz)
        hz[hz > HIGHEST_HZ] = np.nan
        energy = np.concatenate([[0.0], np.cumsum(self._sound**2)])
        reach = max(round(LEVEL_WINDOW_SECONDS / 2 * rate), 1)
        power = (energy[centres + reach] - energy[centres - reach]) / (2 * reach)
        numbers = self._frames + np.arange(count)
        self._frames += count
        self._sound = self._sound[count * self.hop :].copy()
        return PitchTrack(
            numbers * self.hop / self.sample_rate, hz, 10 * np.log10(np.maximum(power, _MIN_POWER))
        )
