"""Granular rendering: a cloud of grains around each frame's sound."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock
from frame2sound.errors import SoundtrackError
from frame2sound.rendering.beside import NOTHING, Ear, Samples, Split
from frame2sound.rendering.cloud import Moment
from frame2sound.rendering.gestures import Gestures
from frame2sound.rendering.schedule import OnTime, Schedule
from frame2sound.rendering.soundtrack import Join
from frame2sound.sound.grains import Grains, lay
from frame2sound.sound.pan import Pan
from frame2sound.sound.windows import PEAKS


class Granular:
    """Replays joined sound as grains; fed in batches of any size it gives the same sound.

    Each frame's grains are drawn from a generator of their own, seeded by the seed and the frame's
    number, so that a soundtrack repeats exactly.

    An `OnTime` cloud plays only what may be scattered. Attacks at frame starts pass beside it, so
    that they keep their edge; so does bass too low for the jitter to move, so that it keeps its
    level. Its grains are weighted so that envelopes add to one: in amplitude when all read in
    place, for then they join, in power when their reading wanders. Where they add to less, in a
    thin cloud, each grain keeps its own envelope.

    Attributes
    ----------
    channels : int
        1, or 2 where the cloud's grains are placed.
    latest_peak_seconds : float
        The farthest that any envelope's peak lay from its frame's start, so far.
    count : int
        The grains so far.
    watch : callable
        Is given each frame's grains as they are sown, for another engine to play.
    """

    def __init__(
        self, join: Join, clock: Clock, schedule: Schedule | None = None, seed: int = 0
    ) -> None:
        self.join = join
        self.clock = clock
        self.schedule = OnTime() if schedule is None else schedule
        self.seed = seed
        self.latest_peak_seconds = 0.0
        self.count = 0
        self.watch: Callable[[Grains], None] = lambda grains: None
        on_time = self.schedule if isinstance(self.schedule, OnTime) else None
        self._on_time = on_time
        self.channels = on_time.cloud.channels if on_time else 1
        self._power = on_time.power if on_time else 0
        self._ear = Ear(clock.sample_rate, attacks=on_time is not None)
        self._split = Split(clock.sample_rate, on_time.split_hz if on_time else 0.0)
        self._reach = self.schedule.reach(clock.slice_length, clock.sample_rate)
        # Grains of the frames before the first and after the last reach into the sound.
        self._around = -(-self._reach[0] // clock.slice_length) if on_time else 0
        self._pan = Pan()
        self._source, self._beside = NOTHING, NOTHING
        self._out = np.empty((self.channels, 0), np.float32)
        self._weight = NOTHING
        self._origin = 0
        self._bounds = [0]
        self._sown = 0
        self._due = 0.0
        self._emitted = 0
        self._gestures: deque[list[float]] = deque()
        self._moment = Moment()
        self._places: deque[float] = deque()

    @property
    def summary(self) -> str:
        """What was laid, in a line."""
        late, count = 1e3 * self.latest_peak_seconds, f"{self.count:,}".replace(",", " ")
        return f"grains at most {late:.1f} ms from their frame, {count} grains"

    def feed(
        self, predictions: NDArray[Any], bounds: NDArray[np.int64], gestures: Gestures
    ) -> NDArray[np.float32]:
        """Take predictions and bounds as the join does; return the sound that is complete.

        Raises
        ------
        SoundtrackError
            A grain is farther from its frame than its schedule allows: a defect.
        """
        self._bounds += bounds[1:].tolist()
        curves = np.stack([gestures.brightness, gestures.motion, gestures.place], axis=1)
        self._gestures.extend(curves.tolist())
        joined = self.join.feed(predictions, bounds)
        self._hear(*self._split.feed(*self._ear.feed(joined, bounds[1:])))
        heard = self._origin + len(self._source)
        ends = self._bounds[self._sown - self._emitted + 1 :]
        self._sow(sum(end + self._reach[1] <= heard for end in ends))
        safe = self._bounds[self._sown - self._emitted] - self._reach[0]
        return self._emit(sum(end <= safe for end in self._bounds[1:]))

    def flush(self) -> NDArray[np.float32]:
        """Return the rest of the sound."""
        self._hear(*self._split.feed(*self._ear.feed(self.join.flush(), [], last=True), last=True))
        frames = len(self._bounds) - 1
        self._sow(frames - (self._sown - self._emitted))
        self._sow_around(self._bounds[-1], range(self._around))
        return self._emit(frames)

    def _hear(self, beside: Samples, source: Samples) -> None:
        self._beside = np.concatenate([self._beside, beside])
        self._source = np.concatenate([self._source, source])

    def _sow(self, frames: int) -> None:
        clouds = []
        for _ in range(frames):
            first = self._sown - self._emitted
            start, end = self._bounds[first : first + 2]
            brightness, motion, place = self._gestures.popleft()
            self._moment = Moment.of(brightness, motion, place, self._ear.levels.popleft())
            if not self._sown:
                self._sow_around(0, range(-self._around, 0))
            clouds.append(self._counted(self._cloud(self._sown, start, end), start))
            self._places.append(self._on_time.cloud.at(self._moment)["pan"] if self._on_time else 0)
            self._sown += 1
        self._lay(clouds)

    def _sow_around(self, start: int, frames: range) -> None:
        """Sow frames that are not there, before the first or after the last."""
        length = self.clock.slice_length
        begun = [(self._sown + i, start + i * length) for i in frames]
        self._lay([self._cloud(frame, at, at + length) for frame, at in begun])

    def _cloud(self, frame: int, start: int, end: int) -> Grains:
        random = np.random.default_rng([self.seed, frame % 2**32])
        grains, self._due = self.schedule.grains(
            start, end, self.clock.sample_rate, random, self._moment, self._due
        )
        return grains

    def _counted(self, grains: Grains, start: int) -> Grains:
        """Hold grains to their bound."""
        late = grains.peaks(PEAKS[self.schedule.shape]) - start
        bound = self.schedule.bound(self.clock.slice_length, self.clock.sample_rate)
        farthest = float(np.abs(late).max(initial=0))
        if farthest > bound or (np.isfinite(bound) and late.min(initial=0) < 0):
            raise SoundtrackError(
                f"got a grain {farthest / self.clock.sample_rate:.4f} s from its frame, expected "
                f"at most {bound / self.clock.sample_rate:.4f} s after it; report this"
            )
        self.latest_peak_seconds = max(self.latest_peak_seconds, farthest / self.clock.sample_rate)
        self.count += len(grains)
        self.watch(grains)
        return grains

    def _lay(self, clouds: list[Grains]) -> None:
        if not clouds:
            return
        grains = Grains.together(clouds).earlier(self._origin)
        self._make_room(int((grains.onset + grains.length).max(initial=0)))
        out = self._out if self.channels == 2 else self._out[0]
        weight = self._weight if self._power else None
        lay(grains, self._source, self.schedule.shape, out, weight, self._power)

    def _make_room(self, length: int) -> None:
        missing = max(length - len(self._weight), 0)
        self._out = np.pad(self._out, ((0, 0), (0, missing)))
        self._weight = np.pad(self._weight, (0, missing))

    def _emit(self, frames: int) -> NDArray[np.float32]:
        """Give out frames that no later grain can touch, and forget what none can read."""
        bounds = np.array(self._bounds[: frames + 1])
        done = slice(bounds[0] - self._origin, bounds[-1] - self._origin)
        self._make_room(done.stop)
        sound = self._out[:, done].T
        if self._power:
            sound = sound / np.maximum(self._weight[done] ** (1 / self._power), 1)[:, None]
        beside = self._beside[done]
        places = np.array([self._places.popleft() for _ in range(frames)])
        if self.channels == 2:
            sound = sound + self._pan.feed(beside, places, bounds)
        else:
            sound = sound[:, 0] + beside
        del self._bounds[:frames]
        self._emitted += frames
        self._forget()
        return sound

    def _forget(self) -> None:
        until = self._bounds[self._sown - self._emitted] - self._reach[0]
        drop = min(max(until, 0), self._bounds[0]) - self._origin
        drop = max(min(drop, len(self._source)), 0)
        self._source, self._beside = self._source[drop:], self._beside[drop:]
        self._out, self._weight = self._out[:, drop:], self._weight[drop:]
        self._origin += drop
