"""Similarity of the RMS envelopes of two sounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from frame2sound.clock import Clock
from frame2sound.evaluation.levels import slice_energies

Samples = NDArray[np.floating]
Envelope = NDArray[np.float64]

ENVELOPE_HZ = 100
CONSTANT_ENVELOPE_STD = 1e-6
"""An envelope whose standard deviation is below -120 dBFS counts as constant."""

LEAST_CHANGE_DB = 1.0
"""A reference whose envelope deviates by less than this from its mean counts as constant, too.

About as much is heard as a change of level (Zwicker and Fastl, "Psychoacoustics", 3rd ed. 2007,
chapter 7), and the envelope of steady white noise deviates by half of it, at random.
"""


@dataclass(frozen=True)
class EnvelopeScores:
    """Correlation, in [-1, 1], and mean absolute error, in amplitude, of two RMS envelopes.

    The correlation is None if the reference's envelope is constant, see `has_constant_level`.
    """

    correlation: float | None
    mean_absolute_error: float


def envelope_scores(estimate: Samples, reference: Samples, sample_rate: int) -> EnvelopeScores:
    """Return correlation and mean absolute error of the RMS envelopes of two sounds, at 100 Hz.

    The shorter sound is padded with silence. A constant envelope has a correlation of 0 with one
    that is not; where the reference's is constant, nothing can be said.
    """
    ours, theirs = rms_envelopes(estimate, reference, sample_rate)
    if not len(ours):
        return EnvelopeScores(None, 0.0)
    deviations = float(ours.std()), float(theirs.std())
    correlation: float | None
    if has_constant_level(theirs.mean(), theirs.std()):
        correlation = None
    elif deviations[0] < CONSTANT_ENVELOPE_STD:
        correlation = 0.0
    else:
        covariance = np.mean((ours - ours.mean()) * (theirs - theirs.mean()))
        correlation = float(np.clip(covariance / math.prod(deviations), -1.0, 1.0))
    return EnvelopeScores(correlation, float(np.mean(np.abs(ours - theirs))))


def has_constant_level(mean: ArrayLike, deviation: ArrayLike) -> NDArray[np.bool_]:
    """Return whether a reference's envelope has too little change for a correlation with it.

    Parameters
    ----------
    mean, deviation : array_like
        Of the envelope, in amplitude.

    Examples
    --------
    >>> has_constant_level([0.1, 0.1, 0.0], [0.01, 0.02, 0.0])  # 0.8 dB, 1.6 dB, silence
    array([ True, False,  True])
    """
    least = (10 ** (LEAST_CHANGE_DB / 20) - 1) * np.asarray(mean)
    return np.asarray(deviation) < np.maximum(least, CONSTANT_ENVELOPE_STD)


def rms_envelopes(
    estimate: Samples, reference: Samples, sample_rate: int
) -> tuple[Envelope, Envelope]:
    """Return the RMS envelopes of two sounds at 100 Hz, both as long as the longer sound."""
    clock = Clock(Fraction(ENVELOPE_HZ), sample_rate)
    length = Fraction(max(len(estimate), len(reference)), sample_rate)
    bounds = clock.sample_bounds(clock.count_frames_within(length))
    ours, theirs = (
        np.sqrt(slice_energies(part, bounds) / np.diff(bounds)) for part in (estimate, reference)
    )
    return ours, theirs
