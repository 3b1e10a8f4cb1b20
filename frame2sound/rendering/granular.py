"""Granular rendering: a cloud of grains around each frame's sound."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import oaconvolve

from frame2sound.clock import Clock
from frame2sound.errors import SoundtrackError
from frame2sound.rendering.cloud import Moment
from frame2sound.rendering.gestures import Gestures
from frame2sound.rendering.schedule import OnTime, Schedule
from frame2sound.rendering.soundtrack import Join
from frame2sound.sound.grains import Grains, lay
from frame2sound.sound.pan import Pan
from frame2sound.sound.windows import PEAKS, rising

Samples = NDArray[np.float32]

NOTHING: Samples = np.empty(0, np.float32)

RISE, FAINT = 10.0, 1e-3
"""An attack has so many times the power of what was before it, and at least this RMS."""

LISTEN_SECONDS = 0.01, 0.003
"""How long a frame's start is listened to, before and after it."""

GATE_SECONDS = 0.001, 0.008, 0.012
"""An attack is faded in before the frame's start, held, and faded out."""


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


class Ear:
    """Listens to sound frame by frame: how loud each is, and whether it begins with an attack.

    Attributes
    ----------
    levels : deque of float
        RMS of the frames that were heard whole, for the taker to take away.
    """

    def __init__(self, sample_rate: int, attacks: bool = True) -> None:
        self.levels: deque[float] = deque()
        self._attacks = attacks
        self._before, self._after, self._edge, hold, fall = (
            max(1, round(seconds * sample_rate)) for seconds in LISTEN_SECONDS + GATE_SECONDS
        )
        self._gate = np.concatenate([rising(self._edge), np.ones(hold), rising(fall)[::-1]])
        self._held = NOTHING
        self._origin = 0
        self._given = 0
        self._bounds = [0]
        self._begun: list[int] = []

    def feed(
        self, sound: Samples, ends: NDArray[np.int64] | list[int], last: bool = False
    ) -> tuple[Samples, Samples]:
        """Take sound and where further frames end; return attacks, and the sound without them."""
        self._bounds += [int(end) for end in ends]
        self._held = np.concatenate([self._held, sound])
        heard = self._origin + len(self._held)
        while len(self._bounds) > 1 and self._bounds[1] <= heard:
            start, end = (bound - self._origin for bound in self._bounds[:2])
            self.levels.append(_power(self._held[start:end]) ** 0.5)
            if self._attacks and self._begins(start):
                self._begun.append(self._bounds[0])
            del self._bounds[0]
        return self._give(heard if last else max(self._bounds[0] - self._edge, self._given))

    def _begins(self, start: int) -> bool:
        after = _power(self._held[start : start + self._after])
        before = _power(self._held[max(start - self._before, 0) : start])
        return after > RISE * before + FAINT**2

    def _give(self, end: int) -> tuple[Samples, Samples]:
        gate = np.zeros(end - self._given)
        for start in self._begun:
            at = start - self._edge - self._given
            first, last = max(at, 0), min(at + len(self._gate), len(gate))
            if last > first:
                gate[first:last] = np.maximum(gate[first:last], self._gate[first - at : last - at])
        sound = self._held[self._given - self._origin : end - self._origin]
        attacks = (sound * gate).astype(np.float32)
        self._given = end
        self._begun = [start for start in self._begun if start + len(self._gate) > end]
        drop = max(end - self._before - self._origin, 0)
        self._held, self._origin = self._held[drop:], self._origin + drop
        return attacks, sound - attacks


class Split:
    """Parts sound at a frequency into two whose powers add to that of the whole.

    Linear-phase filters, ``cos`` and ``sin`` of an angle that goes from 0 to a right angle between
    0.7 and 1.3 times the frequency. What is low joins what passes beside.
    """

    def __init__(self, sample_rate: int, hz: float) -> None:
        self._half = round(4 * sample_rate / hz) if hz else 0
        bins = np.fft.rfftfreq(16 * self._half or 2, 1 / sample_rate)
        angle = np.pi / 2 * np.clip((bins / hz - 0.7) / 0.6, 0, 1) if hz else bins
        self._filters = [_taps(response, self._half) for response in (np.cos(angle), np.sin(angle))]
        self._beside = NOTHING
        self._tail = np.zeros(self._half, np.float32)

    def feed(self, beside: Samples, sound: Samples, last: bool = False) -> tuple[Samples, Samples]:
        """Return ``beside`` with what is low, and what is high."""
        if not self._half:
            return beside, sound
        self._beside = np.concatenate([self._beside, beside])
        ending = np.zeros(self._half if last else 0, np.float32)
        self._tail = np.concatenate([self._tail, sound, ending])
        ready = len(self._tail) - 2 * self._half
        if ready <= 0:
            return NOTHING, NOTHING
        low, high = (
            oaconvolve(self._tail.astype(np.float64), taps, "valid").astype(np.float32)
            for taps in self._filters
        )
        beside, self._beside = self._beside[:ready], self._beside[ready:]
        self._tail = self._tail[ready:]
        return beside + low, high


def _taps(response: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Return a symmetric filter of ``2 half + 1`` taps with a real frequency response."""
    around = np.roll(np.fft.irfft(response), half)[: 2 * half + 1]
    taps: NDArray[np.float64] = around * np.hanning(2 * half + 3)[1:-1]
    return taps


def _power(sound: Samples) -> float:
    return float(np.mean(np.square(sound, dtype=np.float64))) if len(sound) else 0.0
