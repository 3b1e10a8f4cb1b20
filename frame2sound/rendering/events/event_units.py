"""Event units: whole sounds, from attack to tail, cut out of a corpus at its own onsets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.corpus import Corpus, FilmPictures, Piece
from frame2sound.brain.event_curves import APPEARANCE_SIDE
from frame2sound.errors import SoundtrackError
from frame2sound.sound.onset_detection import detect_onsets, onset_levels_db
from frame2sound.sound.windows import hann_fade_in

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEAD_SECONDS = 0.005
"""A unit begins this long before its onset, with a fade-in."""

MAX_SECONDS, MIN_SECONDS = 3.0, 0.05
"""The longest and the shortest unit, from its onset."""

DECAY_DB = 50.0
"""A unit ends where it has fallen by this much."""

FLOOR_PERCENTILE, FLOOR_MARGIN_DB = 20.0, 3.0
"""Or where it has fallen to this percentile of its film's levels, within this margin."""

CUTTING_DB = 20.0
"""Or at the next onset; one that is quieter by more than this belongs to the unit."""

FADE_OUT_SECONDS, FADE_OUT_SHARE = 0.06, 0.25
"""The length of a fade-out: at most this, and at most this share of the unit."""

ATTACK_SEARCH_SECONDS, ATTACK_WINDOW_SECONDS = (0.012, 0.008), 0.004
"""The attack is sought this long before and after a detected onset, with windows of this length."""

REFINE_SECONDS = 0.0005
"""The attack of a unit at the rate of the films is sought this long before and after."""

MIN_ATTACK_POWER_RATIO = 4.0
"""An onset stays where it is if its power does not rise by 6 dB at any sample nearby."""

MIN_LEVEL_DB, MAX_DROP_DB = -70.0, 60.0
"""Quieter onsets are no units, nor those that are quieter than the loudest by more."""

FALLBACK_GAP_SECONDS, FALLBACK_DECAY_SECONDS = 0.5, 0.6
"""Without onsets, units begin at this distance, and fall by 60 dB within this time."""

_BLOCK_SECONDS, _SMOOTH_BLOCKS = 0.01, 3
_SILENCE_POWER = 1e-12


