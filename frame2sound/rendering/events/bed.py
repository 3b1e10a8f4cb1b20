"""The bed: what sounds between events, at the level that a motion head predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.corpus import Corpus
from frame2sound.brain.targets import Target
from frame2sound.rendering.events.event_synthesis import pink_magnitudes
from frame2sound.rendering.events.event_units import EventUnits
from frame2sound.rendering.events.unit_choice import encode_frames
from frame2sound.rendering.mosaic.unit_database import UnitDatabase

FloatArray = NDArray[np.float64]

SILENT_BED_DB = -80.0
"""A bed below this, in dBFS, is silence."""

UNKNOWN_DB = -95.0
"""A prediction quieter than this has no spectrum worth raising."""

QUIET_SHARE, MAX_QUIET_FRAMES = 0.33, 512
"""The share of a corpus's frames that are quiet, and how many frames are looked at."""

ATTACK_SECONDS = 0.15
"""Frames within this time after an onset are no bed."""

MIN_SHARE = 0.2
"""If fewer of the corpus's frames would remain, all remain."""


class BedLeveller:
    """Scales predictions so that each frame has the level of the bed.

    Parameters
    ----------
    quiet_spectrum : array (bins,), optional
        The spectrum of frames that are predicted to be silent; by default pink noise.
    """

    def __init__(self, quiet_spectrum: NDArray[np.float32] | None = None) -> None:
        self.quiet_spectrum = quiet_spectrum

    def process(self, predictions: NDArray[Any], bed_db: FloatArray) -> NDArray[Any]:
        """Return predictions ``(n, ...)`` at levels ``(n,)`` in dBFS."""
        predictions = self._with_spectra(predictions)
        levels = frame_levels_db(predictions)
        gains = np.where(bed_db < SILENT_BED_DB, 0.0, 10 ** ((bed_db - levels) / 20))
        gains = np.where(levels < UNKNOWN_DB, 0.0, gains)
        shape = (-1, *(1,) * (predictions.ndim - 1))
        scaled: NDArray[Any] = predictions * gains.astype(np.float32).reshape(shape)
        return scaled

    def _with_spectra(self, predictions: NDArray[Any]) -> NDArray[Any]:
        """Return predictions in which silent frames have the quiet spectrum."""
        silent = frame_levels_db(predictions) < UNKNOWN_DB
        if predictions.ndim != 3 or not silent.any():
            return predictions
        spectrum = self.quiet_spectrum
        if spectrum is None:
            spectrum = pink_magnitudes(predictions.shape[2])
        predictions = predictions.copy()
        predictions[silent] = spectrum
        return predictions


def frame_levels_db(predictions: NDArray[Any]) -> FloatArray:
    """Return the root mean square of each frame in dBFS, at least -120, without its offset.

    Parameters
    ----------
    predictions : array (n, windows, bins) or (n, samples)
        Magnitudes or spectra, whose full-scale sine has magnitude 1 under a Hann window; or sound.
    """
    power = np.square(np.abs(predictions), dtype=np.float64)
    if predictions.ndim == 3:
        # A sine's power stands in three bins, 1.5 times the square of its peak.
        mean = power[..., 1:].sum(axis=2).mean(axis=1) / 3
    else:
        mean = power.mean(axis=1)
    levels: FloatArray = 10 * np.log10(np.maximum(mean, 1e-12))
    return levels


def quiet_spectrum(corpus: Corpus, target: Target) -> NDArray[np.float32] | None:
    """Return the mean spectrum of the quiet frames of a corpus; None for a target of waveforms."""
    pieces = corpus.analysis.pieces
    step = max(sum(map(len, pieces)) // MAX_QUIET_FRAMES, corpus.clock.max_samples_per_frame)
    parts = []
    for piece in pieces:
        starts = np.arange(0, max(len(piece) - target.excerpt_length, 1), step)
        parts.append(encode_frames(target, piece.samples.astype(np.float64), starts))
    magnitudes = np.abs(np.concatenate(parts))
    if magnitudes.ndim != 3:
        return None
    levels = frame_levels_db(magnitudes)
    audible = np.flatnonzero(levels > UNKNOWN_DB)
    if not len(audible):
        return None
    quiet = audible[np.argsort(levels[audible])[: max(round(QUIET_SHARE * len(audible)), 1)]]
    normalised = magnitudes[quiet] * 10 ** (-levels[quiet, None, None] / 20)
    return np.asarray(np.sqrt(np.square(normalised).mean(axis=(0, 1))), np.float32)


def without_attacks(database: UnitDatabase, corpus: Corpus, units: EventUnits) -> UnitDatabase:
    """Return a database without the frames in which events begin, if enough others remain.

    ``units`` are those of the corpus as it is heard.
    """
    clock = corpus.sound_clock
    offsets = np.cumsum([0, *map(len, corpus.pieces)])
    onsets = np.sort(units.onset + offsets[units.piece])
    if units.decays or not len(onsets):
        return database
    after = round(ATTACK_SECONDS * clock.sample_rate)
    last = np.searchsorted(onsets, database.starts + 2 * clock.max_samples_per_frame) - 1
    age = np.where(last >= 0, database.starts - onsets[last.clip(0)], after)
    calm = age >= after
    return database.select(calm) if calm.mean() >= MIN_SHARE else database
