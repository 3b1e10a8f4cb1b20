"""Units: the frames of a corpus, each with its place in the sound and what it sounds like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.brain.corpus import Corpus
from frame2sound.brain.targets import Target
from frame2sound.errors import BrainError
from frame2sound.sound.features import FLOOR_DB, Ceiling, Features, of_blocks, of_magnitudes

FloatArray = NDArray[np.float32]

TOGETHER = 256
"""Units whose features are found at once."""

MARGIN_SECONDS = 0.015
"""Sound that must lie before and after a unit, for it to be joined and shifted."""

ATTACK_SECONDS, ATTACK_RATIO = 0.004, 8.0
"""A unit begins with an attack if its first 4 ms have 9 dB more power than the 4 ms before."""

ATTACK_FAINT = 1e-3
"""Of the energy with which the loudest unit begins; what begins with less is no attack."""

FAINT_DB = -60.0
"""Below the corpus's loudest unit; what is fainter is silence."""

SILENT_DB = -90.0
"""A corpus whose loudest unit is below has nothing to sound."""

LOUDNESS_WEIGHT, ONSET_WEIGHT, BRIGHTNESS_WEIGHT = 0.0075, 0.03, 0.1
"""What a difference of 1 dB, 1 dB and 1 octave counts beside the shape of the spectra."""

MOST_ONSET_DB = 30.0