@dataclass(frozen=True)
class EventUnits:
    """The units of a corpus, n in number.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    pieces : tuple of Piece
        The sound, not copied.
    piece : int64 array (n,)
        The index of each unit's piece.
    onset, begin, end : int64 array (n,)
        In samples of the piece.
    levels_db : float64 array (n,)
        As `frame2sound.sound.onset_detection.onset_levels_db` measures them.
    contrasts_db : float64 array (n,)
        How much louder each is than the 50 ms before it.
    is_cut : bool array (n,)
        Whether the next onset ended it.
    appearance : float64 array (n, 64)
        The `normalise_contrast` of the thumbnail of its scene; zeros where there is none.
    decays : bool
        Whether a decay is imposed on the units, since the corpus has no onsets.
    """

    sample_rate: int
    pieces: tuple[Piece, ...]
    piece: IntArray
    onset: IntArray
    begin: IntArray
    end: IntArray
    levels_db: FloatArray
    contrasts_db: FloatArray
    is_cut: NDArray[np.bool_]
    appearance: FloatArray
    decays: bool = False

    @classmethod
    def from_corpus(cls, corpus: Corpus) -> EventUnits:
        """Cut a corpus at its onsets; one without onsets, every half second where it sounds.

        Units are cut of what brains learn from; `as_heard` gives those that are played.
        """
        corpus = corpus.analysis
        rate = corpus.sample_rate
        onsets = [_onset_samples(piece, rate) for piece in corpus.pieces]
        levels = [
            onset_levels_db(piece.samples, rate, at / rate)
            for piece, at in zip(corpus.pieces, onsets, strict=True)
        ]
        loudest = max((float(each.max(initial=-np.inf)) for each in levels), default=-np.inf)
        lowest = max(MIN_LEVEL_DB, loudest - MAX_DROP_DB)
        keep = [each >= lowest for each in levels]
        onsets = [at[which] for at, which in zip(onsets, keep, strict=True)]
        levels = [each[which] for each, which in zip(levels, keep, strict=True)]
        decays = not sum(map(len, onsets))
        if decays:
            onsets = [_regular_samples(piece, rate) for piece in corpus.pieces]
            levels = [
                onset_levels_db(piece.samples, rate, at / rate)
                for piece, at in zip(corpus.pieces, onsets, strict=True)
            ]
        return cls._cut(corpus, onsets, levels, decays)

    @classmethod
    def _cut(
        cls, corpus: Corpus, onsets: list[IntArray], levels: list[FloatArray], decays: bool
    ) -> EventUnits:
        rate = corpus.sample_rate
        lead = round(LEAD_SECONDS * rate)
        ends, cuts, contrasts, appearance = [], [], [], []
        floors = _film_floors_db(corpus)
        for piece, at, level in zip(corpus.pieces, onsets, levels, strict=True):
            end, is_cut = _unit_ends(piece, at, level, floors[piece.film], rate)
            if decays:
                longest = round(FALLBACK_DECAY_SECONDS * rate)
                end, is_cut = np.minimum(at + longest, len(piece)), is_cut & False
            ends.append(end)
            cuts.append(is_cut)
            contrasts.append(_contrasts_db(piece, at, level, rate))
            seconds = (piece.start_sample + at) / rate
            appearance.append(_appearance_at(corpus.pictures.get(piece.film), seconds))
        number = [np.full(len(at), index) for index, at in enumerate(onsets)]
        onset = np.concatenate([np.zeros(0, np.int64), *onsets])
        return cls(
            sample_rate=rate,
            pieces=corpus.pieces,
            piece=np.concatenate([np.zeros(0, np.int64), *number]),
            onset=onset,
            begin=np.maximum(onset - lead, 0),
            end=np.concatenate([np.zeros(0, np.int64), *ends]),
            levels_db=np.concatenate([np.zeros(0), *levels]),
            contrasts_db=np.concatenate([np.zeros(0), *contrasts]),
            is_cut=np.concatenate([np.zeros(0, np.bool_), *cuts]),
            appearance=np.concatenate([np.zeros((0, APPEARANCE_SIDE**2)), *appearance]),
            decays=decays,
        )

    def __len__(self) -> int:
        return len(self.onset)

    def as_heard(self, corpus: Corpus) -> EventUnits:
        """Return the same units in a corpus at its own rate, with its channels.

        Their attacks are found again: resampling has spread them over some samples.
        """
        if corpus.is_plain:
            return self
        rate = corpus.sample_rate
        lengths = np.array([len(piece) for piece in corpus.pieces], np.int64)[self.piece]
        onset = self._positions_in(corpus, self.onset).clip(0, lengths - 1)
        end = self._positions_in(corpus, self.end)
        if not self.decays:
            places = zip(self.piece.tolist(), onset.tolist(), strict=True)
            found = [_attack_near(corpus.pieces[index], at, rate) for index, at in places]
            onset = np.array(found, np.int64).clip(0, lengths - 1)
        return replace(
            self,
            sample_rate=rate,
            pieces=corpus.pieces,
            onset=onset,
            begin=np.maximum(onset - round(LEAD_SECONDS * rate), 0),
            end=end.clip(onset + 1, lengths),
        )

    def _positions_in(self, corpus: Corpus, at: IntArray) -> IntArray:
        """Return the samples of a corpus's pieces at the times of samples of these pieces."""
        own, its = (
            np.array([piece.start_sample for piece in pieces], np.int64)[self.piece]
            for pieces in (self.pieces, corpus.pieces)
        )
        scaled = (own + at) * corpus.sample_rate + self.sample_rate // 2
        positions: IntArray = scaled // self.sample_rate - its
        return positions

    def film(self, unit: int) -> str:
        """Return the name of a unit's film."""
        return self.pieces[int(self.piece[unit])].film

    def film_seconds(self, unit: int) -> float:
        """Return where a unit's onset is in its film."""
        return float(self._film_seconds[unit])

    @cached_property
    def _film_seconds(self) -> FloatArray:
        starts = np.array([piece.start_sample for piece in self.pieces], np.int64)
        seconds: FloatArray = (starts[self.piece] + self.onset) / self.sample_rate
        return seconds

    def lead(self, unit: int) -> int:
        """Return the number of samples of a unit before its onset."""
        return int(self.onset[unit] - self.begin[unit])

    def sound(self, unit: int) -> FloatArray:
        """Return a unit's sound, ``(n,)`` or ``(n, 2)``, faded in up to its onset and out."""
        piece = self.pieces[int(self.piece[unit])]
        sound: FloatArray = piece[self.begin[unit] : self.end[unit]].astype(np.float64)
        lead = self.lead(unit)
        # Transposed, a gain for each sample is one for each sample of all channels.
        sound[:lead].T[...] *= hann_fade_in(lead)
        if self.decays:
            age = np.maximum(np.arange(len(sound)) - lead, 0) / self.sample_rate
            sound.T[...] *= 10 ** (-3 * age / FALLBACK_DECAY_SECONDS)
        length = len(sound) - lead
        fade = min(round(FADE_OUT_SECONDS * self.sample_rate), int(FADE_OUT_SHARE * length))
        sound[len(sound) - fade :].T[...] *= hann_fade_in(fade)[::-1]
        return sound

    def units_of(self, film: str) -> IntArray:
        """Return the units of a film.

        Raises
        ------
        SoundtrackError
            The corpus has none of this film.
        """
        pieces = [index for index, piece in enumerate(self.pieces) if piece.film == film]
        units = np.flatnonzero(np.isin(self.piece, pieces))
        if not len(units):
            films = sorted({self.film(unit) for unit in range(len(self))})
            names = ", ".join(films[:5]) + (", ..." if len(films) > 5 else "")
            raise SoundtrackError(
                f"got an event with a sound of {film!r}, expected a film with events in the "
                f"corpus: {names}; change `film` in the list, or give its library as `corpus`"
            )
        return units

    def find(self, film: str, film_seconds: float) -> int:
        """Return the unit of a film whose onset is nearest to a time."""
        units = self.units_of(film)
        return int(units[np.abs(self._film_seconds[units] - film_seconds).argmin()])


