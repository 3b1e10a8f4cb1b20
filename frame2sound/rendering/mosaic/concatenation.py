"""Concatenate units, in phase where they are similar, with smooth gain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.mosaic.unit_database import UnitDatabase
from frame2sound.rendering.mosaic.unit_selection import SILENCE
from frame2sound.rendering.sound_tap import SoundTap
from frame2sound.sound.crossfade import crossfade_parts
from frame2sound.sound.windows import hann_fade_in

Samples = NDArray[np.float64]

OVERLAP_SECONDS = 0.008
"""Length of the crossfade before a frame's start; half the frame if that is shorter."""

MAX_SHIFT_SECONDS = 0.005
"""Largest shift of a unit, in both directions, to be in phase with the one before."""

MIN_CORRELATION = 0.5
"""Correlation below which sounds are unrelated, and are not shifted."""

TRANSIENT_FADE_SECONDS = 0.001
"""Fade-in of a transient after silence."""

ON_TIME_SAMPLES = 2
"""Tolerance for the rounding of frame starts, in samples."""


@dataclass
class _CurrentUnit:
    """The unit of the current frame, whose end will be crossfaded with the next."""

    unit: int
    start: int
    gain_db: float
    samples: Samples
    gains_db: tuple[float, float]


class Concatenator:
    """Joins successive units; the sound of the last waits for the next.

    A unit that follows the one before in its film continues it, with only its gain changed. Any
    other is shifted by up to 5 ms, to where its sound before the frame's start correlates best
    with the unit before, if they are similar at all; a transient is not shifted. The crossfade
    (see `frame2sound.sound.crossfade`) ends at the frame's start.

    Attributes
    ----------
    position : int
        The number of the next sample that is returned, which ``taps`` are told.
    """

    def __init__(
        self,
        database: UnitDatabase,
        sample_rate: int,
        channels: int = 1,
        taps: tuple[SoundTap, ...] = (),
    ) -> None:
        self.database = database
        self.taps = taps
        self.position = 0
        self.nothing = np.zeros((0,) if channels == 1 else (0, channels))
        self.overlap = max(round(OVERLAP_SECONDS * sample_rate), 1)
        self.max_shift = round(MAX_SHIFT_SECONDS * sample_rate)
        self.transient_fade = max(round(TRANSIENT_FADE_SECONDS * sample_rate), 1)
        self._current: _CurrentUnit | None = None
        self._incoming: NDArray[np.floating[Any]] | None = None

    def append(self, unit: int, gain_db: float, length: int) -> Samples:
        """Add the unit of the next frame; return the sound of the frame before it."""
        before = self._current
        if before is None or before.unit == SILENCE:
            ready = self.nothing if before is None else before.samples
            self._current = self._begin(unit, gain_db, length, after_silence=True)
        elif unit == SILENCE:
            ready = self._end(before)
            self._current = self._begin(unit, gain_db, length)
        elif unit == self.database.next_unit[before.unit] and not self._is_mistimed(before, unit):
            ready = self._continue(before, unit, gain_db, length)
        else:
            ready = self._crossfade(before, unit, gain_db, length)
        self._tell(before, unit, ready)
        return ready

    def flush(self) -> Samples:
        """Return the sound of the last frame."""
        before, self._current = self._current, None
        if before is None:
            return self.nothing
        ready = _with_gain_curve(before, before.gain_db)
        self._tell(before, SILENCE, ready)
        return ready

    def _tell(self, before: _CurrentUnit | None, unit: int, ready: Samples) -> None:
        """Tell which film's sound is in the samples that are returned."""
        incoming, self._incoming = self._incoming, None
        if self.taps and before is not None and before.unit != SILENCE:
            own, joint = ready.copy(), len(ready) - (0 if incoming is None else len(incoming))
            own[joint:] -= 0 if incoming is None else incoming
            for tap in self.taps:
                tap.add_bed(self.database.film(before.unit), own, self.position)
                if incoming is not None:
                    tap.add_bed(self.database.film(unit), incoming, self.position + joint)
        self.position += len(ready)

    def _begin(
        self, unit: int, gain_db: float, length: int, after_silence: bool = False
    ) -> _CurrentUnit:
        if unit == SILENCE:
            silence = np.zeros((length, *self.nothing.shape[1:]))
            return _CurrentUnit(SILENCE, 0, 0.0, silence, (0.0, 0.0))
        place = int(self.database.starts[unit])
        current = self._read(unit, place, gain_db, length, gain_db)
        if after_silence:
            fade = min(
                self.transient_fade if self.database.is_transient[unit] else self.overlap, length
            )
            current.samples[:fade] = _amplified(current.samples[:fade], hann_fade_in(fade))
        return current

    def _read(
        self, unit: int, place: int, gain_db: float, length: int, first_db: float
    ) -> _CurrentUnit:
        sound = self.database.read(place, place + length)
        return _CurrentUnit(unit, place, gain_db, sound, (first_db, gain_db))

    def _end(self, before: _CurrentUnit) -> Samples:
        ready = _with_gain_curve(before, before.gain_db)
        fade = min(self.overlap, len(ready))
        ready[len(ready) - fade :] = _amplified(
            ready[len(ready) - fade :], hann_fade_in(fade)[::-1]
        )
        return ready

    def _continue(self, before: _CurrentUnit, unit: int, gain_db: float, length: int) -> Samples:
        is_transient = bool(self.database.is_transient[unit])
        between = gain_db if is_transient else (before.gain_db + gain_db) / 2
        place = before.start + len(before.samples)
        self._current = self._read(unit, place, gain_db, length, between)
        return _with_gain_curve(before, between)

    def _crossfade(self, before: _CurrentUnit, unit: int, gain_db: float, length: int) -> Samples:
        ready = _with_gain_curve(before, before.gain_db)
        overlap = min(self.overlap, len(ready) // 2)
        place = int(self.database.starts[unit])
        outgoing = ready[len(ready) - overlap :]
        if not self.database.is_transient[unit]:
            place += self._best_shift(outgoing, place, overlap)
        incoming = self.database.read(place - overlap, place)
        incoming *= 10 ** (gain_db / 20)
        fading, rising = crossfade_parts(outgoing, incoming, silent_correlation=0)
        outgoing[:], self._incoming = fading + rising, rising
        self._current = self._read(unit, place, gain_db, length, gain_db)
        return ready

    def _best_shift(self, outgoing: Samples, place: int, overlap: int) -> int:
        """Return the shift at which the sound before a position correlates best with another."""
        around = self.database.read(place - overlap - self.max_shift, place + self.max_shift)
        products = _correlate(around, outgoing)
        sums = np.concatenate([[0], np.cumsum((around**2).reshape(len(around), -1).sum(axis=1))])
        energy = sums[overlap:] - sums[: len(sums) - overlap]
        outgoing_energy = np.dot(outgoing.ravel(), outgoing.ravel())
        correlations = products / np.sqrt(outgoing_energy * (energy + 1e-6 * energy.max()) + 1e-20)
        best = int(correlations.argmax())
        return best - self.max_shift if correlations[best] > MIN_CORRELATION else 0

    def _is_mistimed(self, before: _CurrentUnit, unit: int) -> bool:
        """Return whether a transient would be early or late if the unit before continued."""
        place = before.start + len(before.samples)
        return bool(
            self.database.is_transient[unit]
            and abs(place - self.database.starts[unit]) > ON_TIME_SAMPLES
        )


def _with_gain_curve(current: _CurrentUnit, last_db: float) -> Samples:
    """Return a unit's sound with a gain that is piecewise linear in dB."""
    first_db, middle_db = current.gains_db
    length = len(current.samples)
    if first_db == middle_db == last_db:
        return current.samples * 10 ** (middle_db / 20)
    gain_db = np.interp(np.arange(length), [0, length / 2, length], [first_db, middle_db, last_db])
    return _amplified(current.samples, 10 ** (gain_db / 20))


def _amplified(sound: Samples, gains: Samples) -> Samples:
    """Return sound ``(n,)`` or ``(n, 2)`` with a gain for each sample."""
    amplified: Samples = (sound.T * gains).T
    return amplified


def _correlate(around: Samples, sound: Samples) -> Samples:
    """Return the products of a sound with each part of a longer one, summed over channels."""
    if sound.ndim == 1:
        return np.correlate(around, sound)
    products = [np.correlate(*each) for each in zip(around.T, sound.T, strict=True)]
    total: Samples = np.sum(products, axis=0)
    return total
