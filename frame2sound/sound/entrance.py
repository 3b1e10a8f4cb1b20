"""Entrances: sound that passes by is hushed just before the places where it may come in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.windows import rising


class Entrance:
    """Silences a stream of sound before marked samples, and lets it in from them on.

    What windows spread ahead of a beginning is cut off: ``lead`` samples before a mark are silent,
    and ``edge`` samples lead to this silence and out of it.

    Parameters
    ----------
    lead, edge : int
        In samples; marks are known ``lead + edge`` samples ahead of the sound.
    """

    def __init__(self, lead: int, edge: int) -> None:
        rise = rising(edge).astype(np.float32)
        self._gate = np.concatenate([1 - rise, np.zeros(lead, np.float32), rise])
        self._ahead = lead + edge
        self._marks: list[int] = []
        self._at = 0

    def mark(self, samples: NDArray[np.int64]) -> None:
        """Take ascending places where sound comes in, in samples from the beginning."""
        self._marks += samples.tolist()

    def let(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the next of the sound, hushed where it has to be."""
        sound, end = sound.copy(), self._at + len(sound)
        for mark in self._marks:
            first = mark - self._ahead
            low, high = max(first, self._at), min(first + len(self._gate), end)
            if low < high:
                sound[low - self._at : high - self._at] *= self._gate[low - first : high - first]
        self._at = end
        self._marks = [mark for mark in self._marks if mark - self._ahead + len(self._gate) > end]
        return sound