def normalise_contrast(thumbnails: NDArray[np.floating]) -> FloatArray:
    """Return thumbnails ``(n, 64)`` without their mean, at length 1; uniform ones are zeros."""
    centred = np.asarray(thumbnails, np.float64)
    centred = centred - centred.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    normalised: FloatArray = np.where(length > 1e-2, centred / np.maximum(length, 1e-2), 0.0)
    return normalised


def _appearance_at(pictures: FilmPictures | None, seconds: FloatArray) -> FloatArray:
    """Return the appearance of the scenes at some times of a film."""
    if pictures is None:
        return np.zeros((len(seconds), APPEARANCE_SIDE**2))
    at = np.abs(pictures.times[None] - seconds[:, None]).argmin(axis=1)
    thumbnails = pictures.thumbnails[at].reshape(len(seconds), APPEARANCE_SIDE**2) / 255
    return normalise_contrast(thumbnails)


def _onset_samples(piece: Piece, rate: int) -> IntArray:
    """Return the onsets of a piece; one at its start, where sound may go on, is none."""
    onsets = np.round(detect_onsets(piece.samples, rate) * rate).astype(np.int64)
    sums = np.concatenate([[0.0], np.cumsum(np.square(piece.samples, dtype=np.float64))])
    refined = np.array([_attack(sums, at, rate) for at in onsets.tolist()], np.int64)
    earliest = round(LEAD_SECONDS * rate)
    return np.unique(refined[(refined >= earliest) & (refined < len(piece))])


def _attack(
    sums: FloatArray, onset: int, rate: int, search: tuple[float, float] = ATTACK_SEARCH_SECONDS
) -> int:
    """Return the sample near an onset at which the power rises most."""
    before, after = (round(seconds * rate) for seconds in search)
    window = max(round(ATTACK_WINDOW_SECONDS * rate), 1)
    last = len(sums) - 1
    at = np.arange(max(onset - before, 0), min(onset + after, last) + 1)
    gained = sums[np.minimum(at + window, last)] - sums[at]
    had = sums[at] - sums[np.maximum(at - window, 0)]
    least = 1e-3 * gained.max(initial=0) + _SILENCE_POWER
    ratio = (gained + least) / (had + least)
    best = int(ratio.argmax())
    return int(at[best]) if ratio[best] >= MIN_ATTACK_POWER_RATIO else onset


