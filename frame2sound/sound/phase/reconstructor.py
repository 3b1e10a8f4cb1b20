"""The protocol of phase reconstruction, and what its implementations share."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.sliding import sliding_mean
from frame2sound.sound.stft import Stft

_SMOOTHNESS_BINS = 17
"""Bins over which the roughness of magnitudes is measured; more with zero padding."""

RAYLEIGH_POWER_RATIO = 4 / math.pi
"""Mean power over squared mean magnitude of Gaussian noise, at any one bin."""


class PhaseReconstructor(Protocol):
    """Gives phases to the magnitudes of successive hops; it keeps its state between calls."""

    def reconstruct(
        self, magnitude: NDArray[np.float32], onset: NDArray[np.bool_]
    ) -> NDArray[np.complex64]:
        """Return spectra from which overlap-add makes sound of the right level.

        Parameters
        ----------
        magnitude : float32, shape (n, bins)
            Linear, 0 and above, at the ``n`` hops after those of the call before. The size of calls
            makes no difference, unless the implementation says that a call is a chunk.
        onset : bool, shape (n,)
            Where an event begins; an implementation may restart there.
        """
        ...


def from_polar(
    magnitude: NDArray[np.float32], phase: NDArray[np.floating[Any]]
) -> NDArray[np.complex64]:
    """Return complex spectra from magnitudes and phases in radians."""
    angle = np.asarray(phase, np.float32)
    spectra = np.empty(np.broadcast_shapes(magnitude.shape, angle.shape), np.complex64)
    np.multiply(magnitude, np.cos(angle), out=spectra.real)
    np.multiply(magnitude, np.sin(angle), out=spectra.imag)
    return spectra


def incoherent_gain(stft: Stft) -> float:
    """Return the gain that restores the level of blocks with unrelated phases.

    White noise of variance 1 has spectra of power ``sum(w**2)``, before scaling. Under random
    phases a block is stationary with variance ``sum(w**2) / n_fft``; overlapped under ``w`` and
    divided by ``D = sum over hops of w**2``, blocks that add in power have variance
    ``sum(w**2) / n_fft / D``, and ``D`` is ``sum(w**2) / hop`` where it is constant. Where it
    is not, its mean reciprocal counts. A four-fold Hann window loses 6.02 dB.
    """
    squares = np.pad(stft.analysis_window**2, (0, stft.overlap_factor * stft.hop - stft.n_fft))
    overlapped = squares.reshape(stft.overlap_factor, stft.hop).sum(axis=0)
    return math.sqrt(stft.n_fft / (squares.sum() * np.mean(1 / overlapped)))


def pulse_gain(stft: Stft) -> float:
    """Return the gain of blocks that are pulses at their centre, as phase 0 gives.

    A block of white noise has the energy ``sum(w**2)``; at its centre the windows' quotient is
    ``1 / D``, and one such block a hop has the power ``sum(w**2) / D**2 / hop``.
    """
    window = stft.analysis_window
    centre = stft.n_fft // 2
    overlapped = float((window[centre % stft.hop :: stft.hop] ** 2).sum())
    return overlapped * math.sqrt(stft.hop / float((window**2).sum()))


def rayleigh_gain(stft: Stft, magnitude: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the gain, 1 to sqrt(4 / pi), by which mean magnitudes of noise get its power.

    The magnitude of noise is Rayleigh distributed: the mean power is ``4 / pi`` of the mean
    magnitude squared. Magnitudes that vary so much among neighbouring bins have that power by
    themselves; smooth ones, such as averages or predictions, lack up to 1.05 dB of it.

    Parameters
    ----------
    magnitude : float32, shape (n, bins)
    """
    around = round(_SMOOTHNESS_BINS * stft.n_fft / stft.window_size)
    mean = sliding_mean(magnitude, around)
    power = sliding_mean(magnitude * magnitude, around)
    lacking = RAYLEIGH_POWER_RATIO * mean * mean / np.maximum(power, np.finfo(np.float32).tiny)
    gain: NDArray[np.float32] = np.sqrt(np.clip(lacking, 1, RAYLEIGH_POWER_RATIO)).astype(
        np.float32
    )
    return gain
