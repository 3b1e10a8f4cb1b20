"""Pairs of frame and sound, straight from a library's memory-mapped arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.targets import Target
from frame2sound.clock import Clock, frame_indices_at_ticks
from frame2sound.library.store import PickledFilm

IndexArray = NDArray[np.int64]


@dataclass(frozen=True)
class PairDataset:
    """Which frame of which film goes with which excerpt of its sound.

    Attributes
    ----------
    films : list of PickledFilm
    film, tick, start : int64 arrays (N,)
        For each pair the film, the number of the frame on the brain's clock, and the sample at
        which its slice starts.
    rows : int64 array (N, 1 + past)
        The film's frames that are seen: those before, then the one itself.
    """

    films: list[PickledFilm]
    target: Target
    film_indices: NDArray[np.int64]
    clock_frames: NDArray[np.int64]
    start_samples: NDArray[np.int64]
    frame_windows: NDArray[np.int64]

    @classmethod
    def from_films(
        cls, films: list[PickledFilm], clock: Clock, target: Target, past_frames: int = 0
    ) -> PairDataset:
        """Look at films through the shutter of a brain's clock; ``past`` frames back.

        Frames for which the film's sound track lacks what the target must know are left out.
        """
        none = np.empty(0, np.int64)
        parts: list[tuple[IndexArray, ...]] = [
            (none, none, none, np.empty((0, 1 + past_frames), np.int64))
        ]
        parts += [
            _index_film(number, film, clock, target, past_frames)
            for number, film in enumerate(films)
        ]
        return cls(films, target, *(np.concatenate(part) for part in zip(*parts, strict=True)))

    @property
    def frame_indices(self) -> NDArray[np.int64]:
        """The film's frame of each pair."""
        return self.frame_windows[:, -1]

    def __len__(self) -> int:
        return len(self.frame_indices)

    def select(self, mask: NDArray[np.bool_]) -> PairDataset:
        """Return the pairs for which ``chosen``, shape ``(N,)``, is true."""
        kept = (
            array[mask]
            for array in (
                self.film_indices,
                self.clock_frames,
                self.start_samples,
                self.frame_windows,
            )
        )
        return PairDataset(self.films, self.target, *kept)

    def contiguous_runs(self) -> list[NDArray[np.int64]]:
        """Return the numbers of the pairs of each unbroken run of frames."""
        if not len(self):
            return []
        broken = (np.diff(self.film_indices) != 0) | (np.diff(self.clock_frames) != 1)
        return np.split(np.arange(len(self)), np.flatnonzero(broken) + 1)

    def load(self, indices: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return moments ``(n, 1 + past, 64, 64)`` and excerpts of sound ``(n, target.extent)``.

        In colour, moments are ``(n, 1 + past, 64, 64, 3)``.
        """
        film, rows, start = (
            self.film_indices[indices],
            self.frame_windows[indices],
            self.start_samples[indices],
        )
        frames = np.empty((*rows.shape, *self.films[0].frames.shape[1:]), np.uint8)
        excerpts = np.zeros((len(indices), self.target.excerpt_length), np.float32)
        for number in np.unique(film):
            mine = film == number
            frames[mine] = self.films[number].frames[rows[mine]]
        for excerpt, number, begin in zip(
            excerpts, film, start - self.target.lead_samples, strict=True
        ):
            sound = self.films[number].sound[max(begin, 0) : begin + len(excerpt)]
            excerpt[max(-begin, 0) :][: len(sound)] = sound
        for number in np.unique(film):
            self.films[number].release_memory()
        return frames, excerpts

    def spread_indices(self, max_count: int) -> NDArray[np.int64]:
        """Return the numbers of at most so many pairs, evenly spread over all."""
        count = min(len(self), max_count)
        return np.linspace(0, len(self) - 1, count).round().astype(np.int64)


def _index_film(
    film_index: int, film: PickledFilm, clock: Clock, target: Target, past_frames: int
) -> tuple[IndexArray, ...]:
    shown = frame_indices_at_ticks(film.times, clock)
    start = clock.sample_bounds(len(shown))[:-1]
    begin, end = film.card.audio_range
    first, stop = target.required_range
    tick = np.flatnonzero((start + first >= begin) & (start + stop <= end))
    back = np.maximum(tick[:, None] - np.arange(past_frames, -1, -1), 0)
    return np.full(len(tick), film_index), tick, start[tick], shown[back]
