"""Joining: units end to end, in phase where they are alike, at the levels that are wanted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.selection import REST
from frame2sound.rendering.units import Units
from frame2sound.sound.windows import rising

FloatArray = NDArray[np.float32]

OVERLAP_SECONDS = 0.008
"""How long units cross before a frame's start, or half the frame where that is shorter."""

SHIFT_SECONDS = 0.005
"""How far a unit's read position may be moved, either way, to be in phase with the one before."""

ALIKE = 0.5
"""Correlation below which sounds are unrelated, and nothing is gained by moving one."""

EDGE_SECONDS = 0.001
"""How long an attack that comes out of silence fades in."""


ON_TIME = 2
"""Samples by which frames of the film and of what is made may be apart, being rounded."""


@dataclass
class _Playing:
    """A frame's unit on its way out: all but its end, where it will meet the next."""

    unit: int
    place: int
    gain_db: float
    sound: NDArray[np.float64]
    gains_db: tuple[float, float]


class Joining:
    """Joins successive units into sound, all but the last one of which is complete.

    A unit that naturally follows the one before plays through, untouched but for its gain. Any
    other is read where its sound before the frame's start correlates best with that of the unit
    before, within 5 ms, if they are alike at all; an attack is read where it is. The two cross
    before the frame's start, so that the frame begins with its own unit alone, under gains ``a``
    and ``b`` for which ``a**2 + b**2 + 2 a b rho = 1``, where ``rho`` is their correlation:
    amplitudes add to one for sound that goes on, powers for sounds that are unrelated.
    """

    def __init__(self, units: Units, sample_rate: int) -> None:
        self.units = units
        self.overlap = max(round(OVERLAP_SECONDS * sample_rate), 1)
        self.shift = round(SHIFT_SECONDS * sample_rate)
        self.edge = max(round(EDGE_SECONDS * sample_rate), 1)
        self._playing: _Playing | None = None

    def lay(self, unit: int, gain_db: float, length: int) -> NDArray[np.float64]:
        """Take the unit of the next frame; return the sound of the frame before it."""
        before = self._playing
        if before is None or before.unit == REST:
            ready = np.zeros(0) if before is None else before.sound
            self._playing = self._begin(unit, gain_db, length, fresh=True)
        elif unit == REST:
            ready = self._end(before)
            self._playing = self._begin(unit, gain_db, length)
        elif unit == self.units.follower[before.unit] and not self._is_late(before, unit):
            ready = self._go_on(before, unit, gain_db, length)
        else:
            ready = self._cross(before, unit, gain_db, length)
        return ready

    def flush(self) -> NDArray[np.float64]:
        """Return the sound of the last frame."""
        before, self._playing = self._playing, None
        return np.zeros(0) if before is None else _levelled(before, before.gain_db)

    def _begin(self, unit: int, gain_db: float, length: int, fresh: bool = False) -> _Playing:
        if unit == REST:
            return _Playing(REST, 0, 0.0, np.zeros(length), (0.0, 0.0))
        place = int(self.units.at[unit])
        playing = self._read(unit, place, gain_db, length, gain_db)
        if fresh:
            fade = min(self.edge if self.units.attack[unit] else self.overlap, length)
            playing.sound[:fade] *= rising(fade)
        return playing

    def _read(
        self, unit: int, place: int, gain_db: float, length: int, first_db: float
    ) -> _Playing:
        sound = self.units.sound[place : place + length].astype(np.float64)
        return _Playing(unit, place, gain_db, sound, (first_db, gain_db))

    def _end(self, before: _Playing) -> NDArray[np.float64]:
        ready = _levelled(before, before.gain_db)
        fade = min(self.overlap, len(ready))
        ready[len(ready) - fade :] *= rising(fade)[::-1]
        return ready

    def _go_on(
        self, before: _Playing, unit: int, gain_db: float, length: int
    ) -> NDArray[np.float64]:
        sudden = bool(self.units.attack[unit])
        between = gain_db if sudden else (before.gain_db + gain_db) / 2
        place = before.place + len(before.sound)
        self._playing = self._read(unit, place, gain_db, length, between)
        return _levelled(before, between)

    def _cross(
        self, before: _Playing, unit: int, gain_db: float, length: int
    ) -> NDArray[np.float64]:
        ready = _levelled(before, before.gain_db)
        overlap = min(self.overlap, len(ready) // 2)
        place = int(self.units.at[unit])
        leaving = ready[len(ready) - overlap :]
        if not self.units.attack[unit]:
            place += self._best_shift(leaving, place, overlap)
        coming = self.units.sound[place - overlap : place].astype(np.float64)
        coming *= 10 ** (gain_db / 20)
        leaving[:] = cross(leaving, coming)
        self._playing = self._read(unit, place, gain_db, length, gain_db)
        return ready

    def _best_shift(self, leaving: NDArray[np.float64], place: int, overlap: int) -> int:
        """Return the shift under which the sound before a place correlates best with another."""
        around = self.units.sound[place - overlap - self.shift : place + self.shift].astype(float)
        products = np.correlate(around, leaving)
        sums = np.concatenate([[0], np.cumsum(around**2)])
        energy = sums[overlap:] - sums[: len(sums) - overlap]
        own = np.dot(leaving, leaving)
        likeness = products / np.sqrt(own * (energy + 1e-6 * energy.max()) + 1e-20)
        best = int(likeness.argmax())
        return best - self.shift if likeness[best] > ALIKE else 0

    def _is_late(self, before: _Playing, unit: int) -> bool:
        """Tell whether an attack would come early or late if the sound before it played on."""
        place = before.place + len(before.sound)
        return bool(self.units.attack[unit] and abs(place - self.units.at[unit]) > ON_TIME)


def cross(leaving: NDArray[np.float64], coming: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fade from one sound to another of the same length, at even power."""
    energy = np.sqrt(np.dot(leaving, leaving) * np.dot(coming, coming))
    rho = float(np.clip(np.dot(leaving, coming) / max(energy, 1e-20), 0, 1))
    rise, fall = crossing(len(leaving), rho)
    return leaving * fall + coming * rise


def crossing(length: int, rho: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return gains ``a`` rising and ``b`` falling with ``a**2 + b**2 + 2 a b rho = 1``.

    >>> rise, fall = crossing(4, 1.0)
    >>> bool(np.allclose(rise + fall, 1))
    True
    """
    rise = rising(length)
    fall = rise[::-1]
    even = np.sqrt(rise**2 + fall**2 + 2 * rise * fall * rho)
    return rise / even, fall / even


def _levelled(playing: _Playing, last_db: float) -> NDArray[np.float64]:
    """Return a unit's sound under a gain that goes straight, in dB, by way of its middle."""
    first_db, middle_db = playing.gains_db
    length = len(playing.sound)
    if first_db == middle_db == last_db:
        return playing.sound * 10 ** (middle_db / 20)
    gain_db = np.interp(np.arange(length), [0, length / 2, length], [first_db, middle_db, last_db])
    return playing.sound * 10 ** (gain_db / 20)
