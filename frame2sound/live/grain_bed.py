"""The sound between events: grains of those frames of the corpus that fit the prediction."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.targets import Target
from frame2sound.live.controls import Controls
from frame2sound.live.live_corpus import stereo, transposed
from frame2sound.rendering.events.bed import SILENT_BED_DB
from frame2sound.rendering.mosaic.unit_database import (
    FeatureExtractor,
    FeatureVectors,
    UnitDatabase,
)
from frame2sound.sound.windows import grain_envelope

Samples = NDArray[np.float32]

MAX_CANDIDATES = 32
"""Of so many units that fit best, one is drawn if the variety is 1."""

RECENT_UNITS = 8
"""Units that were used last are not used again."""

MAX_GAIN_DB = 30.0
"""The most by which a grain is amplified."""

WINDOW_POWER = 0.375
"""The mean square of a Hann window."""


class GrainBed:
    """Makes grains at the level of the bed, with a sound like the prediction's.

    Parameters
    ----------
    frames : UnitDatabase
        The frames of the corpus.
    target : Target
        The representation of predictions.
    sample_rate : int
        In Hz.
    frame_length : int
        Samples of a frame of the corpus.
    seed : int
    """

    def __init__(
        self,
        frames: UnitDatabase,
        target: Target,
        sample_rate: int,
        frame_length: int,
        seed: int = 0,
    ) -> None:
        self.frames = frames
        self.sample_rate = sample_rate
        self.frame_length = frame_length
        self._extractor = FeatureExtractor(target)
        self._random = np.random.default_rng([seed, 1])
        self._offsets = np.cumsum([0, *map(len, frames.pieces)])
        vectors = frames.features.vectors
        self._half_norms = 0.5 * np.einsum("ij,ij->i", vectors, vectors)
        self._recent: deque[int] = deque(maxlen=min(RECENT_UNITS, len(frames) - 1))
        self._next = 0.0

    def grains(
        self, prediction: NDArray[Any], level_db: float, begin: int, end: int, controls: Controls
    ) -> Iterator[tuple[Samples, int]]:
        """Yield the grains that begin between two samples, each with its first sample.

        Parameters
        ----------
        prediction : array
            Of one frame.
        level_db : float
            The root mean square of the bed, in dBFS; below -80 it is silence.
        begin, end : int
        controls : Controls
        """
        self._next = max(self._next, float(begin))
        unit = self._choose(prediction, controls.variety)
        level_db += controls.bed_gain
        step = self.sample_rate / controls.density
        while self._next < end:
            start, self._next = round(self._next), self._next + step
            if level_db > SILENT_BED_DB:
                yield self._grain(unit, level_db, controls), start

    def _choose(self, prediction: NDArray[Any], variety: float) -> int:
        features = self._extractor.extract(prediction[None]).clipped_to(self.frames.ceiling)
        vector = FeatureVectors.from_features(features).vectors[0]
        costs = self._half_norms - self.frames.features.vectors @ vector
        costs[list(self._recent)] = np.inf
        count = min(1 + round(variety * (MAX_CANDIDATES - 1)), len(costs) - len(self._recent))
        best = np.sort(np.argpartition(costs, count - 1)[:count])
        unit = int(best[self._random.integers(count)])
        self._recent.append(unit)
        return unit

    def _grain(self, unit: int, level_db: float, controls: Controls) -> Samples:
        length = round(controls.grain * self.sample_rate)
        speed = 2 ** (controls.grain_transpose / 12)
        jitter, place = self._random.random(2)
        around = controls.scatter * self.sample_rate
        begin = int(self.frames.starts[unit] + jitter * self.frame_length)
        begin += round((2 * place - 1) * around)
        sound = transposed(self._read(unit, begin, int(length * speed) + 2), 12 * np.log2(speed))
        sound = sound[:length]
        sound = sound * grain_envelope("hann", len(sound))[:, None].astype(np.float32)
        overlap = max(controls.density * controls.grain * WINDOW_POWER, WINDOW_POWER)
        power = float(np.square(sound).mean()) / WINDOW_POWER
        wanted = 10 ** (level_db / 10) / overlap
        gain = min(np.sqrt(wanted / max(power, 1e-12)), 10 ** (MAX_GAIN_DB / 20))
        return np.asarray(sound * (gain * self._pan(controls.spread)), np.float32)

    def _read(self, unit: int, begin: int, length: int) -> Samples:
        """Return sound of the unit's piece, moved to lie within it."""
        start = int(self.frames.starts[unit])
        index = int(np.searchsorted(self._offsets, start, side="right")) - 1
        piece, offset = self.frames.pieces[index], int(self._offsets[index])
        begin = max(min(begin - offset, len(piece) - length), 0)
        return stereo(piece[begin : begin + length])

    def _pan(self, spread: float) -> NDArray[np.float64]:
        """Return the gains of both channels for a random place, at constant power."""
        angle = np.pi / 4 * (1 + spread * (2 * self._random.random() - 1))
        gains: NDArray[np.float64] = np.sqrt(2) * np.array([np.cos(angle), np.sin(angle)])
        return gains
