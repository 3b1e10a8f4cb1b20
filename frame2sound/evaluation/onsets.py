"""Onsets: F-measure, chance level, and the share of onset energy in sync.

A sound is mono, full scale is 1.0, and sample 0 is at 0 seconds of the film. Sounds are read block
by block, so they may be memory-mapped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from frame2sound.sound.onset_matching import SHIFTS, TOLERANCE_SECONDS, count_shifted_matches
from frame2sound.sound.spectral_flux import WINDOW_SECONDS, spectral_flux

Samples = NDArray[np.floating]
Times = NDArray[np.float64]
ShiftedMatches = tuple[NDArray[np.integer], int]

MAX_EARLY_SECONDS, MAX_LATE_SECONDS = 0.045, 0.125
"""Detectability of sound before and after its picture, ITU-R BT.1359-1."""

EDGE_SECONDS = 0.05
"""How much is left out at the start of a sound, where a steady sound rises too."""

SYNC_MARGIN = 0.2
"""By how much a film's own sound must be more in sync than when it is shifted."""

_SYNC_SHIFTS, _MIN_SYNC_SHIFT_SECONDS = 100, 0.25

CHANCE_QUANTILE = 0.95


@dataclass(frozen=True)
class OnsetScores:
    """Precision, recall and F-measure of onsets, each in [0, 1]."""

    precision: float
    recall: float
    f_measure: float


def onset_scores(
    estimated: ArrayLike, reference: ArrayLike, window_seconds: float = TOLERANCE_SECONDS
) -> OnsetScores | None:
    """Return precision, recall and F-measure of onsets by `mir_eval.onset.f_measure`.

    Each reference onset matches at most one estimated onset within ``window_seconds``. If only one
    side has onsets, all scores are 0; if neither has any, there is nothing to score: None.

    Parameters
    ----------
    estimated, reference : array of shape (onsets,)
        In seconds, in any order.
    window_seconds : float
        Largest distance of a match.
    """
    from mir_eval.onset import f_measure

    est, ref = (np.sort(np.asarray(side, dtype=np.float64)) for side in (estimated, reference))
    if not len(est) and not len(ref):
        return None
    if not len(est) or not len(ref):
        return OnsetScores(0.0, 0.0, 0.0)
    f, precision, recall = f_measure(ref, est, window=window_seconds)
    return OnsetScores(float(precision), float(recall), float(f))


def match_onsets(
    estimated: ArrayLike, reference: ArrayLike, window_seconds: float = TOLERANCE_SECONDS
) -> list[tuple[int, int]]:
    """Return the pairs of matching onsets, as indices (reference, estimated).

    The largest one-to-one matching, by `mir_eval.util.match_events`; `onset_scores` counts the same
    matches.
    """
    from mir_eval.util import match_events

    est, ref = (np.asarray(side, dtype=np.float64) for side in (estimated, reference))
    if not len(est) or not len(ref):
        return []
    return [(int(one), int(other)) for one, other in match_events(ref, est, window_seconds)]


@dataclass(frozen=True, eq=False)
class CountedOnsets:
    """Onsets from a time on, and which of the reference's are matched.

    Attributes
    ----------
    estimated : array of shape (estimates,)
    reference : array of shape (references,)
    is_hit : array of shape (references,)
        Whether an estimated onset matches it.
    """

    estimated: Times
    reference: Times
    is_hit: NDArray[np.bool_]

    @property
    def f_measure(self) -> float | None:
        """The F-measure; None if neither side has onsets."""
        total = len(self.estimated) + len(self.reference)
        return 2 * float(self.is_hit.sum()) / total if total else None


def count_onsets(
    estimated: Times,
    reference: Times,
    first_seconds: float = EDGE_SECONDS,
    window_seconds: float = TOLERANCE_SECONDS,
) -> CountedOnsets:
    """Return the onsets that count from a time on, without an edge effect.

    A reference onset counts from ``first_seconds`` on. An estimated one counts if it matches one
    that counts, or matches none and is not earlier; if it matches one that does not count, nor does
    it.

    Parameters
    ----------
    estimated, reference : arrays of shape (onsets,)
        In seconds, ascending.

    Examples
    --------
    A steady sound rises at its start, on both sides, and scores nothing by it:

    >>> count_onsets(np.array([0.0, 1.0]), np.array([0.0])).f_measure
    0.0
    """
    estimated = estimated[estimated >= first_seconds - window_seconds]
    is_hit = np.zeros(len(reference), np.bool_)
    counted = estimated >= first_seconds
    for ref, est in match_onsets(estimated, reference, window_seconds):
        is_hit[ref] = True
        counted[est] = reference[ref] >= first_seconds
    from_first = reference >= first_seconds
    return CountedOnsets(estimated[counted], reference[from_first], is_hit[from_first])


@dataclass(frozen=True)
class OnsetChance:
    """F-measures that circular shifts of the estimated onsets reach: their mean and 95 % point."""

    mean: float
    high: float

    @classmethod
    def of(cls, f_measures: NDArray[np.float64]) -> OnsetChance:
        """Return chance from the F-measure of each shift."""
        return cls(float(f_measures.mean()), float(np.quantile(f_measures, CHANCE_QUANTILE)))


