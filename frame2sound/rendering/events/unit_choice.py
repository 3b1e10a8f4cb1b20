"""Choose the unit for an event: by the picture, the level and the spectrum, and without repeats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.targets import Target
from frame2sound.clock import Clock
from frame2sound.rendering.events.event_units import EventUnits, normalise_contrast
from frame2sound.rendering.mosaic.unit_database import FeatureExtractor
from frame2sound.sound.audio_features import FLOOR_DB, AudioFeatures

FloatArray = NDArray[np.float64]

MIN_GAIN_DB, MAX_GAIN_DB = -30.0, 12.0
"""The largest changes of a unit's level."""

REPEAT_SECONDS = 4.0
"""A repetition that is this old disturbs by a share of 1/e."""

FEATURE_SECONDS = 0.1
"""A unit's spectrum is that of so much of its beginning."""

BATCH_UNITS = 64
"""Units whose spectra are computed together."""


@dataclass(frozen=True)
class ChoiceWeights:
    """The costs by which units are compared.

    Attributes
    ----------
    appearance : float
        Of a scene whose thumbnail is uncorrelated with the event's picture.
    level : float
        Of one dB by which a unit must be changed.
    clipped : float
        Of one dB by which it would have to be changed beyond `MIN_GAIN_DB` or `MAX_GAIN_DB`.
    spectrum : float
        Of a spectrum orthogonal to the prediction; 0 where the brain does not know it.
    contrast, wanted_contrast_db : float
        Of one dB by which a unit's attack rises less than this above what was before.
    cut : float
        Of a unit that ends at the next onset.
    repeat : float
        Of a unit that was just used; it decays with `REPEAT_SECONDS`.
    too_soon : float
        Of a unit that was used within the no-repeat time.
    margin : float
        Units that cost so little more than the best are equally good; one is drawn.
    """

    appearance: float = 1.0
    level: float = 0.05
    clipped: float = 0.2
    spectrum: float = 0.0
    contrast: float = 0.03
    wanted_contrast_db: float = 12.0
    cut: float = 0.1
    repeat: float = 0.5
    too_soon: float = 10.0
    margin: float = 0.05


SPECTRUM_WEIGHT = 1.5
"""The weight of the spectrum where the brain knows it."""


@dataclass(frozen=True)
class UnitQuery:
    """What is known of an event for which a unit is chosen; all but the time may be unknown.

    Attributes
    ----------
    time_seconds : float
    level_db : float, optional
    appearance : array (64,), optional
        The thumbnail of the picture.
    prediction : array, optional
        The prediction of the brain for one frame, as the target decodes it.
    film : str, optional
        The only film whose units come into question.
    """

    time_seconds: float
    level_db: float | None = None
    appearance: NDArray[np.float32] | None = None
    prediction: NDArray[Any] | None = None
    film: str | None = None


