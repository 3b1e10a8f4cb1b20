"""Mosaic: concatenate frames of the films' own sound to match the predictions.

Corpus-based concatenative synthesis (Schwarz, "Concatenative sound synthesis: the early years",
Journal of New Music Research 35, 2006).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.corpus import Corpus
from frame2sound.brain.targets import Target
from frame2sound.rendering.mosaic.concatenation import Concatenator
from frame2sound.rendering.mosaic.mosaic_settings import MosaicSettings
from frame2sound.rendering.mosaic.unit_database import (
    FeatureExtractor,
    FeatureVectors,
    UnitDatabase,
)
from frame2sound.rendering.mosaic.unit_selection import SILENCE, Costs, UnitSelector
from frame2sound.rendering.sound_tap import SoundTap

CHUNK_FRAMES = 32
"""Frames for which units are selected together, whatever the size of the batches."""

SOFT_START_DB = 35.0
"""Above silence; a quieter start after silence began before its frame."""

MIN_LEAD_IN_DROP_DB = 14.0
"""How much quieter than a soft start the frame before it is, at least."""

MAX_BOOST_DB, MAX_CUT_DB = 12.0, 40.0
"""The largest change of a unit's level to follow the prediction."""


class MosaicSynthesiser:
    """Concatenates the units of a corpus that sound like the predictions, one per frame.

    Units start at frames, so that an event at the start of a frame is there again: to the sample
    if it is a transient, else within 5 ms. A frame that is predicted to be silent, 60 dB below the
    corpus's loudest unit, is digital silence. The sound has the corpus's sample rate and channels.

    Parameters
    ----------
    target : Target
        The representation of the predictions, also used for the features of the corpus.
    corpus : Corpus
    settings : MosaicSettings
    seed : int
        Of the random variety.
    database : UnitDatabase, optional
        The units, if they are already cut; by default all frames of the corpus.
    taps : tuple of SoundTap
        Are told the sound of each film.

    Raises
    ------
    BrainError
        The corpus is silent or too short, or does not contain one of the films.
    """

    def __init__(
        self,
        target: Target,
        corpus: Corpus,
        settings: MosaicSettings | None = None,
        seed: int = 0,
        database: UnitDatabase | None = None,
        taps: tuple[SoundTap, ...] = (),
    ) -> None:
        settings = settings or MosaicSettings()
        if settings.films is not None:
            corpus = corpus.select_films(settings.films)
        self.settings = settings
        self.database = UnitDatabase.from_corpus(corpus, target) if database is None else database
        no_repeat = round(settings.no_repeat_seconds * corpus.clock.fps)
        costs = Costs(settings.literal, settings.variety, no_repeat)
        self._selector = UnitSelector(self.database, costs, seed)
        self._concatenator = Concatenator(self.database, corpus.sample_rate, corpus.channels, taps)
        self._extractor = FeatureExtractor(target)
        self._pending: NDArray[Any] | None = None
        self._lengths: list[int] = []

    def process(self, predictions: NDArray[Any], bounds: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return what is ready of predictions ``(n, ...)`` with frame bounds ``(n + 1,)``."""
        if self._pending is None:
            self._concatenator.position = int(bounds[0])
        pending = [predictions] if self._pending is None else [self._pending, predictions]
        self._pending = np.concatenate(pending)
        self._lengths += np.diff(bounds).tolist()
        ready = [self._concatenator.nothing]
        while len(self._lengths) >= CHUNK_FRAMES:
            ready.append(self._synthesise(CHUNK_FRAMES))
        return np.concatenate(ready).astype(np.float32)

    def flush(self) -> NDArray[np.float32]:
        """Return the rest."""
        rest = [self._synthesise(len(self._lengths)), self._concatenator.flush()]
        return np.concatenate(rest).astype(np.float32)

    def _synthesise(self, frames: int) -> NDArray[np.float64]:
        """Select units for the first pending frames, and concatenate them."""
        if self._pending is None or not frames:
            return self._concatenator.nothing
        features = self._extract_features(self._pending[:frames])
        lengths = self._lengths[:frames]
        self._pending, self._lengths = self._pending[frames:], self._lengths[frames:]
        chosen = self._selector.select(features)
        gains = self._gains_db(chosen, features)
        self._lead_in(chosen, gains, features)
        units = zip(chosen.tolist(), gains.tolist(), lengths, strict=True)
        return np.concatenate([self._concatenator.append(*each) for each in units])

    def _lead_in(
        self, chosen: NDArray[np.int64], gains: NDArray[np.float64], features: FeatureVectors
    ) -> None:
        """Start soft onsets one frame earlier, as in their film; loud ones are unchanged."""
        soft_db = self.database.silence_db + SOFT_START_DB
        for frame in np.flatnonzero((chosen[:-1] == SILENCE) & (chosen[1:] != SILENCE)).tolist():
            unit = int(chosen[frame + 1])
            before = self.database.previous_unit(unit)
            if features.loudness_db[frame + 1] < soft_db and before is not None:
                loudness = self.database.features.loudness_db[before]
                chosen[frame] = before
                max_gain_db = features.loudness_db[frame + 1] - MIN_LEAD_IN_DROP_DB - loudness
                gains[frame] = min(gains[frame + 1], max_gain_db)

    def _extract_features(self, predictions: NDArray[Any]) -> FeatureVectors:
        """Return the features of predictions, limited in each band to the maximum of the corpus.

        For frames unlike the training data, predictions may be louder than any film.
        """
        return FeatureVectors.from_features(
            self._extractor.extract(predictions).clipped_to(self.database.ceiling)
        )

    def _gains_db(self, chosen: NDArray[np.int64], features: FeatureVectors) -> NDArray[np.float64]:
        difference_db = features.loudness_db - self.database.features.loudness_db[chosen]
        gains = self.settings.follow_loudness * np.clip(difference_db, -MAX_CUT_DB, MAX_BOOST_DB)
        return np.where(chosen == SILENCE, 0.0, gains)
