"""Make the sound of events: a unit of the films' own sound, or one made from magnitudes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.spectra import Spectra
from frame2sound.clock import Clock
from frame2sound.rendering.events.event_units import EventUnits
from frame2sound.rendering.events.unit_choice import MAX_GAIN_DB, MIN_GAIN_DB, encode_frames
from frame2sound.rendering.renderer import Synthesiser
from frame2sound.sound.onset_detection import onset_levels_db

FloatArray = NDArray[np.float64]

DECAY_SECONDS, SYNTHETIC_SECONDS = 0.6, 0.9
"""Without a corpus, events fall by 60 dB within the first, and last for the second."""

_SILENT_POWER = 1e-12


@dataclass(frozen=True)
class EventSound:
    """The sound of an event, and the number of its samples before the onset."""

    samples: FloatArray
    lead: int


class EventSynthesiser(Protocol):
    """Makes the sound of events."""

    def sound(
        self, unit: int | None, level_db: float, prediction: NDArray[Any] | None, /
    ) -> EventSound:
        """Return the sound of a unit, or of a frame's prediction where there is none."""


@dataclass(frozen=True)
class UnitSynthesiser:
    """Plays units as they are in their films; only the level is changed.

    Attributes
    ----------
    units : EventUnits
    follow_loudness : float
        How much the level follows the event's, 0 to 1.
    """

    units: EventUnits
    follow_loudness: float = 1.0

    def sound(
        self, unit: int | None, level_db: float, prediction: NDArray[Any] | None, /
    ) -> EventSound:
        """Return the sound of a unit at a level."""
        assert unit is not None
        change_db = self.follow_loudness * unit_gain_db(self.units, unit, level_db)
        return EventSound(self.units.sound(unit) * 10 ** (change_db / 20), self.units.lead(unit))


@dataclass(frozen=True)
class SpectralSynthesiser:
    """Makes the sound of events from magnitudes: those of a unit, or a predicted one that decays.

    Attributes
    ----------
    target : Spectra
        The representation of magnitudes.
    clock : Clock
    synthesiser : callable
        Returns a new synthesiser of magnitudes.
    units : EventUnits, optional
    """

    target: Spectra
    clock: Clock
    synthesiser: Callable[[], Synthesiser]
    units: EventUnits | None = None

    def sound(
        self, unit: int | None, level_db: float, prediction: NDArray[Any] | None, /
    ) -> EventSound:
        """Return a sound that begins at its onset, at a level."""
        if unit is None or self.units is None:
            magnitudes = self._decaying(prediction)
        else:
            magnitudes = self._unit_magnitudes(self.units, unit)
            level_db = float(self.units.levels_db[unit]) + unit_gain_db(self.units, unit, level_db)
        bounds = self.clock.sample_bounds(len(magnitudes) + 1)
        # After a silent frame, the first one is an onset, and nothing sounds before it.
        silence = np.zeros_like(magnitudes[:1])
        synthesiser = self.synthesiser()
        ready = synthesiser.process(np.concatenate([silence, magnitudes]), bounds)
        whole = np.concatenate([ready, synthesiser.flush()])[int(bounds[1]) :].astype(np.float64)
        (got_db,) = onset_levels_db(whole, self.clock.sample_rate, np.zeros(1))
        return EventSound(whole * 10 ** ((level_db - float(got_db)) / 20), 0)

    def _unit_magnitudes(self, units: EventUnits, unit: int) -> NDArray[Any]:
        sound, lead = units.sound(unit), units.lead(unit)
        frames = -(-(len(sound) - lead) // self.clock.max_samples_per_frame) + 1
        return encode_frames(self.target, sound, lead + self.clock.sample_bounds(frames)[:-1])

    def _decaying(self, prediction: NDArray[Any] | None) -> NDArray[Any]:
        """Return magnitudes with the mean spectrum of a prediction, which decay."""
        centres = self.target.centres
        frames = max(round(SYNTHETIC_SECONDS * float(self.clock.fps)), 1)
        starts = self.clock.sample_bounds(frames)[:-1]
        seconds = np.maximum(starts[:, None] + centres, 0) / self.clock.sample_rate
        envelope = 10 ** (-3 * seconds / DECAY_SECONDS)
        spectrum = None if prediction is None else np.sqrt(np.square(prediction).mean(axis=0))
        if spectrum is None or np.square(spectrum).sum() <= _SILENT_POWER:
            spectrum = pink_magnitudes(self.target.bins)
        spectrum = spectrum / np.sqrt(np.square(spectrum).sum() + _SILENT_POWER)
        scaled = 0.1 * envelope[..., None] * spectrum
        return np.asarray(scaled, np.float32)


def unit_gain_db(units: EventUnits, unit: int, level_db: float) -> float:
    """Return by how much a unit is changed to reach a level, within limits."""
    return float(np.clip(level_db - units.levels_db[unit], MIN_GAIN_DB, MAX_GAIN_DB))


def pink_magnitudes(bins: int) -> NDArray[np.float32]:
    """Return magnitudes ``(bins,)`` of pink noise: as much power in each octave."""
    index = np.arange(bins, dtype=np.float32)
    return np.where(index > 0, 1 / np.sqrt(np.maximum(index, 1)), 0).astype(np.float32)