def onset_chance(
    estimated: Times, reference: Times, seconds: float, window_seconds: float = TOLERANCE_SECONDS
) -> OnsetChance | None:
    """Return the F-measures of circular shifts of the estimated onsets: chance.

    See `frame2sound.sound.onset_matching.count_shifted_matches`. None if neither side has onsets,
    or the sound is too short to be shifted.

    Parameters
    ----------
    estimated, reference : arrays of shape (onsets,)
        In seconds, ascending.
    seconds : float
        Length of the sound.
    """
    matches = count_shifted_matches(estimated, reference, seconds, window_seconds)
    return pool_chance([(matches, len(estimated) + len(reference))])


def pool_chance(sounds: Iterable[ShiftedMatches]) -> OnsetChance | None:
    """Return chance of several sounds together, pooled as their F-measure is: by counts.

    Parameters
    ----------
    sounds : iterable
        Of each, its matches by shift, as `count_shifted_matches` returns them, and the number of
        its estimated and reference onsets together. Those without shifts do not count.

    Returns
    -------
    OnsetChance or None
        None if there are no onsets.
    """
    return mean_chance([sounds])


def mean_chance(films: Iterable[Iterable[ShiftedMatches]]) -> OnsetChance | None:
    """Return chance of the mean F-measure of films, each of several sounds; see `pool_chance`.

    The shifts of each sound are taken in an order of its own, so that sounds of one rhythm are not
    shifted alike.
    """
    number, f_measures = 0, []
    for sounds in films:
        matches, total = np.zeros(SHIFTS), 0
        for each, count in sounds:
            if len(each):
                order = np.random.default_rng(number).permutation(SHIFTS)
                matches, total = matches + np.resize(each, SHIFTS)[order], total + count
                number += 1
        if total:
            f_measures.append(2 * matches / total)
    return OnsetChance.of(np.mean(f_measures, axis=0)) if f_measures else None


def in_sync(samples: Samples, reference_onsets: ArrayLike, sample_rate: int) -> float | None:
    """Return the share of onset energy from 45 ms before to 125 ms after a reference onset.

    Onset energy is the positive change of power, in linear units, from one 20 ms Hann window to
    the next, 4 ms later, after the first `EDGE_SECONDS`. Steady noise scores the share of time that
    is near a reference onset, and so does a sound that swells: ask `carries_sync` of the film's own
    sound first. The limits are those of detectability in ITU-R BT.1359-1.

    Returns
    -------
    float or None
        In [0, 1]; None if the sound has no onset energy.
    """
    times, energy, near = onset_energy(samples, reference_onsets, sample_rate)
    energy = np.where(times >= EDGE_SECONDS, energy, 0.0)
    return float(energy[near].sum() / energy.sum()) if energy.any() else None


def carries_sync(
    samples: Samples, onsets: Times, sample_rate: int, first_seconds: float = EDGE_SECONDS
) -> bool:
    """Return whether "in sync" says anything of a film, by the film's own sound.

    It does if the sound's share of onset energy near its onsets is higher, by `SYNC_MARGIN`, than
    the mean share near circularly shifted onsets. Sounds that swell rise long after they begin;
    where onsets are dense, all energy is near one of them.

    Parameters
    ----------
    samples : array of shape (samples,)
        The film's own sound.
    onsets : array of shape (onsets,)
        In seconds, ascending.
    first_seconds : float
        From which time on energy and onsets count.
    """
    times, energy, near = onset_energy(samples, onsets, sample_rate)
    counted = times >= first_seconds
    times, energy, near = times[counted], energy[counted], near[counted]
    onsets = onsets[onsets >= first_seconds] - first_seconds
    seconds = len(samples) / sample_rate - first_seconds
    reach = seconds - 2 * _MIN_SYNC_SHIFT_SECONDS
    if reach <= 0 or not energy.any():
        return False
    places = (
        np.arange(_SYNC_SHIFTS) + np.random.default_rng(0).random(_SYNC_SHIFTS)
    ) / _SYNC_SHIFTS
    shifts = _MIN_SYNC_SHIFT_SECONDS + reach * places
    shares = [
        energy[_is_near(times, np.sort((onsets + shift) % seconds) + first_seconds)].sum()
        for shift in shifts
    ]
    return bool(energy[near].sum() - np.mean(shares) >= SYNC_MARGIN * energy.sum())


def onset_energy(
    samples: Samples, reference_onsets: ArrayLike, sample_rate: int
) -> tuple[Times, NDArray[np.float64], NDArray[np.bool_]]:
    """Return the onset energy of each hop: its time in seconds, its amount, whether it is in sync.

    All three are arrays of shape (hops,).
    """
    flux = spectral_flux(samples, sample_rate)
    reference = np.sort(np.asarray(reference_onsets, dtype=np.float64))
    # The power of an attack rises fastest when it is a quarter of the window in.
    hops = np.arange(len(flux.power), dtype=np.float64)
    times = (hops + 0.5) * flux.hop_seconds - WINDOW_SECONDS / 4
    return times, flux.power, _is_near(times, reference)


def _is_near(times: Times, reference_onsets: Times) -> NDArray[np.bool_]:
    """Return which times are from 45 ms before to 125 ms after an onset."""
    count = np.searchsorted(reference_onsets, times + MAX_EARLY_SECONDS, side="right")
    count -= np.searchsorted(reference_onsets, times - MAX_LATE_SECONDS, side="left")
    is_near: NDArray[np.bool_] = count > 0
    return is_near
