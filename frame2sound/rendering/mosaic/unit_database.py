"""The unit database: the frames of a corpus, with their positions and features."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.corpus import Corpus
from frame2sound.brain.pieces import Piece
from frame2sound.brain.targets import Target
from frame2sound.errors import BrainError
from frame2sound.sound.audio_features import (
    FLOOR_DB,
    AudioFeatures,
    LevelCeiling,
    features_from_blocks,
    features_from_magnitudes,
)

FloatArray = NDArray[np.float32]

BATCH_UNITS = 64
"""Units whose features are computed together; those of more leave the processor's cache."""

MARGIN_SECONDS = 0.015
"""Sound that is needed before and after a unit, for crossfades and shifts."""

TRANSIENT_SECONDS, TRANSIENT_POWER_RATIO = 0.004, 8.0
"""A unit is a transient if its first 4 ms have 9 dB more power than the 4 ms before."""

TRANSIENT_MIN_ENERGY = 1e-3
"""Minimum energy of a transient, as a share of the loudest start of a unit."""

SILENCE_THRESHOLD_DB = -60.0
"""Relative to the corpus's loudest unit; quieter frames are silent."""

SILENT_CORPUS_DB = -90.0
"""A corpus whose loudest unit is quieter is silent."""

LOUDNESS_WEIGHT, ONSET_WEIGHT, BRIGHTNESS_WEIGHT = 0.0075, 0.03, 0.1
"""Weights of 1 dB, 1 dB and 1 octave relative to the shape of the spectra."""

MAX_ONSET_DB = 30.0


