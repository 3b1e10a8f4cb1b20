"""A bank of oscillators whose amplitudes follow columns of numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.windows import hann_fade_in

Samples = NDArray[np.float32]
FloatArray = NDArray[np.float64]

BATCH_HOPS = 256
"""Hops that are computed together: some megabytes."""


class OscillatorBank:
    """Sums sines of fixed frequencies, whose phases never jump; streamed.

    Amplitudes are given once a hop. From one to the next they cross-fade along a raised cosine, so
    each is heard under a Hann window of two hops.

    Parameters
    ----------
    hz : float64 array (n,)
        Frequencies, below half the sample rate.
    phase : float64 array (n,)
        At sample 0, in cycles; a cosine has 0.
    sample_rate : int
        In Hz.
    hop : int
        In samples.
    """

    def __init__(self, hz: FloatArray, phase: FloatArray, sample_rate: int, hop: int) -> None:
        self._cycles = hz / sample_rate
        self._phase = phase
        self._hop = hop
        turns = 2 * np.pi * np.outer(self._cycles, np.arange(hop))
        self._cosines, self._sines = (f(turns).astype(np.float32) for f in (np.cos, np.sin))
        self._rise = hann_fade_in(hop).astype(np.float32)
        self._hops = 0
        self._last = np.zeros((1, len(hz)), np.complex64)

    def process(self, amplitudes: NDArray[np.number]) -> Samples:
        """Return a hop of samples for each row of amplitudes, ``(hops, n)``, real or complex.

        Each hop fades from the amplitudes before, zero at first, to its own.
        """
        parts = [
            self._add(amplitudes[first : first + BATCH_HOPS])
            for first in range(0, len(amplitudes), BATCH_HOPS)
        ]
        return np.concatenate([np.empty(0, np.float32), *parts])

    def _add(self, amplitudes: NDArray[np.number]) -> Samples:
        count = len(amplitudes)
        known = np.concatenate([self._last, amplitudes]).astype(np.complex64)
        self._last = known[-1:]
        starts = np.arange(self._hops, self._hops + count) * self._hop
        self._hops += count
        sounding = np.flatnonzero(known.any(axis=0))
        turns = np.outer(starts, self._cycles[sounding]) + self._phase[sounding]
        turned = np.exp(2j * np.pi * (turns % 1)).astype(np.complex64)
        fades = (1 - self._rise, self._rise)
        fading_out, fading_in = (
            fade * self._sum(known[first : first + count, sounding] * turned, sounding)
            for first, fade in enumerate(fades)
        )
        return (fading_out + fading_in).ravel()

    def _sum(self, rotated: NDArray[np.complex64], sounding: NDArray[np.int64]) -> Samples:
        """Return the real part of the sum of rotating pointers, ``(hops, hop)``."""
        return np.asarray(
            rotated.real @ self._cosines[sounding] - rotated.imag @ self._sines[sounding]
        )
