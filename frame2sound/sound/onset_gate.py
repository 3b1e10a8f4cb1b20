"""Entrances: sound that passes by is hushed just before the places where it may come in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.windows import hann_fade_in


class OnsetGate:
    """Silences a stream of sound before marked samples, and lets it in from them on.

    What windows spread ahead of a beginning is cut off: ``lead`` samples before a mark are silent,
    and ``edge`` samples lead to this silence and out of it.

    Parameters
    ----------
    lead, edge : int
        In samples; marks are known ``lead + edge`` samples ahead of the sound.
    """

    def __init__(self, lead: int, fade_length: int) -> None:
        rise = hann_fade_in(fade_length).astype(np.float32)
        self._gate = np.concatenate([1 - rise, np.zeros(lead, np.float32), rise])
        self._latency = lead + fade_length
        self._onsets: list[int] = []
        self._position = 0

    def add_onsets(self, onsets: NDArray[np.int64]) -> None:
        """Take ascending places where sound comes in, in samples from the beginning."""
        self._onsets += onsets.tolist()

    def process(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the next of the sound, hushed where it has to be."""
        samples, end = samples.copy(), self._position + len(samples)
        for mark in self._onsets:
            first = mark - self._latency
            low, high = max(first, self._position), min(first + len(self._gate), end)
            if low < high:
                samples[low - self._position : high - self._position] *= self._gate[
                    low - first : high - first
                ]
        self._position = end
        self._onsets = [
            mark for mark in self._onsets if mark - self._latency + len(self._gate) > end
        ]
        return samples
