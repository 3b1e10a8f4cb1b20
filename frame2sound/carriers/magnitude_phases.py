"""Phases for magnitudes that stand alone: PGHI, then rounds of the fast Griffin-Lim algorithm."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from frame2sound.sound.phase.pghi import Pghi
from frame2sound.sound.stft import Stft

ROUNDS = 70

MOMENTUM = np.float32(0.99)
"""That of Perraudin, Balazs and Søndergaard (2013)."""

TOLERANCE = 0.01
"""Share of the loudest magnitude from which PGHI is worth its time: quieter ones follow."""

LEAST_MAGNITUDE = np.float32(1e-12)

Magnitudes = NDArray[np.float32]
Complex = NDArray[np.complex64]


class MagnitudePhases:
    """Finds the phases of the magnitudes of successive pages of a channel.

    The iteration begins with the phases of PGHI (Průša, Balazs and Søndergaard 2017), from which it
    comes nearer to the magnitudes than from a phase vocoder's. Unlike `GriffinLim`, it returns the
    consistent spectra, whose levels are not raised: what is nearest, not what is as loud.

    Parameters
    ----------
    stft : Stft
    """

    def __init__(self, stft: Stft) -> None:
        self._loop, self._start = _Loop(stft), Pghi(stft, TOLERANCE)
        self._overlap = stft.overlap_factor - 1
        self._before = np.empty((0, stft.bins), np.complex64)

    def reconstruct(self, magnitude: Magnitudes) -> Complex:
        """Return the spectra of the next windows, ``(n, bins)``, of magnitudes of that shape."""
        fixed = self._before
        start = self._start.reconstruct(magnitude, np.zeros(len(magnitude), bool))
        target = np.concatenate([np.abs(fixed), magnitude])
        estimate = self._loop.mirror(np.concatenate([fixed, start]))
        kept = estimate[: len(fixed)].copy()
        last = self._loop.consistent(estimate)
        estimate = last.copy()
        for _ in range(ROUNDS):
            estimate *= target / np.maximum(_size(estimate), LEAST_MAGNITUDE)
            estimate[: len(fixed)] = kept
            consistent = self._loop.consistent(estimate)
            estimate = np.subtract(consistent, last, out=last)
            estimate *= MOMENTUM
            estimate += consistent
            last = consistent
        found = self._loop.mirror(last)[len(fixed) :]
        self._before = found[max(len(found) - self._overlap, 0) :].copy()
        return found


class _Loop:
    """Synthesis and analysis of spectra whose phases refer to the beginning of windows."""

    def __init__(self, stft: Stft) -> None:
        self._stft = stft
        self._signs = np.where(np.arange(stft.bins) % 2, -1, 1).astype(np.float32)
        self._window = stft.analysis_window.astype(np.float32)
        self._spare = (0, stft.overlap_factor * stft.hop - stft.n_fft)

    def mirror(self, spectra: Complex) -> Complex:
        """Refer phases to the beginnings of windows, or to the centres again."""
        return np.asarray(spectra * self._signs, np.complex64)

    def consistent(self, spectra: Complex) -> Complex:
        """Return the spectra of the sound that comes nearest to some spectra."""
        n_fft, hop, factor = self._stft.n_fft, self._stft.hop, self._stft.overlap_factor
        blocks = irfft(spectra, n_fft, axis=1)
        blocks *= self._window
        if self._spare[1]:
            blocks = np.pad(blocks, ((0, 0), self._spare))
        parts = blocks.reshape(len(spectra), factor, hop)
        sound = np.zeros((len(spectra) + factor - 1, hop), np.float32)
        for place in range(factor):
            sound[place : place + len(spectra)] += parts[:, place]
        sound *= self._inverse_weight(len(spectra))
        windows = np.lib.stride_tricks.sliding_window_view(sound.ravel(), n_fft)[::hop]
        again: Complex = rfft(windows * self._window, axis=1)
        return again

    def _inverse_weight(self, count: int) -> NDArray[Any]:
        factor, hop = self._stft.overlap_factor, self._stft.hop
        squares = np.pad(self._window**2, self._spare).reshape(factor, hop)
        weight = np.zeros((count + factor - 1, hop), np.float32)
        for place in range(factor):
            weight[place : place + count] += squares[place]
        return 1 / np.maximum(weight, 1e-9)


def _size(spectra: Complex) -> Magnitudes:
    """Return the magnitudes, faster than `numpy.abs`, which guards against overflow."""
    size: Magnitudes = np.sqrt(spectra.real**2 + spectra.imag**2)
    return size
