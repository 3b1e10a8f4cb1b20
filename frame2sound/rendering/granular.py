"""Granular rendering: a cloud of grains around each frame's sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock
from frame2sound.rendering.schedule import OnTime, Schedule
from frame2sound.sound.grains import Grains, lay
from frame2sound.sound.overlap import OverlapAdd


class Granular:
    """Replays joined sound as grains; fed in batches of any size it gives the same sound.

    Each frame's grains are drawn from a generator of their own, seeded by the seed and the frame's
    number, so that a soundtrack repeats exactly.

    Grains of an `OnTime` cloud are weighted so that their envelopes add to one: in amplitude when
    they all read in place, for then they join; in power when their reading wanders. Wandering
    grains still join in the bass, below half the inverse of the jitter, which comes out up to 6 dB
    louder; the rest keeps its level.

    Attributes
    ----------
    latest_peak_seconds : float
        The farthest that any envelope's peak lay from its frame's start, so far.
    """

    def __init__(
        self, join: OverlapAdd, clock: Clock, schedule: Schedule | None = None, seed: int = 0
    ) -> None:
        self.join = join
        self.clock = clock
        self.schedule = OnTime() if schedule is None else schedule
        self.seed = seed
        self.latest_peak_seconds = 0.0
        self._reach = self.schedule.reach(clock.slice_length, clock.sample_rate)
        self._even = isinstance(self.schedule, OnTime)
        self._power = 2 if self._even and self.schedule.jitter_seconds else 1  # type: ignore[attr-defined]
        self._source = np.empty(0, np.float32)
        self._out = np.empty(0, np.float32)
        self._weight = np.empty(0, np.float32)
        self._origin = 0
        self._emitted = 0
        self._frame = 0
        self._bounds: list[int] = [0]

    def feed(self, blocks: NDArray[np.float32], bounds: NDArray[np.int64]) -> NDArray[np.float32]:
        """Take blocks and bounds as `OverlapAdd.feed` does; return the sound that is complete."""
        self._bounds += bounds[1:].tolist()
        self._hear(self.join.feed(blocks, bounds))
        heard = self._origin + len(self._source)
        ready = [end for end in self._bounds[self._frame + 1 :] if end + self._reach[1] <= heard]
        self._sow(len(ready))
        return self._emit(max(self._bounds[self._frame] - self._reach[0], self._emitted))

    def flush(self) -> NDArray[np.float32]:
        """Return the rest of the sound."""
        self._hear(self.join.flush())
        end = self._bounds[-1]
        # The last frame would fade before its end without the cloud of a frame to follow it.
        self._bounds.append(end + self.clock.slice_length)
        self._sow(len(self._bounds) - 1 - self._frame)
        return self._emit(end)

    def _hear(self, sound: NDArray[np.float32]) -> None:
        self._source = np.concatenate([self._source, sound])

    def _sow(self, frames: int) -> None:
        if not frames:
            return
        clouds = [self._cloud(self._frame + i) for i in range(frames)]
        self._frame += frames
        columns = ("onset", "length", "source", "rate", "gain")
        onset, length, source, rate, gain = (
            np.concatenate([getattr(cloud, name) for cloud in clouds]) for name in columns
        )
        grains = Grains(onset - self._origin, length, source - self._origin, rate, gain)
        self._make_room(int((grains.onset + grains.length).max(initial=0)))
        weight = self._weight if self._even else None
        lay(grains, self._source, self.schedule.shape, self._out, weight, self._power)

    def _cloud(self, frame: int) -> Grains:
        start, end = self._bounds[frame], self._bounds[frame + 1]
        random = np.random.default_rng([self.seed, frame])
        grains = self.schedule.grains(start, end, self.clock.sample_rate, random)
        farthest = float(np.abs(grains.peaks() - start).max(initial=0))
        self.latest_peak_seconds = max(self.latest_peak_seconds, farthest / self.clock.sample_rate)
        return grains

    def _make_room(self, length: int) -> None:
        missing = max(length, len(self._source)) - len(self._out)
        if missing > 0:
            self._out = np.pad(self._out, (0, missing))
            self._weight = np.pad(self._weight, (0, missing))

    def _emit(self, end: int) -> NDArray[np.float32]:
        """Give out what no later grain can touch, and forget what none can read."""
        self._make_room(end - self._origin)
        done = slice(self._emitted - self._origin, end - self._origin)
        sound = self._out[done]
        if self._even:
            summed = self._weight[done] ** (1 / self._power)
            sound = sound / np.maximum(summed, 0.1)
        self._emitted = max(end, self._emitted)
        drop = max(self._bounds[self._frame] - self._reach[0] - self._origin, 0)
        drop = min(drop, len(self._source), self._emitted - self._origin)
        self._source, self._out = self._source[drop:], self._out[drop:]
        self._weight = self._weight[drop:]
        self._origin += drop
        return sound
