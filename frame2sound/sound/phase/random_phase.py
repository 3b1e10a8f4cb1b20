"""Phases that do not depend on the sound: zero and random."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.phase.reconstructor import (
    from_polar,
    incoherent_gain,
    pulse_gain,
    rayleigh_gain,
)
from frame2sound.sound.stft import Stft


class ZeroPhase:
    """Phase 0 at every hop: one pulse per hop, which hums at the hop rate.

    The level is right for flat magnitudes; a lone tone loses up to 4.3 dB.
    """

    def __init__(self, stft: Stft) -> None:
        self._gain = np.float32(pulse_gain(stft))

    def reconstruct(
        self, magnitude: NDArray[np.float32], onset: NDArray[np.bool_]
    ) -> NDArray[np.complex64]:
        """Return the magnitudes with phase 0, at the level of pulses."""
        return (magnitude * self._gain).astype(np.complex64)


class RandomPhase:
    """Uniform random phases at every hop and bin: noise with the given spectrum, without hum."""

    def __init__(self, stft: Stft, seed: int = 0) -> None:
        self._stft = stft
        self._gain = np.float32(incoherent_gain(stft))
        self._rng = np.random.default_rng(seed)

    def reconstruct(
        self, magnitude: NDArray[np.float32], onset: NDArray[np.bool_]
    ) -> NDArray[np.complex64]:
        """Return the magnitudes with random phases, at the level of noise."""
        phase = self._rng.random(magnitude.shape, np.float32) * np.float32(2 * np.pi)
        return from_polar(magnitude * rayleigh_gain(self._stft, magnitude) * self._gain, phase)
