"""Onsets: detection, F-measure, chance level, and the share of onset energy in sync.

A sound is mono, full scale is 1.0, and sample 0 is at 0 seconds of the film. Sounds are read block
by block, so they may be memory-mapped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from frame2sound.sound.spectral_flux import WINDOW_SECONDS, spectral_flux

Samples = NDArray[np.floating]
Times = NDArray[np.float64]

MAX_EARLY_SECONDS, MAX_LATE_SECONDS = 0.045, 0.125
"""Detectability of sound before and after its picture, ITU-R BT.1359-1."""


@dataclass(frozen=True)
class OnsetScores:
    """Precision, recall and F-measure of onsets, each in [0, 1]."""

    precision: float
    recall: float
    f_measure: float


def onset_scores(
    estimated: ArrayLike, reference: ArrayLike, window_seconds: float = 0.05
) -> OnsetScores:
    """Return precision, recall and F-measure of onsets by `mir_eval.onset.f_measure`.

    Each reference onset matches at most one estimated onset within ``window_seconds``. If neither
    side has onsets, all scores are 1; if only one side has, they are 0.

    Parameters
    ----------
    estimated, reference : array of shape (onsets,)
        In seconds, in any order.
    window_seconds : float
        Largest distance of a match.
    """
    from mir_eval.onset import f_measure

    est, ref = (np.sort(np.asarray(side, dtype=np.float64)) for side in (estimated, reference))
    if not len(est) or not len(ref):
        score = float(len(est) == len(ref))
        return OnsetScores(score, score, score)
    f, precision, recall = f_measure(ref, est, window=window_seconds)
    return OnsetScores(float(precision), float(recall), float(f))


def match_onsets(
    estimated: ArrayLike, reference: ArrayLike, window_seconds: float = 0.05
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


def onset_chance(
    onset_count: int,
    reference: ArrayLike,
    seconds: float,
    draws: int = 200,
    seed: int = 0,
    window_seconds: float = 0.05,
) -> float:
    """Return the mean F-measure of ``onset_count`` random onsets, uniform in [0, seconds)."""
    rng = np.random.default_rng(seed)
    guesses = (rng.uniform(0.0, seconds, onset_count) for _ in range(draws))
    return float(np.mean([onset_scores(g, reference, window_seconds).f_measure for g in guesses]))


def in_sync(samples: Samples, reference_onsets: ArrayLike, sample_rate: int) -> float | None:
    """Return the share of onset energy from 45 ms before to 125 ms after a reference onset.

    Onset energy is the positive change of power, in linear units, from one 20 ms Hann window to
    the next, 4 ms later. Steady noise scores the share of time that is near a reference onset. The
    limits are those of detectability in ITU-R BT.1359-1.

    Returns
    -------
    float or None
        In [0, 1]; None if the sound has no onset energy.
    """
    _, energy, near = onset_energy(samples, reference_onsets, sample_rate)
    return float(energy[near].sum() / energy.sum()) if energy.any() else None


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
    near = np.searchsorted(reference, times + MAX_EARLY_SECONDS, side="right")
    near -= np.searchsorted(reference, times - MAX_LATE_SECONDS, side="left")
    return times, flux.power, near > 0
