"""What is right or wrong with a soundtrack, in numbers.

Pure functions on arrays. A sound is mono, full scale is 1.0, sample 0 is time 0 of the film, and
what a soundtrack lacks at its end counts as silence. Long films are read block by block, so they
may be memory-mapped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from frame2sound.clock import Clock
from frame2sound.evaluation.levels import (
    black_level_db,
    count_clipped,
    rms_db,
    slice_energies,
    true_peak_db,
)
from frame2sound.evaluation.spectral_flux import (
    HOP_SECONDS,
    WINDOW_SECONDS,
    pick_onset_hops,
    spectral_flux,
)

__all__ = [
    "EnvelopeScores",
    "Lag",
    "OnsetScores",
    "black_level_db",
    "count_clipped",
    "envelope_scores",
    "in_sync",
    "lag",
    "onset_chance",
    "onset_scores",
    "detect_onsets",
    "rms_db",
    "true_peak_db",
]

Samples = NDArray[np.floating]
Times = NDArray[np.float64]
Envelope = NDArray[np.float64]

MAX_EARLY_SECONDS, MAX_LATE_SECONDS = (
    0.045,
    0.125,
)  # detectability of audio lead and lag, ITU-R BT.1359-1

ENVELOPE_HZ = 100
CONSTANT_ENVELOPE_STD = 1e-6
"""An envelope whose standard deviation is below -120 dBFS is constant."""


@dataclass(frozen=True)
class OnsetScores:
    """Precision, recall and F-measure of onsets, each in [0, 1]."""

    precision: float
    recall: float
    f_measure: float


@dataclass(frozen=True)
class Lag:
    """How late a sound is, in seconds, at its start and end; negative where it is early."""

    start_seconds: float | None
    end_seconds: float | None

    @property
    def drift_seconds(self) -> float | None:
        """Seconds that the sound loses between its start and its end."""
        return (
            None
            if self.start_seconds is None or self.end_seconds is None
            else self.end_seconds - self.start_seconds
        )


@dataclass(frozen=True)
class EnvelopeScores:
    """Correlation, in [-1, 1], and mean absolute error, in amplitude, of two RMS envelopes."""

    correlation: float
    mean_absolute_error: float


def detect_onsets(samples: Samples, sample_rate: int) -> Times:
    """Return when things begin to sound, in seconds, ascending.

    Where the spectral flux of log band powers rises (see `flux` and `rising_hops`). The threshold
    is absolute, so steady noise, and whatever stays below -60 dBFS, has no onsets.

    Parameters
    ----------
    sound : array of shape (samples,)
    sample_rate : int
        In Hz.

    Returns
    -------
    array of shape (onsets,)
        At least 30 ms apart.
    """
    heard = spectral_flux(samples, sample_rate)
    return pick_onset_hops(heard).astype(np.float64) * heard.hop_seconds


def onset_scores(
    estimated: ArrayLike, reference: ArrayLike, window_seconds: float = 0.05
) -> OnsetScores:
    """Return how well onsets, in seconds, meet the true ones: `mir_eval.onset.f_measure`.

    Each true onset is met by at most one estimated onset within ``window_seconds``, so firing all
    the time buys recall with precision. No onsets where there are none to find score 1; no onsets
    on one side only score 0.
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
    """Return which onsets meet: numbers of true ones beside those of estimated ones.

    As many as can be, each at most once: `mir_eval.util.match_events`, whose matches
    `onset_scores` counts.
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
    """Return the mean F-measure of ``count`` onsets drawn uniformly from [0, seconds)."""
    rng = np.random.default_rng(seed)
    guesses = (rng.uniform(0.0, seconds, onset_count) for _ in range(draws))
    return float(np.mean([onset_scores(g, reference, window_seconds).f_measure for g in guesses]))


def lag(
    estimate: Samples,
    reference: Samples,
    sample_rate: int,
    excerpt_seconds: float = 10.0,
    max_lag_seconds: float = 0.5,
) -> Lag:
    """Return how late a sound is against a reference, at the start and at the end of both.

    The peak, within ``most_seconds``, of the cross-correlation of the onset strengths of the first
    and of the last ``span_seconds`` that both have; a parabola through the peak places it between
    hops, to a millisecond or so. None where either has no onset strength.
    """
    length = min(len(estimate), len(reference))
    span = min(length, math.ceil(excerpt_seconds * sample_rate))
    cut = math.ceil(WINDOW_SECONDS / HOP_SECONDS)  # the edge of an excerpt is no onset
    most = math.ceil(max_lag_seconds / HOP_SECONDS)

    def between(first: int) -> float | None:
        late, base = (
            spectral_flux(part[first : first + span], sample_rate) for part in (estimate, reference)
        )
        hops = _lag_hops(late.rise_db[cut:], base.rise_db[cut:], most)
        return None if hops is None else hops * late.hop_seconds

    return Lag(between(0), between(length - span))


def in_sync(samples: Samples, reference_onsets: ArrayLike, sample_rate: int) -> float | None:
    """Return the share of onset energy that falls from 45 ms before to 125 ms after a true onset.

    Onset energy is the positive change of power, in linear units, from one 20 ms Hann window to
    the next, 4 ms later. Steady noise scores the share of time that the true onsets cover. The
    limits are those of detectability in ITU-R BT.1359-1.

    Returns
    -------
    float or None
        In [0, 1]; None when the sound has no onset energy to judge.
    """
    _, power, near = onset_energy(samples, reference_onsets, sample_rate)
    return float(power[near].sum() / power.sum()) if power.any() else None


def onset_energy(
    samples: Samples, reference_onsets: ArrayLike, sample_rate: int
) -> tuple[Times, Envelope, NDArray[np.bool_]]:
    """Return when onset energy falls, in seconds, how much, and which of it is in sync."""
    heard = spectral_flux(samples, sample_rate)
    truth = np.sort(np.asarray(reference_onsets, dtype=np.float64))
    # Power rises fastest when it is a quarter window in.
    hops = np.arange(len(heard.power), dtype=np.float64)
    at = (hops + 0.5) * heard.hop_seconds - WINDOW_SECONDS / 4
    near = np.searchsorted(truth, at + MAX_EARLY_SECONDS, side="right")
    near -= np.searchsorted(truth, at - MAX_LATE_SECONDS, side="left")
    return at, heard.power, near > 0


def envelope_scores(estimate: Samples, reference: Samples, sample_rate: int) -> EnvelopeScores:
    """Return how alike the RMS envelopes of two sounds are, at 100 Hz; the shorter is padded.

    An envelope that varies by less than -120 dBFS is constant: two constant envelopes correlate
    1, a constant one and another 0.
    """
    ours, theirs = rms_envelopes(estimate, reference, sample_rate)
    if not len(ours):
        return EnvelopeScores(1.0, 0.0)
    spreads = float(ours.std()), float(theirs.std())
    if min(spreads) < CONSTANT_ENVELOPE_STD:
        correlation = float(max(spreads) < CONSTANT_ENVELOPE_STD)
    else:
        covariance = np.mean((ours - ours.mean()) * (theirs - theirs.mean()))
        correlation = float(np.clip(covariance / math.prod(spreads), -1.0, 1.0))
    return EnvelopeScores(correlation, float(np.mean(np.abs(ours - theirs))))


def rms_envelopes(
    estimate: Samples, reference: Samples, sample_rate: int
) -> tuple[Envelope, Envelope]:
    """Return the RMS envelopes of two sounds at 100 Hz, as long as the longer one."""
    clock = Clock(Fraction(ENVELOPE_HZ), sample_rate)
    length = Fraction(max(len(estimate), len(reference)), sample_rate)
    bounds = clock.sample_bounds(clock.count_frames_within(length))
    ours, theirs = (
        np.sqrt(slice_energies(part, bounds) / np.diff(bounds)) for part in (estimate, reference)
    )
    return ours, theirs


def _lag_hops(estimate: Envelope, reference: Envelope, max_hops: int) -> float | None:
    """Return by how many hops ``late`` trails ``base``, ``most`` at most; None if one is flat."""
    if not np.any(estimate) or not np.any(reference):
        return None
    estimate, reference = estimate - estimate.mean(), reference - reference.mean()
    size = 2 * len(reference)
    both = np.fft.irfft(np.fft.rfft(estimate, size) * np.conj(np.fft.rfft(reference, size)), size)
    reach = min(max_hops, len(reference) - 1)
    near = np.roll(both, reach)[: 2 * reach + 1]
    top = int(near.argmax())
    if not 0 < top < len(near) - 1:
        return float(top - reach)
    left, peak, right = (float(value) for value in near[top - 1 : top + 2])
    return top - reach + 0.5 * (left - right) / min(left - 2 * peak + right, -1e-300)
