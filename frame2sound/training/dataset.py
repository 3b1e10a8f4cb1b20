"""Pairs of a frame and its sound, read from a library's memory-mapped arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.config import Loudness
from frame2sound.brain.ground import GroundMap
from frame2sound.brain.targets import Target
from frame2sound.clock import Clock, frame_indices_at_ticks
from frame2sound.library.film_ground import estimate_film_ground
from frame2sound.library.film_loudness import film_gains_db, with_gain
from frame2sound.library.store import PickledFilm

IndexArray = NDArray[np.int64]


@dataclass(frozen=True)
class PairDataset:
    """Pairs of a frame and the excerpt of sound that belongs to it.

    Attributes
    ----------
    films : list of PickledFilm
    target : Target
        Decides which excerpt of sound a frame has.
    film_indices : int64 array (N,)
        Which film each pair is of.
    clock_frames : int64 array (N,)
        Number of each pair's frame on the brain's clock.
    start_samples : int64 array (N,)
        Sample at which each frame starts.
    frame_windows : int64 array (N, 1 + past)
        Rows of the film's frames: the past ones, then the pair's own.
    gains_db : list of float
        The gain of each film's sound.
    ground_maps : list of GroundMap, optional
        The map of each film's frames; without them, frames are loaded as they are.
    """

    films: list[PickledFilm]
    target: Target
    film_indices: IndexArray
    clock_frames: IndexArray
    start_samples: IndexArray
    frame_windows: IndexArray
    gains_db: list[float]
    ground_maps: list[GroundMap] | None = field(default=None, kw_only=True)

    @classmethod
    def from_films(
        cls,
        films: list[PickledFilm],
        clock: Clock,
        target: Target,
        past_frames: int = 0,
        loudness: Loudness = "film",
        *,
        match_ground: bool = False,
    ) -> PairDataset:
        """Return all pairs of films at a brain's clock, each with ``past_frames`` frames before.

        Frames are left out if the film's soundtrack lacks some of the samples that the target
        requires. With ``match_ground``, a film that is drawn on a plain ground is loaded as light
        figures on black.
        """
        none = np.empty(0, np.int64)
        parts: list[tuple[IndexArray, ...]] = [
            (none, none, none, np.empty((0, 1 + past_frames), np.int64))
        ]
        parts += [
            _index_film(number, film, clock, target, past_frames)
            for number, film in enumerate(films)
        ]
        maps = [estimate_film_ground(film) for film in films] if match_ground else None
        film_indices, clock_frames, start_samples, frame_windows = (
            np.concatenate(part) for part in zip(*parts, strict=True)
        )
        return cls(
            films,
            target,
            film_indices,
            clock_frames,
            start_samples,
            frame_windows,
            film_gains_db(films, loudness),
            ground_maps=maps,
        )

    @property
    def frames_shape(self) -> tuple[int, ...]:
        """The shape of the frames of one pair."""
        return self.frame_windows.shape[1], *self.films[0].frames.shape[1:]

    @property
    def frame_indices(self) -> IndexArray:
        """Row of each pair's frame in its film."""
        return self.frame_windows[:, -1]

    def __len__(self) -> int:
        return len(self.frame_indices)

    def select(self, mask: NDArray[np.bool_]) -> PairDataset:
        """Return the pairs for which ``mask``, shape ``(N,)``, is true."""
        return replace(
            self,
            film_indices=self.film_indices[mask],
            clock_frames=self.clock_frames[mask],
            start_samples=self.start_samples[mask],
            frame_windows=self.frame_windows[mask],
        )

    def contiguous_runs(self) -> list[IndexArray]:
        """Return the numbers of the pairs of each unbroken run of frames."""
        if not len(self):
            return []
        broken = (np.diff(self.film_indices) != 0) | (np.diff(self.clock_frames) != 1)
        return np.split(np.arange(len(self)), np.flatnonzero(broken) + 1)

    def load(self, indices: IndexArray) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return frames ``(n, 1 + past, 64, 64)`` and sound ``(n, target.excerpt_length)``.

        In colour, frames are ``(n, 1 + past, 64, 64, 3)``. Sound has its film's gain; outside the
        film it is 0.
        """
        films, windows = self.film_indices[indices], self.frame_windows[indices]
        starts = self.start_samples[indices] - self.target.lead_samples
        frames = np.empty((len(indices), *self.frames_shape), np.uint8)
        excerpts = np.zeros((len(indices), self.target.excerpt_length), np.float32)
        for number in np.unique(films):
            of_film = films == number
            pictures = self.films[number].frames[windows[of_film]]
            if self.ground_maps is not None:
                pictures = self.ground_maps[number].apply(pictures)
            frames[of_film] = pictures
        for excerpt, number, start in zip(excerpts, films, starts, strict=True):
            sound = self.films[number].sound[max(start, 0) : start + len(excerpt)]
            excerpt[max(-start, 0) :][: len(sound)] = with_gain(sound, self.gains_db[number])
        for number in np.unique(films):
            self.films[number].release_memory()
        return frames, excerpts

    def spread_indices(self, max_count: int) -> IndexArray:
        """Return the numbers of at most ``max_count`` pairs, evenly spread over all."""
        count = min(len(self), max_count)
        return np.linspace(0, len(self) - 1, count).round().astype(np.int64)


def mix_pairs(
    pairs: PairDataset, indices: IndexArray, overlay: IndexArray
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return frames and sound of pairs, each mixed with the pair ``overlay``, shape ``(n,)``.

    They have the shapes that `PairDataset.load` returns: the lighter of both pictures and the sum
    of both sounds.
    """
    frames, excerpts = pairs.load(indices)
    overlay_frames, overlay_excerpts = pairs.load(overlay)
    return np.maximum(frames, overlay_frames), excerpts + overlay_excerpts


def _index_film(
    film_index: int, film: PickledFilm, clock: Clock, target: Target, past_frames: int
) -> tuple[IndexArray, ...]:
    """Return a film's rows of the four arrays of a `PairDataset`."""
    rows = frame_indices_at_ticks(film.times, clock)
    starts = clock.sample_bounds(len(rows))[:-1]
    audio_start, audio_stop = film.card.audio_range
    first, stop = target.required_range
    ticks = np.flatnonzero((starts + first >= audio_start) & (starts + stop <= audio_stop))
    windows = np.maximum(ticks[:, None] - np.arange(past_frames, -1, -1), 0)
    return np.full(len(ticks), film_index), ticks, starts[ticks], rows[windows]
