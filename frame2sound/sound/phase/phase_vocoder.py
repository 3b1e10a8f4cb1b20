"""A phase vocoder for partials, with random phases for noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.phase.partials import PartialFinder
from frame2sound.sound.phase.reconstructor import from_polar, incoherent_gain, rayleigh_gain
from frame2sound.sound.stft import Stft

_BATCH_HOPS = 256
"""Hops whose partials are found together."""

_MAX_GLIDE_BINS = 2.0
"""The largest change of a partial's frequency in a hop, in bins."""

_DECAY_TOLERANCE = 1.4
"""Noise up to 3 dB above what an onset leaves in later windows belongs to the onset."""


class PhaseVocoder:
    """Phase vocoder: peaks advance by their frequency and carry the bins around them along.

    Identity phase locking after Laroche and Dolson (1999, "Improved phase vocoder time-scale
    modification of audio"): a peak takes up the phase of the partial in whose region it now is,
    advances by the mean of both frequencies, and the bins that the window spreads it over share
    its phase. Bins that belong to no clear peak get random phases at the level of noise.

    At an onset all bins restart at the hop's centre, from low to high within an eighth of a hop,
    with the power evenly spread over it (Schroeder 1970): a sharp attack without a spike. Noise
    keeps these phases as long as it is no louder than what the onset leaves in later windows.

    Parameters
    ----------
    stft : Stft
    seed : int
    """

    def __init__(self, stft: Stft, seed: int = 0) -> None:
        self._stft = stft
        self._finder = PartialFinder(stft)
        self._gain = np.float32(incoherent_gain(stft))
        self._rng = np.random.default_rng(seed)
        self._bins = np.arange(stft.bins)
        self._radians_per_bin = 2 * np.pi * stft.hop / stft.n_fft
        self._phase: NDArray[np.float64] | None = None
        self._frequency = np.zeros(stft.bins)
        self._onset_magnitude: NDArray[np.float32] | None = None
        self._hops_since_onset = 0
        self._decay = stft.analysis_window[stft.n_fft // 2 :: stft.hop].astype(np.float32)

    def reconstruct(
        self, magnitude: NDArray[np.float32], onset: NDArray[np.bool_]
    ) -> NDArray[np.complex64]:
        """Return the magnitudes with phases that continue those of the hops before."""
        spectra = np.empty(magnitude.shape, np.complex64)
        for first in range(0, len(magnitude), _BATCH_HOPS):
            batch = slice(first, first + _BATCH_HOPS)
            spectra[batch] = self._reconstruct_batch(magnitude[batch], onset[batch])
        return spectra

    def _reconstruct_batch(
        self, magnitude: NDArray[np.float32], onset: NDArray[np.bool_]
    ) -> NDArray[np.complex64]:
        partials = self._finder.find(magnitude)
        noise = partials.peak_bin < 0
        peak = np.where(noise, self._bins, partials.peak_bin)
        advance = self._advance(partials.frequency, peak)
        random_phase = self._rng.random(magnitude.shape, np.float32) * np.float32(2 * np.pi)
        phase = np.empty(magnitude.shape)
        for hop, begins in enumerate(onset.tolist()):
            if begins or self._phase is None:
                noise[hop] = False
                phase[hop] = self._restart(magnitude[hop], peak[hop])
            else:
                self._keep_decay(magnitude[hop], noise[hop])
                np.add(self._phase, advance[hop], out=advance[hop])
                np.take(advance[hop], peak[hop], out=phase[hop], mode="clip")
                np.copyto(phase[hop], random_phase[hop], where=noise[hop])
            self._phase = phase[hop]
        gain = self._gain * rayleigh_gain(self._stft, magnitude)
        return from_polar(magnitude * np.where(noise, gain, partials.sign), _wrapped(phase))

    def _advance(
        self, frequency: NDArray[np.float32], peak: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the phase advance since the hop before of a partial at each bin, in radians."""
        after = frequency.astype(np.float64)
        rows = np.arange(0, frequency.size, frequency.shape[1])[:, None]
        locked = after.ravel()[peak + rows]
        before = np.concatenate([self._frequency[None], locked[:-1]])
        self._frequency = locked[-1]
        glides = np.abs(before - after) <= _MAX_GLIDE_BINS
        return self._radians_per_bin * (np.where(glides, before, after) + after) / 2

    def _restart(
        self, magnitude: NDArray[np.float32], peak: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        delay = self._stft.hop / 8 * _cumulative_power_share(magnitude)
        phase = -2 * np.pi * np.cumsum(delay) / self._stft.n_fft
        self._onset_magnitude, self._hops_since_onset = magnitude.copy(), 0
        return np.take(phase, peak)

    def _keep_decay(self, magnitude: NDArray[np.float32], noise: NDArray[np.bool_]) -> None:
        """Unmark the noise that is no louder than what the last onset leaves in this window."""
        self._hops_since_onset += 1
        if self._onset_magnitude is None or self._hops_since_onset >= len(self._decay):
            return
        left = _DECAY_TOLERANCE * self._decay[self._hops_since_onset] * self._onset_magnitude
        noise &= magnitude > left


def _wrapped(phase: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return phases less whole turns, so that they keep their precision as single floats."""
    return phase - 2 * np.pi * np.floor(phase * (0.5 / np.pi))


def _cumulative_power_share(magnitude: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the share of the power at and below each bin."""
    power: NDArray[np.float64] = np.cumsum(magnitude.astype(np.float64) ** 2)
    return power / max(float(power[-1]), float(np.finfo(np.float64).tiny))
