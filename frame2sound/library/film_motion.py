"""The motion of films beside their sound, in stretches: what regressions are fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.ground import GroundMap
from frame2sound.brain.motion import (
    MAX_LEAD_SECONDS,
    Motion,
    MotionContext,
    MotionScale,
    MotionStream,
)
from frame2sound.clock import Clock, frame_indices_at_ticks
from frame2sound.film.small_frames import luma
from frame2sound.library.calibration import is_calibration
from frame2sound.library.event_times import first_after, last_before, nearest_distance
from frame2sound.library.film_loudness import with_gain
from frame2sound.library.store import PickledFilm
from frame2sound.sound.onset_detection import detect_onsets, onset_levels_db

FloatArray = NDArray[np.float64]

STRETCH_SECONDS = 30.0
"""Long libraries are measured in stretches of this length, evenly spaced."""

CHUNK_FRAMES = 256
"""Frames that are read at once."""

ONSET_SPREAD_SECONDS, ONSET_SPREAD_GAPS = 0.033, 0.4
"""Standard deviation of the bump at an onset: 33 ms, or 0.4 of the time between two pictures."""

FLOOR_DB = -70.0
"""Quieter frames count as this level."""

BED_AFTER_SECONDS, BED_BEFORE_SECONDS = 0.25, 0.05
"""Frames so long after and before an onset are not between events."""

SHORT_HOP_SECONDS, NEAR_SECONDS = 0.01, (0.05, 0.1)
"""The hop of short levels, and how far before and after a predicted event its level is sought."""


@dataclass(frozen=True)
class FilmMotion:
    """The motion of a stretch of film beside its sound.

    Times are in seconds from the start of the stretch.

    Attributes
    ----------
    seconds : float
    times : float64 array (m,)
        When an event that a new picture shows began: when the picture before appeared.
    gaps : float64 array (m,)
        The seconds between the two, at most `MAX_LEAD_SECONDS`.
    frames : int64 array (m,)
        The frame in which each new picture appears.
    features : float64 array (m, 80)
    onsets, onset_db : float64 arrays (k,)
        The onsets of the sound, and their levels in dBFS.
    frame_db : float64 array (n,)
        The level of each frame's sound in dBFS.
    short_db : float64 array (h,)
        The level of windows of 20 ms, every 10 ms.
    fps : float
    """

    seconds: float
    times: FloatArray
    gaps: FloatArray
    frames: NDArray[np.int64]
    features: FloatArray
    onsets: FloatArray
    onset_db: FloatArray
    frame_db: FloatArray
    short_db: FloatArray
    fps: float

    def onset_bumps(self) -> FloatArray:
        """Return the target of the onset regression, 0 to 1: a bump at each onset, ``(m,)``."""
        spread = np.maximum(ONSET_SPREAD_SECONDS, ONSET_SPREAD_GAPS * self.gaps)
        distance = nearest_distance(self.times, self.onsets)
        return np.exp(-0.5 * (distance / spread) ** 2)

    def levels_near(self, times: FloatArray) -> FloatArray:
        """Return the highest short level from 50 ms before to 100 ms after each time."""
        first = ((times - NEAR_SECONDS[0]) / SHORT_HOP_SECONDS).round().astype(np.int64)
        width = round(sum(NEAR_SECONDS) / SHORT_HOP_SECONDS)
        at = (first[:, None] + np.arange(width)).clip(0, len(self.short_db) - 1)
        return np.asarray(np.maximum(self.short_db[at].max(axis=1), FLOOR_DB))

    def is_between_events(self) -> NDArray[np.bool_]:
        """Return which new pictures have the sound between two events, bool ``(m,)``."""
        at = self.frames / self.fps
        after = at - last_before(at, self.onsets)
        before = first_after(at, self.onsets) - at
        return (after > BED_AFTER_SECONDS) & (before > BED_BEFORE_SECONDS + 1 / self.fps)


def measure_motion(
    films: Sequence[PickledFilm],
    clock: Clock,
    max_seconds: float,
    gains_db: Sequence[float],
    ground_maps: Sequence[GroundMap] | None = None,
    on_progress: Callable[[float, float], None] = lambda done, total: None,
) -> list[FilmMotion]:
    """Return the motion of films at a clock, and their sound, in stretches.

    Parameters
    ----------
    films : sequence of PickledFilm
        The calibration film is left out.
    max_seconds : float
        Of longer libraries, evenly spaced stretches of `STRETCH_SECONDS` are measured.
    gains_db : sequence of float
        The gain of each film's sound.
    ground_maps : sequence of GroundMap, optional
        The map of each film's frames.
    on_progress : callable
        Called with the seconds measured and all that there are.
    """
    maps = ground_maps or [GroundMap()] * len(films)
    sources = [
        source
        for source in zip(films, gains_db, maps, strict=True)
        if not is_calibration(source[0])
    ]
    ranges = [(source, *_sounding_frames(source[0], clock)) for source in sources]
    max_frames = int(max_seconds * clock.fps)
    if sum(stop - start for _, start, stop in ranges) > max_frames:
        length = max(min(int(STRETCH_SECONDS * clock.fps), max_frames), 1)
        pieces = [
            (source, at, min(at + length, stop))
            for source, start, stop in ranges
            for at in range(start, max(stop - length // 2, start + 1), length)
        ]
        count = min(max(max_frames // length, 1), len(pieces))
        ranges = [pieces[at] for at in _spread(count, len(pieces))]
    stretches, total = [], sum(max(stop - start, 0) for _, start, stop in ranges)
    for source, start, stop in ranges:
        if stop > start:
            stretches.append(_measure_stretch(*source, clock, start, stop))
            done = sum(each.seconds for each in stretches)
            on_progress(done, total / float(clock.fps))
    return stretches


def _sounding_frames(film: PickledFilm, clock: Clock) -> tuple[int, int]:
    """Return the frames at a clock whose sound is in the film's audio range."""
    begin, end = film.card.audio_range
    count = len(frame_indices_at_ticks(film.times, clock))
    rate = Fraction(film.card.sample_rate)
    start = clock.count_frames_within(Fraction(begin) / rate)
    return start, min(clock.count_frames_within(Fraction(end) / rate), count)