@dataclass(frozen=True)
class Looks:
    """What frames sound like, as vectors: half the squared distance of two is their unlikeness.

    Attributes
    ----------
    whole : float32 array (n, numbers)
        The shape of a frame's spectra, of length 1 and so apart from its level, then loudness,
        onset and brightness in their weights.
    head : float32 array (n, bands)
        The shape of the spectrum with which the frame begins.
    loudness_db, onset_db : float32 array (n,)
    """

    whole: FloatArray
    head: FloatArray
    loudness_db: FloatArray
    onset_db: FloatArray

    @classmethod
    def of(cls, features: Features) -> Looks:
        """Turn features into vectors; amplitudes count by their square root, as to the ear."""
        shape = 10 ** (features.levels_db / np.float32(40)) - np.float32(10 ** (FLOOR_DB / 40))
        onset = np.minimum(features.onset_db, MOST_ONSET_DB)
        beside = np.stack([features.loudness_db, onset, features.brightness], axis=1)
        beside *= np.array([LOUDNESS_WEIGHT, ONSET_WEIGHT, BRIGHTNESS_WEIGHT], np.float32)
        whole = _of_length_one(shape.reshape(len(shape), -1))
        return cls(
            whole=np.concatenate([whole, beside], 1, dtype=np.float32),
            head=_of_length_one(shape[:, 0]),
            loudness_db=features.loudness_db,
            onset_db=onset,
        )

    @classmethod
    def together(cls, parts: list[Looks]) -> Looks:
        """Put the looks of successive frames end to end."""
        return cls(*map(np.concatenate, zip(*(part.arrays for part in parts), strict=True)))

    @property
    def arrays(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """All of it, in order."""
        return self.whole, self.head, self.loudness_db, self.onset_db


class Ear:
    """Hears a target's successive predictions, and real sound as that target would predict it."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._levels: FloatArray | None = None

    def hear(self, predictions: NDArray[Any]) -> Features:
        """Return the features of predictions; onsets are told from the frame heard before."""
        if predictions.ndim == 2:
            features = of_blocks(predictions, self._levels)
        else:
            features = of_magnitudes(np.abs(predictions), self._levels)
        if len(features):
            self._levels = features.levels_db[-1]
        return features

    def hear_sound(self, sound: FloatArray, starts: NDArray[np.int64]) -> Iterator[Features]:
        """Yield the features of successive frames of a sound, in batches."""
        extent = np.arange(self.target.extent) - self.target.before
        for first in range(0, len(starts), TOGETHER):
            excerpts = sound[starts[first : first + TOGETHER, None] + extent]
            with torch.inference_mode():
                wanted = self.target.wanted(torch.from_numpy(excerpts))
                predictions = self.target.prediction(wanted)
            yield self.hear(predictions)


@dataclass(frozen=True)
class Units:
    """All frames of a corpus that have sound around them.

    Attributes
    ----------
    sound : float32 array
        The pieces of the corpus, end to end.
    at : int64 array (n,)
        Where each unit begins in it.
    follower : int64 array (n,)
        The unit that follows in the film; -1 where that is none.
    attack : bool array (n,)
        Whether a unit begins with an attack.
    looks : Looks
    ceiling : Ceiling
        The highest levels of all units.
    """

    sound: FloatArray
    at: NDArray[np.int64]
    follower: NDArray[np.int64]
    attack: NDArray[np.bool_]
    looks: Looks
    ceiling: Ceiling

    @classmethod
    def of(cls, corpus: Corpus, target: Target) -> Units:
        """Cut a corpus into units, and hear them as a target would predict them.

        Raises
        ------
        BrainError
            No frame has enough sound around it, or all is silent.
        """
        sound = np.concatenate([piece.sound for piece in corpus.pieces]).astype(np.float32)
        places, followers = [], []
        looks: list[Looks] = []
        ceilings: list[Ceiling] = []
        begin = count = 0
        for piece in corpus.pieces:
            at = _places(piece.start, len(piece.sound), corpus, target) + begin
            begin += len(piece.sound)
            if not len(at):
                continue
            for features in Ear(target).hear_sound(sound, at):
                looks.append(Looks.of(features))
                ceilings.append(Ceiling.of(features))
            places.append(at)
            followers.append(np.append(np.arange(count + 1, count + len(at)), -1))
            count += len(at)
        if not count:
            raise BrainError(
                f"the corpus is too short: {corpus.seconds:.2f} s in {len(corpus.pieces)} pieces, "
                "none with sound around a whole frame; give another with --corpus LIBRARY"
            )
        heard = Looks.together(looks)
        if heard.loudness_db.max() <= SILENT_DB:
            raise BrainError("the corpus is silent; give another with --corpus LIBRARY")
        where = np.concatenate(places)
        attack = _attacks(sound, where, corpus.clock.sample_rate)
        ceiling = Ceiling.together(ceilings)
        return cls(sound, where, np.concatenate(followers), attack, heard, ceiling)

    def __len__(self) -> int:
        return len(self.at)

    def leader(self, unit: int) -> int | None:
        """Return the unit that comes before another in its film, if there is one."""
        return unit - 1 if unit > 0 and self.follower[unit - 1] == unit else None

    @property
    def silence_db(self) -> float:
        """The loudness below which a frame is silent."""
        return float(self.looks.loudness_db.max()) + FAINT_DB


def _of_length_one(vectors: FloatArray) -> FloatArray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: FloatArray = (vectors / np.maximum(length, 1e-4)).astype(np.float32)
    return unit


def _places(start: int, length: int, corpus: Corpus, target: Target) -> NDArray[np.int64]:
    """Return where in a piece the units begin that have all their sound in it."""
    clock = corpus.clock
    margin = round(MARGIN_SECONDS * clock.sample_rate)
    before = max(target.before, margin)
    after = max(target.extent - target.before, clock.slice_length + margin)
    first = int((start + before) * clock.fps / clock.sample_rate)
    count = max(int(length * clock.fps / clock.sample_rate) + 2, 0)
    at = clock.bounds(count, first) - start
    return at[(at >= before) & (at + after <= length)]


def _attacks(sound: FloatArray, at: NDArray[np.int64], sample_rate: int) -> NDArray[np.bool_]:
    length = max(round(ATTACK_SECONDS * sample_rate), 1)
    energy = np.concatenate([[0], np.cumsum(np.square(sound, dtype=np.float64))])
    own, before = energy[at + length] - energy[at], energy[at] - energy[at - length]
    attack: NDArray[np.bool_] = own > ATTACK_RATIO * before + ATTACK_FAINT * own.max(initial=0)
    return attack
