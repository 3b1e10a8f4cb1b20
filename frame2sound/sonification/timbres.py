"""What the rows of a picture sound as: sines, bands of noise, or grains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.sonification.frequencies import FrequencyAxis
from frame2sound.sonification.oscillators import OscillatorBank

Amplitudes = NDArray[np.float32]
Samples = NDArray[np.float32]

SINE_HOP_SECONDS = 0.003
"""Time between two amplitudes of a sine: shorter than the ear's resolution."""


class Timbre(Protocol):
    """Sounds rows whose amplitudes are given at sample 0, ``hop``, ``2 * hop``...

    A row of amplitude 1 has the power of a sine of amplitude 1, whatever it sounds as.
    """

    @property
    def hop(self) -> int:
        """In samples."""

    def render(self, amplitudes: Iterable[Amplitudes]) -> Iterator[Samples]:
        """Yield sound from sample 0 on, for batches ``(hops, rows)``; the first hop is silent."""


class Sines:
    """A sine a row, with a phase of its own drawn by the seed."""

    def __init__(self, axis: FrequencyAxis, sample_rate: int, seed: int) -> None:
        self.hop = max(round(SINE_HOP_SECONDS * sample_rate), 1)
        phases = np.random.default_rng(seed).random(len(axis))
        self._bank = OscillatorBank(axis.hz, phases, sample_rate, self.hop)

    def render(self, amplitudes: Iterable[Amplitudes]) -> Iterator[Samples]:
        """Yield the sum of the sines."""
        skipped = self.hop  # of the first, silent hop, which ends at sample 0
        for batch in amplitudes:
            sound = self._bank.process(batch)
            yield sound[skipped:]
            skipped = 0


def create_timbre(name: str, axis: FrequencyAxis, sample_rate: int, seed: int) -> Timbre:
    """Return a timbre by its name, one of `TIMBRES`."""
    return TIMBRES[name](axis, sample_rate, seed)


def _noise(axis: FrequencyAxis, sample_rate: int, seed: int) -> Timbre:
    from frame2sound.sonification.noise_bands import NoiseBands

    return NoiseBands(axis, sample_rate, seed)


def _grains(axis: FrequencyAxis, sample_rate: int, seed: int) -> Timbre:
    from frame2sound.sonification.grain_rows import GrainRows

    return GrainRows(axis, sample_rate, seed)


TIMBRES: dict[str, Callable[[FrequencyAxis, int, int], Timbre]] = {
    "sines": Sines,
    "noise": _noise,
    "grains": _grains,
}
