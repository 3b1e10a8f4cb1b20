"""The fast Griffin-Lim algorithm, on successive chunks of hops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.phase.phase_vocoder import PhaseVocoder
from frame2sound.sound.phase.reconstructor import (
    PhaseReconstructor,
    incoherent_gain,
    rayleigh_gain,
)
from frame2sound.sound.stft import InverseStft, Stft

_MIN_MAGNITUDE = np.float32(1e-12)
_MIN_POWER = np.float32(1e-24)

_LEVEL_REGION = (9, 33)
"""Hops and bins over which the level is averaged."""


class GriffinLim:
    """Iterates towards consistent spectra, from those of the `PhaseVocoder`.

    Perraudin, Balazs and Søndergaard (2013), "A fast Griffin-Lim algorithm", with their momentum.
    Each call is a chunk; the hops of the call before that overlap it are fixed, so that chunks
    join. Longer chunks have fewer joins. Onsets are those of the `PhaseVocoder`. Where no sound
    has the magnitudes, blocks still cancel in part, and a gain compensates the loss.

    Parameters
    ----------
    stft : Stft
    iterations : int
        At least 1.
    momentum : float
        0 is Griffin and Lim's own iteration (1984).
    seed : int
    start : PhaseReconstructor, optional
        Gives the phases to begin with, instead of the `PhaseVocoder`.

    Raises
    ------
    ValueError
        The iterations are below 1, or the momentum is not from 0 to 1.
    """

    def __init__(
        self,
        stft: Stft,
        iterations: int = 32,
        momentum: float = 0.99,
        seed: int = 0,
        start: PhaseReconstructor | None = None,
    ) -> None:
        if iterations < 1 or not 0 <= momentum <= 1:
            raise ValueError(
                f"got {iterations} iterations and momentum {momentum}, "
                "expected 1 or more and 0 to 1"
            )
        self._stft, self._iterations = stft, iterations
        self._momentum = np.float32(momentum)
        self._start = start or PhaseVocoder(stft, seed)
        self._fixed_spectra = np.empty((0, stft.bins), np.complex64)

    def reconstruct(
        self, magnitude: NDArray[np.float32], onset: NDArray[np.bool_]
    ) -> NDArray[np.complex64]:
        """Return a chunk of magnitudes with phases that agree where blocks overlap."""
        if not len(magnitude):
            return np.empty(magnitude.shape, np.complex64)
        start = _with_magnitude(self._start.reconstruct(magnitude, onset), magnitude)
        fixed = len(self._fixed_spectra)
        target = np.concatenate([np.abs(self._fixed_spectra), magnitude])
        estimate_spectra = np.concatenate([self._fixed_spectra, start])
        last = estimate_spectra[:0]
        for _ in range(self._iterations):
            consistent = self._consistent(estimate_spectra)
            accelerated = (
                consistent + self._momentum * (consistent - last) if len(last) else consistent
            )
            last = consistent
            estimate_spectra = _with_magnitude(accelerated, target)
            estimate_spectra[:fixed] = self._fixed_spectra
        self._fixed_spectra = estimate_spectra[
            max(len(estimate_spectra) - self._stft.overlap_factor + 1, 0) :
        ].copy()
        gain = self._makeup_gain(target, np.abs(last))[fixed:] * rayleigh_gain(
            self._stft, magnitude
        )
        louder: NDArray[np.complex64] = estimate_spectra[fixed:] * gain
        return louder

    def _makeup_gain(
        self, target: NDArray[np.float32], estimate: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the gain that restores the mean level of a region."""
        from scipy.ndimage import uniform_filter

        given, remaining = (
            np.maximum(uniform_filter(size * size, _LEVEL_REGION, mode="nearest"), _MIN_POWER)
            for size in (target, estimate)
        )
        loss: NDArray[np.float32] = np.sqrt(given / remaining)
        return np.clip(loss, 1, np.float32(incoherent_gain(self._stft)))

    def _consistent(self, spectra: NDArray[np.complex64]) -> NDArray[np.complex64]:
        """Return the spectra of the sound that these spectra synthesise."""
        resynthesis = InverseStft(self._stft)
        sound = np.concatenate([resynthesis.process(spectra), resynthesis.flush(fade_out=False)])
        consistent: NDArray[np.complex64] = self._stft.analyse(
            sound, np.arange(len(spectra)) * self._stft.hop
        ).astype(np.complex64, copy=False)
        return consistent


def _with_magnitude(
    spectra: NDArray[np.complex64], magnitude: NDArray[np.float32]
) -> NDArray[np.complex64]:
    size = np.abs(spectra)
    scale = magnitude / np.maximum(size, _MIN_MAGNITUDE)
    scaled: NDArray[np.complex64] = np.where(size > _MIN_MAGNITUDE, spectra * scale, magnitude)
    return scaled
