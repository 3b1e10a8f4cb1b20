"""Grain schedules: which grains sound for a frame, and when."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.granular.cloud import Cloud, ModulationSources
from frame2sound.sound.grains import Grains
from frame2sound.sound.windows import ENVELOPE_PEAKS

NO_MODULATION = ModulationSources()
"""The modulation sources where nothing is known about the picture."""

MIN_CROSSOVER_HZ = 20.0


class GrainSchedule(Protocol):
    """Generates the grains of one frame."""

    @property
    def envelope(self) -> str:
        """The name of the grain envelope."""

    def reach(self, slice_length: int, sample_rate: int) -> tuple[int, int]:
        """Return how far before and after a frame's start grains may read or sound, in samples."""

    def max_peak_delay(self, slice_length: int, sample_rate: int) -> float:
        """Return the largest delay of a grain's peak after its frame's start, in samples."""

    def grains(
        self,
        start: int,
        end: int,
        sample_rate: int,
        random: np.random.Generator,
        sources: ModulationSources = NO_MODULATION,
        due: float = 0.0,
    ) -> tuple[Grains, float]:
        """Return the grains of a frame, and the time of the first grain of the next frame.

        Parameters
        ----------
        start, end : int
            First sample of the frame and of the next.
        sources : ModulationSources
            The values that modulate the grains.
        due : float
            Time of the first grain after the frame's start, in samples, as returned for the frame
            before.
        """


@dataclass(frozen=True)
class OnTimeSchedule:
    """A cloud whose grains have their peaks within their frame.

    Every envelope has its peak within its frame, at most ``cloud.spray`` after the frame's start.
    At its peak a grain reads its own position, with a deviation of at most ``cloud.jitter``. The
    distance of peaks is random, half to one and a half times the mean, across frames: a steady
    cloud has no rhythm.

    Grains that do not read in place are incoherent. Half of them, at random, are inverted, so that
    they are incoherent also in the bass, where a short jitter does not change the phase.
    """

    cloud: Cloud = field(default_factory=Cloud)

    @property
    def envelope(self) -> str:
        """The name of the grain envelope."""
        return self.cloud.envelope

    @property
    def envelope_power(self) -> int:
        """The power of the envelopes whose sum is normalised to one."""
        return 1 if self.cloud.reads_in_place else 2

    @property
    def crossover_hz(self) -> float:
        """The frequency below which jitter is too short to change the phase; 0 if there is none.

        Its half period is the jitter, the shift at which grains cancel.
        """
        jitter = self.cloud.max_abs("jitter")
        if self.cloud.transposes or not jitter or 0.5 / jitter < MIN_CROSSOVER_HZ:
            return 0.0
        return 0.5 / jitter

    def reach(self, slice_length: int, sample_rate: int) -> tuple[int, int]:
        """Return how far before and after a frame's start grains may read or sound, in samples."""
        semitones = self.cloud.max_abs("pitch") + self.cloud.max_abs("pitch_jitter")
        length = self.cloud.max_abs("duration") * sample_rate * 2 ** (semitones / 12)
        margin = math.ceil(length + self.cloud.max_abs("jitter") * sample_rate) + 2
        return margin, margin + math.ceil(self.max_peak_delay(slice_length, sample_rate))

    def max_peak_delay(self, slice_length: int, sample_rate: int) -> float:
        """Return the largest delay of a grain's peak after its frame's start, in samples."""
        return min(self.cloud.max_abs("spray") * sample_rate, slice_length)

    def grains(
        self,
        start: int,
        end: int,
        sample_rate: int,
        random: np.random.Generator,
        sources: ModulationSources = NO_MODULATION,
        due: float = 0.0,
    ) -> tuple[Grains, float]:
        """Return the grains of a frame, and the time of the first grain of the next frame."""
        controls = self.cloud.control_values(sources)
        times, due = _grain_times(end - start, sample_rate / controls["density"], random, due)
        count = len(times)
        length = max(2, round(controls["duration"] * sample_rate))
        span = min(controls["spray"] * sample_rate, end - start)
        before = length * ENVELOPE_PEAKS[self.envelope]
        peak = start + times * (span / (end - start))
        onset = np.maximum(np.floor(peak - before), math.ceil(start - before))
        detune = random.uniform(-1, 1, count) * controls["pitch_jitter"]
        rate = 2 ** ((controls["pitch"] + detune) / 12)
        rate = np.where(random.random(count) < controls["reverse"], -rate, rate)
        jitter = random.uniform(-1, 1, count) * (controls["jitter"] * sample_rate)
        polarity = np.ones(count) if self.envelope_power == 1 else random.choice([-1.0, 1.0], count)
        pan = np.clip(controls["pan"] + controls["spread"] * random.uniform(-1, 1, count), -1, 1)
        source = onset + before + jitter - rate * before
        length_each = np.full(count, length)
        return Grains(onset.astype(np.int64), length_each, source, rate, polarity, pan), due


def _grain_times(
    samples: int, gap: float, random: np.random.Generator, due: float
) -> tuple[NDArray[np.float64], float]:
    """Return random times from ``due`` on, and that of the next frame's first grain.

    Distances are half to one and a half times ``gap``, independent of frame starts.
    """
    max_count = int(2 * max(samples - due, 0) / gap) + 2
    times = due + np.concatenate([[0.0], np.cumsum((0.5 + random.random(max_count)) * gap)])
    count = int(np.searchsorted(times, samples))
    return times[:count], float(times[count] - samples)


@dataclass(frozen=True)
class HindleSchedule:
    """Hindle's schedule of 2015: dense, and not in sync.

    Each frame has 1 to 19 parent grains that read it and are as long. The j-th starts between one
    frame early and j frames late. Each has up to 19 children, which start up to
    ``sample_rate / 1000`` frames later; the length of each is 0.25 to 0.99 times that of the one
    before, until below 100 samples, and the i-th has gain 1 / i. (The original reads 22 050 Hz
    sound at half speed on a 44 100 Hz clock, so the pitch is unchanged.)
    """

    envelope: str = "triangle"
    gain: float = 0.4

    def reach(self, slice_length: int, sample_rate: int) -> tuple[int, int]:
        """Return how far before and after a frame's start grains may read or sound, in samples."""
        return slice_length, slice_length * (21 + sample_rate // 1000)

    def max_peak_delay(self, slice_length: int, sample_rate: int) -> float:
        """Return infinity: the delay is not limited."""
        return math.inf

    def grains(
        self,
        start: int,
        end: int,
        sample_rate: int,
        random: np.random.Generator,
        sources: ModulationSources = NO_MODULATION,
        due: float = 0.0,
    ) -> tuple[Grains, float]:
        """Return the parent grains and their children."""
        frame = end - start
        onset, length, gain = [], [], []
        for parent in range(1, int(random.integers(2, 21))):
            parent_onset = start + int(random.uniform(-frame, parent * frame))
            onset.append(parent_onset)
            length.append(frame)
            gain.append(1.0)
            child_length = frame
            for child in range(int(random.integers(1, 20))):
                if child_length <= 100:
                    break
                onset.append(parent_onset + int(random.uniform(0, frame * (sample_rate // 1000))))
                child_length = int(child_length * random.uniform(0.25, 0.99))
                length.append(child_length)
                gain.append(1 / (child + 1))
        count = len(onset)
        grains = Grains(
            np.array(onset, np.int64),
            np.array(length, np.int64),
            np.full(count, float(start)),
            np.ones(count),
            self.gain * np.array(gain),
        )
        return grains, 0.0
