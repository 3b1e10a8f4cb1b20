"""Pairs of frame and sound, straight from a library's memory-mapped arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import Clock, shutter
from frame2sound.library.store import PickledFilm


@dataclass(frozen=True)
class Pairs:
    """Which frame of which film goes with which block of its sound.

    Attributes
    ----------
    films : list of PickledFilm
    film, row, start : int64 arrays (N,)
        For each pair the film, the frame in it, and the sample at which its slice starts.
    """

    films: list[PickledFilm]
    target: PcmBlocks
    film: NDArray[np.int64]
    row: NDArray[np.int64]
    start: NDArray[np.int64]

    @classmethod
    def of(cls, films: list[PickledFilm], clock: Clock, target: PcmBlocks) -> Pairs:
        """Look at films through the shutter of a brain's clock.

        Frames whose block reaches outside what the film's sound track covers are left out.
        """
        numbers, rows, starts = [], [], []
        for number, film in enumerate(films):
            row = shutter(film.times, clock)
            start = clock.bounds(len(row))[:-1]
            begin, end = film.card.sounding
            whole = (start - target.lead >= begin) & (start - target.lead + target.length <= end)
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
        """Return frames ``(n, 64, 64)`` and blocks of sound ``(n, target.length)``."""
        film, row, start = self.film[which], self.row[which], self.start[which]
        frames = np.empty((len(which), *self.films[0].frames.shape[1:]), np.uint8)
        blocks = np.empty((len(which), self.target.length), np.float32)
        for number in np.unique(film):
            mine = film == number
            frames[mine] = self.films[number].frames[row[mine]]
            blocks[mine] = self.target.cut(self.films[number].sound, start[mine])
        return frames, blocks

    def batches(self, size: int) -> Iterable[NDArray[np.int64]]:
        """Yield the numbers of all pairs in order, ``size`` at a time."""
        for begin in range(0, len(self), size):
            yield np.arange(begin, min(begin + size, len(self)))

    def power(self, other: NDArray[np.float32] | float = 0.0) -> float:
        """Return the mean square of the difference between the blocks and one other."""
        total = 0.0
        for which in self.batches(1024):
            difference = self.take(which)[1] - other
            total += float(np.square(difference, dtype=np.float64).sum())
        return total / max(len(self) * self.target.length, 1)

    def mean_block(self) -> NDArray[np.float32]:
        """Return the mean of all blocks: what a brain says that does not look."""
        total = np.zeros(self.target.length)
        for which in self.batches(1024):
            total += self.take(which)[1].sum(axis=0, dtype=np.float64)
        return (total / max(len(self), 1)).astype(np.float32)