@dataclass(frozen=True)
class FeatureVectors:
    """Features of frames as vectors; the target cost is half the squared distance of two.

    Attributes
    ----------
    vectors : float32 array (n, numbers)
        The shape of a frame's spectra, normalised to length 1, then weighted loudness, onset
        strength and spectral centroid.
    onset_spectra : float32 array (n, bands)
        The normalised spectrum of the frame's start.
    loudness_db, onset_db : float32 array (n,)
    """

    vectors: FloatArray
    onset_spectra: FloatArray
    loudness_db: FloatArray
    onset_db: FloatArray

    @classmethod
    def from_features(cls, features: AudioFeatures) -> FeatureVectors:
        """Return the vectors of features; amplitudes are compressed by their square root."""
        shape = 10 ** (features.levels_db / np.float32(40)) - np.float32(10 ** (FLOOR_DB / 40))
        onset = np.minimum(features.onset_strength_db, MAX_ONSET_DB)
        scalars = np.stack([features.loudness_db, onset, features.spectral_centroid], axis=1)
        scalars *= np.array([LOUDNESS_WEIGHT, ONSET_WEIGHT, BRIGHTNESS_WEIGHT], np.float32)
        whole = _unit_vectors(shape.reshape(len(shape), -1))
        return cls(
            vectors=np.concatenate([whole, scalars], 1, dtype=np.float32),
            onset_spectra=_unit_vectors(shape[:, 0]),
            loudness_db=features.loudness_db,
            onset_db=onset,
        )

    @classmethod
    def concatenate(cls, parts: list[FeatureVectors]) -> FeatureVectors:
        """Return the vectors of successive frames in one."""
        return cls(*map(np.concatenate, zip(*(part.arrays for part in parts), strict=True)))

    @property
    def arrays(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """All four arrays, in the order of the fields."""
        return self.vectors, self.onset_spectra, self.loudness_db, self.onset_db


class FeatureExtractor:
    """Extracts features from predictions, and from sound in the same representation."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._levels: FloatArray | None = None

    def extract(self, predictions: NDArray[Any]) -> AudioFeatures:
        """Return the features of predictions that follow those of the last call."""
        if predictions.ndim == 2:
            features = features_from_blocks(predictions, self._levels)
        else:
            features = features_from_magnitudes(np.abs(predictions), self._levels)
        if len(features):
            self._levels = features.levels_db[-1]
        return features

    def extract_from_audio(
        self, samples: FloatArray | Piece, starts: NDArray[np.int64]
    ) -> Iterator[AudioFeatures]:
        """Yield the features of successive frames of mono sound, in batches."""
        extent = np.arange(self.target.excerpt_length) - self.target.lead_samples
        for first in range(0, len(starts), BATCH_UNITS):
            excerpts = samples[starts[first : first + BATCH_UNITS, None] + extent]
            yield self.extract(self.target.reconstruct(excerpts))


@dataclass(frozen=True)
class UnitDatabase:
    """All frames of a corpus that have enough sound around them.

    Attributes
    ----------
    pieces : tuple of Piece
        The sound of the corpus, not copied.
    starts : int64 array (n,)
        First sample of each unit in the concatenated pieces.
    next_unit : int64 array (n,)
        The unit that follows in the film; -1 for none.
    is_transient : bool array (n,)
        Whether a unit starts with a transient.
    features : FeatureVectors
        Of what brains learn from.
    ceiling : LevelCeiling
        The highest levels of all units.
    """

    pieces: tuple[Piece, ...]
    starts: NDArray[np.int64]
    next_unit: NDArray[np.int64]
    is_transient: NDArray[np.bool_]
    features: FeatureVectors
    ceiling: LevelCeiling

    @classmethod
    def from_corpus(cls, corpus: Corpus, target: Target) -> UnitDatabase:
        """Cut a corpus into units, and extract features in the representation of a target.

        Raises
        ------
        BrainError
            No frame has enough sound around it, or all are silent.
        """
        starts, next_units, attacks = [], [], [np.zeros((0, 2))]
        vectors_of_batches: list[FeatureVectors] = []
        ceilings: list[LevelCeiling] = []
        begin = count = 0
        for piece, learned in zip(corpus.pieces, corpus.analysis.pieces, strict=True):
            at, learned_at = _unit_starts(piece, learned, corpus, target)
            if len(at):
                for features in FeatureExtractor(target).extract_from_audio(learned, learned_at):
                    vectors_of_batches.append(FeatureVectors.from_features(features))
                    ceilings.append(LevelCeiling.from_features(features))
                attacks.append(attack_energies(piece, at, corpus.sample_rate))
                next_units.append(np.append(np.arange(count + 1, count + len(at)), -1))
            starts.append(at + begin)
            begin += len(piece)
            count += len(at)
        if not count:
            raise BrainError(
                f"the corpus is too short: {corpus.seconds:.2f} s in {len(corpus.pieces)} pieces, "
                "none with sound around a whole frame; give another as `corpus`"
            )
        all_vectors = FeatureVectors.concatenate(vectors_of_batches)
        if all_vectors.loudness_db.max() <= SILENT_CORPUS_DB:
            raise BrainError("the corpus is silent; give another as `corpus`")
        is_transient = find_transients(*np.concatenate(attacks).T)
        ceiling = LevelCeiling.maximum(ceilings)
        return cls(
            corpus.pieces,
            np.concatenate(starts),
            np.concatenate(next_units),
            is_transient,
            all_vectors,
            ceiling,
        )

    def __len__(self) -> int:
        return len(self.starts)

    def select(self, keep: NDArray[np.bool_]) -> UnitDatabase:
        """Return the database without some units; the ceiling stays that of all."""
        number = np.where(keep, np.cumsum(keep) - 1, -1)
        following = self.next_unit[keep]
        return replace(
            self,
            starts=self.starts[keep],
            next_unit=np.where(following >= 0, number[following], -1),
            is_transient=self.is_transient[keep],
            features=FeatureVectors(*(array[keep] for array in self.features.arrays)),
        )

    @cached_property
    def _offsets(self) -> NDArray[np.int64]:
        return np.cumsum([0, *map(len, self.pieces)])

    def read(self, begin: int, end: int) -> NDArray[np.float64]:
        """Return samples ``(n,)`` or ``(n, 2)`` of the concatenated pieces, all of one piece."""
        index = int(np.searchsorted(self._offsets, begin, side="right")) - 1
        offset = int(self._offsets[index])
        return self.pieces[index][begin - offset : end - offset].astype(np.float64)

    def film(self, unit: int) -> str:
        """Return the name of a unit's film."""
        begin = self.starts[unit]
        return self.pieces[int(np.searchsorted(self._offsets, begin, side="right")) - 1].film

    def previous_unit(self, unit: int) -> int | None:
        """Return the unit before another in its film, if there is one."""
        return unit - 1 if unit > 0 and self.next_unit[unit - 1] == unit else None

    @property
    def silence_db(self) -> float:
        """The loudness below which a frame is silent."""
        return float(self.features.loudness_db.max()) + SILENCE_THRESHOLD_DB


def _unit_vectors(vectors: FloatArray) -> FloatArray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: FloatArray = (vectors / np.maximum(length, 1e-4)).astype(np.float32)
    return unit


def _unit_starts(
    piece: Piece, learned: Piece, corpus: Corpus, target: Target
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where units start that are completely in a piece, and in what is learned of it."""
    clock = corpus.sound_clock
    rate, margin = clock.sample_rate, round(MARGIN_SECONDS * clock.sample_rate)
    first = int(piece.start_sample * clock.fps / rate)
    count = int(len(piece) * clock.fps / rate) + 2
    at = clock.sample_bounds(count, first) - piece.start_sample
    learned_at = corpus.clock.sample_bounds(count, first) - learned.start_sample
    after = target.excerpt_length - target.lead_samples
    inside = (at >= margin) & (at + clock.max_samples_per_frame + margin <= len(piece))
    inside &= (learned_at >= target.lead_samples) & (learned_at + after <= len(learned))
    return at[inside], learned_at[inside]


def attack_energies(piece: Piece, at: NDArray[np.int64], sample_rate: int) -> NDArray[np.float64]:
    """Return the energy in `TRANSIENT_SECONDS` after and before some samples, ``(n, 2)``."""
    length = max(round(TRANSIENT_SECONDS * sample_rate), 1)
    around, energies = np.arange(-length, length), []
    for first in range(0, len(at), BATCH_UNITS):
        sound = piece[at[first : first + BATCH_UNITS, None] + around]
        power = np.square(sound, dtype=np.float64).reshape(len(sound), 2, length, -1)
        energies.append(power.mean(axis=3).sum(axis=2)[:, ::-1])
    return np.concatenate(energies)


def find_transients(after: NDArray[np.float64], before: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which units start with a transient, from their `attack_energies`."""
    is_transient: NDArray[np.bool_] = (
        after > TRANSIENT_POWER_RATIO * before + TRANSIENT_MIN_ENERGY * after.max(initial=0)
    )
    return is_transient
