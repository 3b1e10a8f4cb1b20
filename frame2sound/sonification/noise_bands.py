"""Bands of noise whose spectrogram is a picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from frame2sound.sonification.frequencies import FrequencyAxis
from frame2sound.sound.phase.griffin_lim import GriffinLim
from frame2sound.sound.phase.random_phase import RandomPhase
from frame2sound.sound.phase.reconstructor import RAYLEIGH_POWER_RATIO
from frame2sound.sound.stft import InverseStft, Stft

Samples = NDArray[np.float32]

WINDOW_SECONDS = 0.046
"""About 2048 samples at 44.1 kHz."""

ITERATIONS = 16
"""Rounds of Griffin-Lim. Filtered noise fluctuates by itself, and its spectrogram is speckled; each
round brings it closer to the picture, and leaves the phases random."""

NOISE_BANDWIDTH = 1.5
"""Equivalent noise bandwidth of a Hann window, in bins (Harris 1978, table 1)."""

CHUNK_HOPS = 256
"""Hops that are iterated together."""


class NoiseBands:
    """A band of noise a row, from the middle between it and the row above to that below."""

    def __init__(self, axis: FrequencyAxis, sample_rate: int, seed: int) -> None:
        n_fft = 8 * max(round(WINDOW_SECONDS * sample_rate / 8), 1)
        self._stft = Stft(n_fft, n_fft // 4)
        self.hop = n_fft // 4
        self._shares = band_shares(axis, n_fft, sample_rate).astype(np.float32)
        self._phase = GriffinLim(self._stft, ITERATIONS, start=RandomPhase(self._stft, seed))

    def render(self, amplitudes: Iterable[NDArray[np.float32]]) -> Iterator[Samples]:
        """Yield the sum of the bands; silence where all rows are silent."""
        inverse = InverseStft(self._stft)
        for batch in amplitudes:
            for first in range(0, len(batch), CHUNK_HOPS):
                power = np.square(batch[first : first + CHUNK_HOPS]) / 2
                squares = 2 * NOISE_BANDWIDTH * (power @ self._shares)
                magnitude = np.sqrt(squares / RAYLEIGH_POWER_RATIO)  # the mean of noise
                no_onset = np.zeros(len(magnitude), bool)
                yield inverse.process(self._phase.reconstruct(magnitude, no_onset))
        yield inverse.flush()


def band_shares(axis: FrequencyAxis, n_fft: int, sample_rate: int) -> NDArray[np.float64]:
    """Return the share of each row's power that falls into each bin, ``(rows, bins)``.

    The power of a row is even over its band; what is above the Nyquist frequency is left out.
    """
    middles = np.arange(n_fft // 2 + 1) * (sample_rate / n_fft)
    lows, highs = middles - sample_rate / n_fft / 2, middles + sample_rate / n_fft / 2
    tops, bottoms = axis.edges[:-1, None], axis.edges[1:, None]
    overlap = np.minimum(tops, highs) - np.maximum(bottoms, lows)
    shares: NDArray[np.float64] = np.maximum(overlap, 0) / (tops - bottoms)
    return shares
