"""Grains of sines: each row of a picture sounds as a stream of short grains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from frame2sound.sonification.frequencies import FrequencyAxis
from frame2sound.sound.grains import INTERPOLATION_MARGIN, Grains, add_grains

Samples = NDArray[np.float32]

GRAIN_SECONDS = 0.03

GRAINS_AT_ONCE = 2
"""Grains of a row that overlap, in the mean."""

JITTER = 0.5
"""By how much onsets are moved at random, as a share of the time between two grains."""

SOURCE_PERIOD = 64
"""Samples of a period of the sine that grains read; interpolation is exact to -110 dB."""


class GrainRows:
    """Grains a row, of its frequency, each as loud as the picture where it begins.

    Onsets are jittered at random; a grain goes on with the phase that its row would have as one
    long sine, so that grains of a row that overlap don't cancel.
    """

    def __init__(self, axis: FrequencyAxis, sample_rate: int, seed: int) -> None:
        self._length = max(round(GRAIN_SECONDS * sample_rate), 2)
        self.hop = max(self._length // GRAINS_AT_ONCE, 1)
        self._random = np.random.default_rng(seed)
        self._cycles = axis.hz / sample_rate
        self._phase = self._random.random(len(axis))
        self._rates = self._cycles * SOURCE_PERIOD
        longest = int(self._rates.max() * self._length) + SOURCE_PERIOD
        turns = np.arange(longest + 2 * INTERPOLATION_MARGIN) / SOURCE_PERIOD
        self._source = np.cos(2 * np.pi * turns).astype(np.float32)

    def render(self, amplitudes: Iterable[NDArray[np.float32]]) -> Iterator[Samples]:
        """Yield the sum of the grains; those of a hop are centred near it."""
        reach = self._length + self.hop
        pending, begin, hops = np.zeros(reach, np.float32), -reach, 0
        for batch in amplitudes:
            sound = np.concatenate([pending, np.zeros(len(batch) * self.hop, np.float32)])
            add_grains(self._grains(batch, hops, begin), self._source, "hann", sound)
            ready = len(batch) * self.hop
            yield sound[max(-begin, 0) : ready]
            pending, begin, hops = sound[ready:], begin + ready, hops + len(batch)
        yield pending[max(-begin, 0) :]

    def _grains(self, batch: NDArray[np.float32], first_hop: int, begin: int) -> Grains:
        """Return the grains of some hops, on a timeline that begins at a sample."""
        jitter = self._random.random(batch.shape, np.float32) - np.float32(0.5)
        hop, row = np.nonzero(batch)
        middle = (first_hop + hop + JITTER * jitter[hop, row]) * self.hop
        onset = np.round(middle - self._length / 2).astype(np.int64)
        turns = onset * self._cycles[row] + self._phase[row]
        return Grains(
            onset - begin,
            np.full(len(onset), self._length),
            (turns % 1) * SOURCE_PERIOD + INTERPOLATION_MARGIN,
            self._rates[row],
            batch[hop, row].astype(np.float64) * (2 / GRAINS_AT_ONCE),
        )