class UnitChooser:
    """Chooses units for events.

    Parameters
    ----------
    units : EventUnits
        At least one.
    target : Target
        The representation of predictions.
    clock : Clock
    weights : ChoiceWeights
    no_repeat_seconds : float
    variety : float
        Widens the margin within which units are equally good, 0 to 1.
    seed : int
    """

    def __init__(
        self,
        units: EventUnits,
        target: Target,
        clock: Clock,
        weights: ChoiceWeights | None = None,
        no_repeat_seconds: float = 0.3,
        variety: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.units = units
        self.target = target
        self.clock = clock
        self.weights = ChoiceWeights() if weights is None else weights
        self.no_repeat_seconds = no_repeat_seconds
        self.margin = self.weights.margin + variety
        self.seed = seed
        self._static_cost = self._own_costs()
        self._last_used = np.full(len(units), -np.inf)
        self._spectra: FloatArray | None = None

    def choose(self, query: UnitQuery, *, remember: bool = True) -> int:
        """Return the unit for an event.

        Parameters
        ----------
        query : UnitQuery
        remember : bool
            Whether earlier choices count, and this one for later ones. Without, a choice depends
            on the event alone.
        """
        cost = self._static_cost + self._costs(query)
        if remember:
            cost = cost + self._repeat_costs(query.time_seconds)
        if query.film is not None:
            other = np.ones(len(cost), np.bool_)
            other[self.units.units_of(query.film)] = False
            cost = np.where(other, np.inf, cost)
        good = np.flatnonzero(cost <= cost.min() + self.margin)
        sample = round(query.time_seconds * self.units.sample_rate)
        random = np.random.default_rng([self.seed, sample])
        unit = int(good[random.integers(len(good))])
        if remember:
            self._last_used[unit] = query.time_seconds
        return unit

    def _own_costs(self) -> FloatArray:
        weights, units = self.weights, self.units
        lacking = np.maximum(weights.wanted_contrast_db - units.contrasts_db, 0)
        return weights.contrast * lacking + weights.cut * units.is_cut

    def _costs(self, query: UnitQuery) -> FloatArray:
        weights, units = self.weights, self.units
        cost = np.zeros(len(units))
        if query.level_db is not None:
            change = query.level_db - units.levels_db
            clipped = np.abs(change - np.clip(change, MIN_GAIN_DB, MAX_GAIN_DB))
            cost += weights.level * np.abs(change) + weights.clipped * clipped
        if query.appearance is not None and weights.appearance:
            seen = normalise_contrast(query.appearance[None])[0]
            cost -= weights.appearance * (units.appearance @ seen)
        if query.prediction is not None and weights.spectrum:
            predicted = self._prediction_spectrum(query.prediction)
            cost -= weights.spectrum * (self._unit_spectra() @ predicted)
        return cost

    def _repeat_costs(self, seconds: float) -> FloatArray:
        age = np.abs(seconds - self._last_used)
        recent = self.weights.repeat * np.exp(-age / REPEAT_SECONDS)
        costs: FloatArray = recent + self.weights.too_soon * (age < self.no_repeat_seconds)
        return costs

    def _prediction_spectrum(self, prediction: NDArray[Any]) -> FloatArray:
        features = FeatureExtractor(self.target).extract(prediction[None])
        return np.asarray(_spectra(features)[0], np.float64)

    def _unit_spectra(self) -> FloatArray:
        """Return the normalised spectra of the beginnings of all units, computed once."""
        if self._spectra is None:
            units = range(0, len(self.units), BATCH_UNITS)
            batches = [range(at, min(at + BATCH_UNITS, len(self.units))) for at in units]
            self._spectra = np.concatenate([self._beginnings(batch) for batch in batches])
        return self._spectra

    def _beginnings(self, units: range) -> FloatArray:
        """Return the normalised spectra of the beginnings of some units."""
        frames = max(round(FEATURE_SECONDS * float(self.clock.fps)), 1)
        starts = self.clock.sample_bounds(frames)[:-1]
        reach = self.target.excerpt_length
        before, length = reach + self.clock.max_samples_per_frame, int(starts[-1]) + reach
        period = before + length + reach
        sound = np.zeros(period * len(units))
        for row, unit in enumerate(units):
            own = self.units.sound(unit)[self.units.lead(unit) :][:length]
            sound[row * period + before :][: len(own)] = own
        at = (np.arange(len(units))[:, None] * period + before + starts).ravel()
        features = FeatureExtractor(self.target).extract(encode_frames(self.target, sound, at))
        spectra = _spectra(features)
        total = spectra.reshape(len(units), frames, spectra.shape[1]).sum(axis=1)
        norm = np.linalg.norm(total, axis=1, keepdims=True)
        normalised: FloatArray = total / np.maximum(norm, 1e-9)
        return normalised


def encode_frames(target: Target, sound: FloatArray, starts: NDArray[np.int64]) -> NDArray[Any]:
    """Return what a perfect brain predicts for some frames of a sound that silence surrounds.

    Parameters
    ----------
    target : Target
    sound : array (samples,)
    starts : int64 array (n,)
        The first sample of each frame.
    """
    reach = target.excerpt_length
    padded = np.zeros(len(sound) + 3 * reach + int(starts.max(initial=0)), np.float32)
    padded[2 * reach : 2 * reach + len(sound)] = sound
    begins = starts - target.lead_samples + 2 * reach
    return target.reconstruct(padded[begins[:, None] + np.arange(reach)])


def _spectra(features: AudioFeatures) -> FloatArray:
    """Return the compressed spectra of frames, at length 1, ``(n, bands)``."""
    shape = 10 ** (features.levels_db.astype(np.float64) / 40) - 10 ** (FLOOR_DB / 40)
    shape = shape.mean(axis=1)
    length = np.linalg.norm(shape, axis=1, keepdims=True)
    spectra: FloatArray = shape / np.maximum(length, 1e-9)
    return spectra