def _attack_near(piece: Piece, onset: int, rate: int) -> int:
    """Return the sample of a piece at which the power rises most, within `REFINE_SECONDS`."""
    reach = round((REFINE_SECONDS + ATTACK_WINDOW_SECONDS) * rate) + 1
    first = max(onset - reach, 0)
    power = np.square(piece[first : onset + reach], dtype=np.float64)
    sums = np.concatenate([[0.0], np.cumsum(power.reshape(len(power), piece.channels).sum(axis=1))])
    return first + _attack(sums, onset - first, rate, (REFINE_SECONDS, REFINE_SECONDS))


def _regular_samples(piece: Piece, rate: int) -> IntArray:
    """Return evenly spaced starts in a piece, where there is sound after them."""
    gap = round(FALLBACK_GAP_SECONDS * rate)
    at = np.arange(0, max(len(piece) - gap // 2, 1), gap)
    levels = onset_levels_db(piece.samples, rate, at / rate)
    return at[levels >= min(MIN_LEVEL_DB, float(levels.max(initial=-np.inf)))]


def _block_powers(samples: NDArray[np.float32], rate: int) -> FloatArray:
    block = max(round(_BLOCK_SECONDS * rate), 1)
    whole = samples[: len(samples) // block * block].reshape(-1, block)
    powers: FloatArray = np.square(whole, dtype=np.float64).mean(axis=1)
    return powers


def _decibels(power: FloatArray) -> FloatArray:
    return np.asarray(10 * np.log10(np.maximum(power, _SILENCE_POWER)), np.float64)


def _film_floors_db(corpus: Corpus) -> dict[str, float]:
    """Return the level of each film between its events."""
    rate, floors = corpus.sample_rate, {}
    for film in corpus.films:
        powers = [_block_powers(p.samples, rate) for p in corpus.pieces if p.film == film]
        levels = _decibels(np.concatenate(powers))
        floors[film] = float(np.percentile(levels, FLOOR_PERCENTILE)) if len(levels) else -120.0
    return floors


def _unit_ends(
    piece: Piece, onsets: IntArray, levels: FloatArray, floor_db: float, rate: int
) -> tuple[IntArray, NDArray[np.bool_]]:
    """Return the end of each unit, in samples of the piece, and whether an onset ended it."""
    shortest, longest = round(MIN_SECONDS * rate), round(MAX_SECONDS * rate)
    lead, block = round(LEAD_SECONDS * rate), max(round(_BLOCK_SECONDS * rate), 1)
    ends, cuts = np.zeros(len(onsets), np.int64), np.zeros(len(onsets), np.bool_)
    for unit, (onset, level) in enumerate(zip(onsets.tolist(), levels.tolist(), strict=True)):
        cutting = onsets[unit + 1 :][levels[unit + 1 :] >= level - CUTTING_DB]
        limit = min(onset + longest, len(piece))
        if len(cutting):
            limit = min(limit, max(int(cutting[0]) - lead, onset + 1))
        powers = _block_powers(piece[onset:limit], rate)
        smooth = np.convolve(powers, np.ones(_SMOOTH_BLOCKS) / _SMOOTH_BLOCKS)
        quiet = _decibels(smooth) <= max(level - DECAY_DB, floor_db + FLOOR_MARGIN_DB)
        quiet[: -(-shortest // block)] = False
        quiet = quiet[: len(powers)]
        ends[unit] = onset + (int(quiet.argmax()) + 1) * block if quiet.any() else limit
        cuts[unit] = bool(len(cutting)) and ends[unit] == limit
    return ends, cuts


def _contrasts_db(piece: Piece, onsets: IntArray, levels: FloatArray, rate: int) -> FloatArray:
    length = round(0.05 * rate)
    before = [piece[max(at - length, 0) : at] for at in onsets.tolist()]
    powers = [float(np.square(part, dtype=np.float64).sum()) / length for part in before]
    return levels - _decibels(np.array(powers))
