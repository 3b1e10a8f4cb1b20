"""Joining: units end to end, in phase where they are alike, at the levels that are wanted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.mosaic.unit_database import UnitDatabase
from frame2sound.rendering.mosaic.unit_selection import SILENCE
from frame2sound.sound.crossfade import crossfade
from frame2sound.sound.windows import hann_fade_in

FloatArray = NDArray[np.float32]

OVERLAP_SECONDS = 0.008
"""How long units cross before a frame's start, or half the frame where that is shorter."""

MAX_SHIFT_SECONDS = 0.005
"""How far a unit's read position may be moved, either way, to be in phase with the one before."""

MIN_CORRELATION = 0.5
"""Correlation below which sounds are unrelated, and nothing is gained by moving one."""

TRANSIENT_FADE_SECONDS = 0.001
"""How long an attack that comes out of silence fades in."""


ON_TIME_SAMPLES = 2
"""Samples by which frames of the film and of what is made may be apart, being rounded."""


@dataclass
class _CurrentUnit:
    """A frame's unit on its way out: all but its end, where it will meet the next."""

    unit: int
    start: int
    gain_db: float
    samples: NDArray[np.float64]
    gains_db: tuple[float, float]


class Concatenator:
    """Joins successive units into sound, all but the last one of which is complete.

    A unit that naturally follows the one before plays through, untouched but for its gain. Any
    other is read where its sound before the frame's start correlates best with that of the unit
    before, within 5 ms, if they are alike at all; an attack is read where it is. The two cross
    before the frame's start, so that the frame begins with its own unit alone, under gains ``a``
    and ``b`` for which ``a**2 + b**2 + 2 a b rho = 1``, where ``rho`` is their correlation:
    amplitudes add to one for sound that goes on, powers for sounds that are unrelated.
    """

    def __init__(self, database: UnitDatabase, sample_rate: int) -> None:
        self.database = database
        self.overlap = max(round(OVERLAP_SECONDS * sample_rate), 1)
        self.max_shift = round(MAX_SHIFT_SECONDS * sample_rate)
        self.transient_fade = max(round(TRANSIENT_FADE_SECONDS * sample_rate), 1)
        self._current: _CurrentUnit | None = None

    def append(self, unit: int, gain_db: float, length: int) -> NDArray[np.float64]:
        """Take the unit of the next frame; return the sound of the frame before it."""
        before = self._current
        if before is None or before.unit == SILENCE:
            ready = np.zeros(0) if before is None else before.samples
            self._current = self._begin(unit, gain_db, length, after_silence=True)
        elif unit == SILENCE:
            ready = self._end(before)
            self._current = self._begin(unit, gain_db, length)
        elif unit == self.database.next_unit[before.unit] and not self._is_mistimed(before, unit):
            ready = self._continue(before, unit, gain_db, length)
        else:
            ready = self._crossfade(before, unit, gain_db, length)
        return ready

    def flush(self) -> NDArray[np.float64]:
        """Return the sound of the last frame."""
        before, self._current = self._current, None
        return np.zeros(0) if before is None else _with_gain_curve(before, before.gain_db)

    def _begin(
        self, unit: int, gain_db: float, length: int, after_silence: bool = False
    ) -> _CurrentUnit:
        if unit == SILENCE:
            return _CurrentUnit(SILENCE, 0, 0.0, np.zeros(length), (0.0, 0.0))
        place = int(self.database.starts[unit])
        playing = self._read(unit, place, gain_db, length, gain_db)
        if after_silence:
            fade = min(
                self.transient_fade if self.database.is_transient[unit] else self.overlap, length
            )
            playing.samples[:fade] *= hann_fade_in(fade)
        return playing

    def _read(
        self, unit: int, place: int, gain_db: float, length: int, first_db: float
    ) -> _CurrentUnit:
        sound = self.database.samples[place : place + length].astype(np.float64)
        return _CurrentUnit(unit, place, gain_db, sound, (first_db, gain_db))

    def _end(self, before: _CurrentUnit) -> NDArray[np.float64]:
        ready = _with_gain_curve(before, before.gain_db)
        fade = min(self.overlap, len(ready))
        ready[len(ready) - fade :] *= hann_fade_in(fade)[::-1]
        return ready

    def _continue(
        self, before: _CurrentUnit, unit: int, gain_db: float, length: int
    ) -> NDArray[np.float64]:
        sudden = bool(self.database.is_transient[unit])
        between = gain_db if sudden else (before.gain_db + gain_db) / 2
        place = before.start + len(before.samples)
        self._current = self._read(unit, place, gain_db, length, between)
        return _with_gain_curve(before, between)

    def _crossfade(
        self, before: _CurrentUnit, unit: int, gain_db: float, length: int
    ) -> NDArray[np.float64]:
        ready = _with_gain_curve(before, before.gain_db)
        overlap = min(self.overlap, len(ready) // 2)
        place = int(self.database.starts[unit])
        leaving = ready[len(ready) - overlap :]
        if not self.database.is_transient[unit]:
            place += self._best_shift(leaving, place, overlap)
        coming = self.database.samples[place - overlap : place].astype(np.float64)
        coming *= 10 ** (gain_db / 20)
        leaving[:] = crossfade(leaving, coming, silent_correlation=0)
        self._current = self._read(unit, place, gain_db, length, gain_db)
        return ready

    def _best_shift(self, leaving: NDArray[np.float64], place: int, overlap: int) -> int:
        """Return the shift under which the sound before a place correlates best with another."""
        around = self.database.samples[
            place - overlap - self.max_shift : place + self.max_shift
        ].astype(float)
        products = np.correlate(around, leaving)
        sums = np.concatenate([[0], np.cumsum(around**2)])
        energy = sums[overlap:] - sums[: len(sums) - overlap]
        own = np.dot(leaving, leaving)
        likeness = products / np.sqrt(own * (energy + 1e-6 * energy.max()) + 1e-20)
        best = int(likeness.argmax())
        return best - self.max_shift if likeness[best] > MIN_CORRELATION else 0

    def _is_mistimed(self, before: _CurrentUnit, unit: int) -> bool:
        """Tell whether an attack would come early or late if the sound before it played on."""
        place = before.start + len(before.samples)
        return bool(
            self.database.is_transient[unit]
            and abs(place - self.database.starts[unit]) > ON_TIME_SAMPLES
        )


def _with_gain_curve(playing: _CurrentUnit, last_db: float) -> NDArray[np.float64]:
    """Return a unit's sound under a gain that goes straight, in dB, by way of its middle."""
    first_db, middle_db = playing.gains_db
    length = len(playing.samples)
    if first_db == middle_db == last_db:
        return playing.samples * 10 ** (middle_db / 20)
    gain_db = np.interp(np.arange(length), [0, length / 2, length], [first_db, middle_db, last_db])
    return playing.samples * 10 ** (gain_db / 20)