def _spread(count: int, total: int) -> list[int]:
    """Return evenly spaced numbers below ``total``; a single one from the middle."""
    if count == 1:
        return [total // 2]
    return [round(at) for at in np.linspace(0, total - 1, count).tolist()]


def _measure_stretch(
    film: PickledFilm, gain_db: float, ground: GroundMap, clock: Clock, start: int, stop: int
) -> FilmMotion:
    rows = frame_indices_at_ticks(film.times, clock)[start:stop]
    stream, scale, parts = MotionStream(), MotionScale(), []
    for at in range(0, len(rows), CHUNK_FRAMES):
        frames = ground.apply(np.array(film.frames[rows[at : at + CHUNK_FRAMES]]))
        parts.append(stream.process(luma(frames) if frames.ndim == 4 else frames))
        scale.observe(parts[-1])
        film.release_memory()
    motion = Motion.concatenate(parts)
    bounds = clock.sample_bounds(stop - start, start)
    sound = with_gain(np.array(film.sound[bounds[0] : bounds[-1]]), gain_db)
    bounds = np.minimum(bounds - bounds[0], len(sound))
    energy = np.concatenate([[0.0], np.cumsum(sound.astype(np.float64) ** 2)])
    power = np.diff(energy[bounds]) / np.maximum(np.diff(bounds), 1)
    onsets = detect_onsets(sound, clock.sample_rate)
    fps, frames_of = float(clock.fps), np.flatnonzero(motion.is_new)
    gaps = np.minimum(motion.gap_frames[frames_of] / fps, MAX_LEAD_SECONDS)
    return FilmMotion(
        seconds=(stop - start) / fps,
        times=frames_of / fps - gaps,
        gaps=gaps,
        frames=frames_of,
        features=MotionContext().process(motion, scale.values),
        onsets=onsets,
        onset_db=onset_levels_db(sound, clock.sample_rate, onsets),
        frame_db=10 * np.log10(np.maximum(power, 1e-12)),
        short_db=_short_levels_db(energy, clock.sample_rate),
        fps=fps,
    )


def _short_levels_db(energy: FloatArray, sample_rate: int) -> FloatArray:
    """Return the level of windows of 20 ms every 10 ms, from the cumulative energy of samples."""
    hop = max(round(SHORT_HOP_SECONDS * sample_rate), 1)
    begin = np.arange(0, max(len(energy) - 1, 1), hop)
    end = np.minimum(begin + 2 * hop, len(energy) - 1)
    return 10 * np.log10(np.maximum((energy[end] - energy[begin]) / (2 * hop), 1e-12))
