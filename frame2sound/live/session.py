"""A session of live playing: frames to the engine, its sound to what plays or keeps it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.live.engine import LiveEngine, LiveEvent, PlayedEvent
from frame2sound.live.frame_sources import FrameSource, LiveFrame, PlaybackClock
from frame2sound.live.latency import LatencyCounter
from frame2sound.live.messages import EventListener
from frame2sound.live.pyo_output import PyoOutput
from frame2sound.live.system_clock import SystemClock

Samples = NDArray[np.float32]


class LiveClock(PlaybackClock, Protocol):
    """A clock that also knows which sample is playing."""

    def wait_for(self, seconds: Fraction) -> None:
        """Wait for a time from now on."""

    def now(self) -> float:
        """Return the time in seconds."""

    def arrival_sample(self) -> int:
        """Return the sample that is playing."""


class OfflineClock:
    """Simulated time: while it waits, the engine's blocks are played, as fast as they are made."""

    def __init__(
        self, engine: LiveEngine, on_block: Callable[[Samples, int, float], object]
    ) -> None:
        self._engine, self._on_block, self._sample = engine, on_block, 0

    def wait_until(self, seconds: Fraction) -> float:
        """Play the blocks that begin before a time; return 0: it is never late."""
        self._sample = round(seconds * self._engine.sample_rate)
        while (first := self._engine.position) < self._sample:
            self._on_block(self._engine.read(), first, first / self._engine.sample_rate)
        return 0.0

    def wait_for(self, seconds: Fraction) -> None:
        """Play the blocks that begin within a time."""
        self.wait_until(Fraction(self._sample, self._engine.sample_rate) + seconds)

    def now(self) -> float:
        """Return the time that was waited for."""
        return self._sample / self._engine.sample_rate

    def arrival_sample(self) -> int:
        """Return the sample of the time that was waited for."""
        return self._sample


class CardClock(SystemClock):
    """The system's time, beside the clock of the sound card; it starts with the first wait."""

    def __init__(self, output: PyoOutput) -> None:
        super().__init__()
        self._output = output

    def wait_for(self, seconds: Fraction) -> None:
        """Sleep."""
        time.sleep(float(seconds))

    def now(self) -> float:
        """Return the system's time."""
        return time.perf_counter()

    def arrival_sample(self) -> int:
        """Return the sample that the sound card asks for now."""
        return self._output.sample_at(time.perf_counter())


@dataclass
class Counts:
    """What has been counted so far."""

    frames: int = 0
    events: int = 0
    late_events: int = 0


class LiveSession:
    """Shows the frames of a source to an engine, and tells listeners of events.

    Parameters
    ----------
    engine : LiveEngine
    source : FrameSource
    listeners : sequence of EventListener
    on_frame : callable
        Is called with each frame, the sample at which it arrived, and the event that it began.
    max_seconds : float
        It ends after so long.
    """

    def __init__(
        self,
        engine: LiveEngine,
        source: FrameSource,
        listeners: Sequence[EventListener] = (),
        on_frame: Callable[[LiveFrame, int, PlayedEvent | None], object] | None = None,
        max_seconds: float = float("inf"),
    ) -> None:
        self.engine, self.source = engine, source
        self.counts = Counts()
        self.event_latency, self.sound_delay = LatencyCounter(), LatencyCounter()
        self.frame_time = LatencyCounter()
        self._listeners, self._on_frame = listeners, on_frame
        self._max_seconds = max_seconds
        self._arrived = 0.0
        self._sounding: deque[tuple[int, float]] = deque()
        engine.on_event = self._tell

    def run(self, clock: LiveClock) -> None:
        """Play until the source ends, the time is over, or Ctrl-C is pressed."""
        with (
            suppress(KeyboardInterrupt),  # the way in which playing without end does end
            closing(self.source.frames(clock)) as frames,  # type: ignore[type-var]
        ):
            for frame in frames:
                self._arrived = time.perf_counter()
                arrival, sample = clock.now(), clock.arrival_sample()
                seconds = sample / self.engine.sample_rate
                if seconds >= self._max_seconds:
                    break
                played = self.engine.see(frame.picture, sample)
                self.frame_time.add(time.perf_counter() - self._arrived)
                self._count(arrival, played)
                for listener in self._listeners:
                    listener.tick(seconds)
                if self._on_frame is not None:
                    self._on_frame(frame, sample, played)

    def drain(self, clock: LiveClock) -> None:
        """Play what still sounds, or until Ctrl-C is pressed."""
        left = self.engine.position + self.engine.pending - clock.arrival_sample()
        with suppress(KeyboardInterrupt):
            clock.wait_for(Fraction(max(left, 0), self.engine.sample_rate))

    def on_block(self, first_sample: int, samples: int, seconds: float) -> None:
        """Measure the delay of the events whose onset is in a block that is asked for now."""
        end = first_sample + samples
        while self._sounding and self._sounding[0][0] < end:
            onset, arrival = self._sounding.popleft()
            self.sound_delay.add(
                seconds + (onset - first_sample) / self.engine.sample_rate - arrival
            )

    def _tell(self, event: LiveEvent) -> None:
        for listener in self._listeners:
            listener.event(event, time.perf_counter() - self._arrived)
        self.event_latency.add(time.perf_counter() - self._arrived)

    def _count(self, arrival: float, played: PlayedEvent | None) -> None:
        self.counts.frames += 1
        if played is not None:
            self.counts.events += 1
            self.counts.late_events += played.late_samples > 0
            self._sounding.append((played.onset_sample, arrival))
