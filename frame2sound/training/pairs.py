"""Pairs of frame and sound, straight from a library's memory-mapped arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.targets import Target
from frame2sound.clock import Clock, shutter
from frame2sound.library.store import PickledFilm


@dataclass(frozen=True)
class Pairs:
    """Which frame of which film goes with which excerpt of its sound.

    Attributes
    ----------
    films : list of PickledFilm
    film, row, start : int64 arrays (N,)
        For each pair the film, the frame in it, and the sample at which its slice starts.
    """

    films: list[PickledFilm]
    target: Target
    film: NDArray[np.int64]
    row: NDArray[np.int64]
    start: NDArray[np.int64]

    @classmethod
    def of(cls, films: list[PickledFilm], clock: Clock, target: Target) -> Pairs:
        """Look at films through the shutter of a brain's clock.

        Frames for which the film's sound track lacks what the target must know are left out.
        """
        numbers, rows, starts = [], [], []
        for number, film in enumerate(films):
            row = shutter(film.times, clock)
            start = clock.bounds(len(row))[:-1]
            begin, end = film.card.sounding
            first, stop = target.known
            whole = (start + first >= begin) & (start + stop <= end)
            numbers.append(np.full(int(whole.sum()), number))
            rows.append(row[whole])
            starts.append(start[whole])
        join = [np.concatenate([*parts, np.empty(0, np.int64)]).astype(np.int64)
                for parts in (numbers, rows, starts)]  # fmt: skip
        return cls(films, target, *join)

    def __len__(self) -> int:
        return len(self.row)

    def only(self, chosen: NDArray[np.bool_]) -> Pairs:
        """Return the pairs for which ``chosen``, shape ``(N,)``, is true."""
        kept = (array[chosen] for array in (self.film, self.row, self.start))
        return Pairs(self.films, self.target, *kept)

    def take(self, which: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return frames ``(n, 64, 64)`` and excerpts of sound ``(n, target.extent)``."""
        film, row, start = self.film[which], self.row[which], self.start[which]
        frames = np.empty((len(which), *self.films[0].frames.shape[1:]), np.uint8)
        excerpts = np.zeros((len(which), self.target.extent), np.float32)
        for number in np.unique(film):
            mine = film == number
            frames[mine] = self.films[number].frames[row[mine]]
        for excerpt, number, begin in zip(excerpts, film, start - self.target.before, strict=True):
            sound = self.films[number].sound[max(begin, 0) : begin + len(excerpt)]
            excerpt[max(-begin, 0) :][: len(sound)] = sound
        return frames, excerpts

    def batches(self, size: int) -> Iterable[NDArray[np.int64]]:
        """Yield the numbers of all pairs in order, ``size`` at a time."""
        for begin in range(0, len(self), size):
            yield np.arange(begin, min(begin + size, len(self)))

    def spread(self, most: int) -> NDArray[np.int64]:
        """Return the numbers of at most so many pairs, evenly spread over all."""
        count = min(len(self), most)
        return np.linspace(0, len(self) - 1, count).round().astype(np.int64)
