"""The sound that is about to be heard: a ring of samples to which sounds are added."""

from __future__ import annotations

from threading import Lock

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


class SoundRing:
    """Adds stereo sounds at exact samples, and returns their sum block by block.

    One thread may add while another reads. Memory does not grow: what would end further ahead than
    the ring is long is cut.

    Parameters
    ----------
    length : int
        In samples.

    Attributes
    ----------
    position : int
        The next sample that is read.
    """

    def __init__(self, length: int) -> None:
        self.position = 0
        self._ring = np.zeros((length, 2), np.float32)
        self._end = 0
        self._lock = Lock()

    @property
    def pending(self) -> int:
        """How many samples after `position` hold sound."""
        return max(self._end - self.position, 0)

    def add(self, sound: Samples, start: int, lead: int = 0) -> int:
        """Add a sound ``(n, 2)``; return by how many samples it is late.

        Parameters
        ----------
        start : int
            The sample at which it should begin.
        lead : int
            The onset is this many samples after the beginning. If there is no time left for all of
            the lead, its first samples are left out; the sound is late only if its onset is.
        """
        with self._lock:
            late = max(self.position - lead - start, 0)
            skip = max(self.position - (start + late), 0)
            begin = start + late + skip
            room = max(len(self._ring) - (begin - self.position), 0)
            part = sound[skip : skip + room]
            place = begin % len(self._ring)
            first = min(len(part), len(self._ring) - place)
            self._ring[place : place + first] += part[:first]
            self._ring[: len(part) - first] += part[first:]
            self._end = max(self._end, begin + len(part))
        return late

    def read(self, count: int) -> Samples:
        """Return and forget the next samples, ``(count, 2)``; at most the length of the ring."""
        with self._lock:
            places = slice(*self._places(count))
            if places.stop <= len(self._ring):
                sound = self._ring[places].copy()
                self._ring[places] = 0
            else:
                wrapped = places.stop - len(self._ring)
                sound = np.concatenate([self._ring[places.start :], self._ring[:wrapped]])
                self._ring[places.start :] = 0
                self._ring[:wrapped] = 0
            self.position += count
        return sound

    def _places(self, count: int) -> tuple[int, int]:
        begin = self.position % len(self._ring)
        return begin, begin + count
