"""Schedules: which grains sound for a frame, and when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from frame2sound.sound.grains import Grains

LEAST_FRAMES = 1.2
"""How many frames a grain must last for the clouds of neighbouring frames to meet."""


class Schedule(Protocol):
    """Chooses the grains of one frame."""

    @property
    def shape(self) -> str:
        """The grains' envelope."""

    def reach(self, slice_length: int, sample_rate: int) -> tuple[int, int]:
        """Return how many samples before and after a frame's start grains may read or sound."""

    def grains(self, start: int, end: int, sample_rate: int, random: np.random.Generator) -> Grains:
        """Return the grains of the frame that owns samples ``start`` up to ``end``."""


@dataclass(frozen=True)
class OnTime:
    """A cloud whose grains stay on their frame.

    Every envelope has its peak at most ``spread_seconds`` after the frame's start and never before
    it. Only where a grain reads may wander, by up to ``jitter_seconds`` to either side.

    Attributes
    ----------
    duration_seconds : float
        Length of a grain; where frames are long, it is rather 1.2 frames, to leave no hole.
    density_hz : float
        Grains a second; times the duration, the number that sound at once, however long they get.
    pitch_jitter : float
        Semitones, up and down, by which grains are detuned.
    """

    duration_seconds: float = 0.05
    density_hz: float = 150.0
    spread_seconds: float = 0.015
    jitter_seconds: float = 0.003
    pitch_jitter: float = 0.0
    shape: str = "hann"

    def reach(self, slice_length: int, sample_rate: int) -> tuple[int, int]:
        """Return how many samples before and after a frame's start grains may read or sound."""
        stretch = 2 ** (self.pitch_jitter / 12)
        half = self._length(slice_length, sample_rate) / 2 * stretch
        before = math.ceil(half + self.jitter_seconds * sample_rate) + 2
        return before, before + math.ceil(self.spread_seconds * sample_rate)

    def grains(self, start: int, end: int, sample_rate: int, random: np.random.Generator) -> Grains:
        """Return grains spread evenly, with a random offset each, over the frame's beginning."""
        size = self._length(end - start, sample_rate)
        at_once = self.density_hz * self.duration_seconds
        count = int(at_once * (end - start) / size + random.random())
        span = min(self.spread_seconds * sample_rate, end - start)
        peak = start + (np.arange(count) + random.random(count)) / max(count, 1) * span
        length = np.full(count, size)
        onset = np.maximum(np.floor(peak - length / 2), np.ceil(start - length / 2))
        rate = 2 ** (random.uniform(-1, 1, count) * self.pitch_jitter / 12)
        middle = (
            onset + length / 2 + random.uniform(-1, 1, count) * (self.jitter_seconds * sample_rate)
        )
        return Grains(
            onset.astype(np.int64), length, middle - rate * length / 2, rate, np.ones(count)
        )

    def _length(self, frame: int, sample_rate: int) -> int:
        return max(2, round(max(self.duration_seconds * sample_rate, LEAST_FRAMES * frame)))


@dataclass(frozen=True)
class Hindle:
    """The ancestor's schedule of 2015: rich, and late.

    For each frame 1 to 19 parent grains, the j-th starting between one frame early and j frames
    late, as long as the frame and reading it; each has up to 19 children, which start up to
    ``sample_rate / 1000`` frames later, shrink by 0.25 to 0.99 each until below 100 samples, and
    sound at 1 / i. (He reads 22 050 Hz sound at half speed on a 44 100 Hz clock, so the pitch
    stays.)
    """

    shape: str = "triangle"
    gain: float = 0.4

    def reach(self, slice_length: int, sample_rate: int) -> tuple[int, int]:
        """Return how many samples before and after a frame's start grains may read or sound."""
        return slice_length, slice_length * (21 + sample_rate // 1000)

    def grains(self, start: int, end: int, sample_rate: int, random: np.random.Generator) -> Grains:
        """Return the parents and their children."""
        frame = end - start
        onset, length, gain = [], [], []
        for parent in range(1, int(random.integers(2, 21))):
            when = start + int(random.uniform(-frame, parent * frame))
            onset.append(when)
            length.append(frame)
            gain.append(1.0)
            shrunk = frame
            for child in range(int(random.integers(1, 20))):
                if shrunk <= 100:
                    break
                onset.append(when + int(random.uniform(0, frame * (sample_rate // 1000))))
                shrunk = int(shrunk * random.uniform(0.25, 0.99))
                length.append(shrunk)
                gain.append(1 / (child + 1))
        count = len(onset)
        return Grains(
            np.array(onset, np.int64),
            np.array(length, np.int64),
            np.full(count, float(start)),
            np.ones(count),
            self.gain * np.array(gain),
        )
