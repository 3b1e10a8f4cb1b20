"""Phases taken from another sound, hop by hop."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.phase.reconstructor import from_polar
from frame2sound.sound.stft import Stft

_MIN_MAGNITUDE = 1e-9


class PhaseFromAudio:
    """Gives magnitudes the phases of another sound, hop by hop from its start.

    With its own phases a sound is restored. At its end the other sound starts again, after a whole
    number of hops and without a crossfade; samples after its last whole hop are not used. Where it
    is silent the phases are 0. The level is right where the two sounds change together, and too
    low by up to `incoherent_gain` where they are unrelated; no gain is right for both.

    Parameters
    ----------
    stft : Stft
    samples : float array, shape (n_samples,)
        The other sound, mono.
    sample_rate, expected_sample_rate : int
        Of the other sound and of the output, in Hz.

    Raises
    ------
    ValueError
        The sound is not mono, is shorter than a window, or has another sample rate.
    """

    def __init__(
        self,
        stft: Stft,
        samples: NDArray[np.floating[Any]],
        sample_rate: int,
        expected_sample_rate: int,
    ) -> None:
        if sample_rate != expected_sample_rate:
            raise ValueError(
                f"got a phase sound at {sample_rate} Hz, expected {expected_sample_rate} Hz: "
                "resample it"
            )
        if samples.ndim != 1:
            raise ValueError(
                f"got a phase sound of shape {samples.shape}, expected mono, (samples,)"
            )
        if len(samples) < stft.window_size:
            raise ValueError(
                f"got a phase sound of {len(samples) / sample_rate:.3f} s, expected at least one "
                f"window, {stft.window_size / sample_rate:.3f} s"
            )
        self._stft, self._samples = stft, samples
        self._loop_hops = len(samples) // stft.hop
        self._hop = 0

    def reconstruct(
        self, magnitude: NDArray[np.float32], onset: NDArray[np.bool_]
    ) -> NDArray[np.complex64]:
        """Return the magnitudes with the phases of the other sound's next hops."""
        hops = (self._hop + np.arange(len(magnitude))) % self._loop_hops
        self._hop = (self._hop + len(magnitude)) % self._loop_hops
        spectra = self._stft.analyse(self._samples, hops * self._stft.hop)
        spectra[np.abs(spectra) < _MIN_MAGNITUDE] = 1
        return from_polar(magnitude, np.angle(spectra))
