"""The corpus of live playing: in memory, at the rate of the sound card, cut into units."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.corpus import Corpus
from frame2sound.brain.pieces import Piece
from frame2sound.brain.predictor import Predictor
from frame2sound.errors import SoundtrackError
from frame2sound.rendering.events.bed import without_attacks
from frame2sound.rendering.events.event_units import EventUnits
from frame2sound.rendering.events.unit_choice import SPECTRUM_WEIGHT, ChoiceWeights, UnitChooser
from frame2sound.rendering.mosaic.unit_database import UnitDatabase
from frame2sound.rendering.style import knows_spectrum
from frame2sound.sound.resampler import resample

Samples = NDArray[np.float32]

CACHED_UNITS = 64
"""Units whose sound is kept ready to be played."""

ATTACK_LEAD = 48
"""A unit is played from so many samples before its onset on: more would be heard too late."""


@dataclass(frozen=True)
class PlayableUnit:
    """The sound of a unit ``(n, 2)``; its onset is after ``lead`` samples."""

    sound: Samples
    lead: int


class LiveCorpus:
    """The units of a corpus, chosen for events, and its frames, of which grains are made.

    ``start_choice`` returns a new `UnitChooser`; ``unit`` returns a unit's sound by its number.

    Parameters
    ----------
    corpus : Corpus
    brain : Predictor
    sample_rate : int
        Of the sound card, in Hz; a corpus at another rate is resampled once.
    seed : int

    Raises
    ------
    SoundtrackError
        The corpus has no unit.
    BrainError
        The corpus is silent or too short.
    """

    def __init__(self, corpus: Corpus, brain: Predictor, sample_rate: int, seed: int = 0) -> None:
        corpus = corpus_at_rate(corpus, sample_rate)
        units = EventUnits.from_corpus(corpus)
        if not len(units):
            raise SoundtrackError(
                "found no sound in the corpus that an event can have, expected at least one onset; "
                "give another library as `corpus`"
            )
        self.played = units.as_heard(corpus)
        self.frames = without_attacks(
            UnitDatabase.from_corpus(corpus, brain.target), corpus, self.played
        )
        weights = ChoiceWeights(spectrum=SPECTRUM_WEIGHT if knows_spectrum(brain) else 0.0)
        self.start_choice = partial(
            UnitChooser, units, brain.target, brain.clock, weights, seed=seed
        )
        self.channels = corpus.channels
        self.unit = lru_cache(CACHED_UNITS)(self._unit)

    def _unit(self, number: int) -> PlayableUnit:
        sound = stereo(self.played.sound(number))
        lead = self.played.lead(number)
        cut = max(lead - ATTACK_LEAD, 0)
        sound = sound[cut:]
        lead -= cut
        if cut:
            sound[:lead] *= np.linspace(0, 1, lead, endpoint=False, dtype=np.float32)[:, None]
        return PlayableUnit(sound, lead)


def corpus_at_rate(corpus: Corpus, sample_rate: int) -> Corpus:
    """Return a corpus at another sample rate; itself if it has that."""
    if corpus.sample_rate == sample_rate:
        return corpus
    rates = (corpus.sample_rate, sample_rate)
    pieces = tuple(_resampled(piece, rates) for piece in corpus.pieces)
    return replace(corpus, pieces=pieces, sample_rate=sample_rate)


def _resampled(piece: Piece, rates: tuple[int, int]) -> Piece:
    old, new = rates
    begin = -(-piece.start_sample * new // old)
    end = (piece.start_sample + len(piece)) * new // old
    sound = resample(piece.blocks(), rates, piece.start_sample, begin, end)
    return Piece(piece.film, begin, np.concatenate(list(sound)))


def stereo(sound: NDArray[np.floating]) -> Samples:
    """Return sound ``(n,)`` or ``(n, 2)`` as float32 ``(n, 2)``, not shared."""
    both = np.empty((len(sound), 2), np.float32)
    both[...] = sound if sound.ndim == 2 else sound[:, None]
    return both


def transposed(sound: Samples, semitones: float) -> Samples:
    """Return sound ``(n, 2)`` read faster or slower, by linear interpolation; 0 changes nothing."""
    if not semitones:
        return sound
    speed = 2 ** (semitones / 12)
    count = max(int(len(sound) / speed), 1)
    at, places = np.arange(count) * speed, np.arange(len(sound))
    channels = [np.interp(at, places, channel) for channel in sound.T]
    return np.stack(channels, axis=1).astype(np.float32)
