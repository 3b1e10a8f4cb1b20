"""Schedules: which grains sound for a frame, and when."""

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
"""What grains follow where nothing is said of the picture."""

MIN_CROSSOVER_HZ = 20.0


class GrainSchedule(Protocol):
    """Chooses the grains of one frame."""

    @property
    def envelope(self) -> str:
        """The grains' envelope."""

    def reach(self, slice_length: int, sample_rate: int) -> tuple[int, int]:
        """Return how many samples before and after a frame's start grains may read or sound."""

    def max_peak_delay(self, slice_length: int, sample_rate: int) -> float:
        """Return how many samples after its frame's start a grain may have its peak."""

    def grains(
        self,
        start: int,
        end: int,
        sample_rate: int,
        random: np.random.Generator,
        sources: ModulationSources = NO_MODULATION,
        due: float = 0.0,
    ) -> tuple[Grains, float]:
        """Return the grains of a frame, and when the next frame's are due.

        Parameters
        ----------
        start, end : int
            The samples that the frame owns.
        moment : Moment
            What the grains follow.
        due : float
            Samples from the frame's start to the first grain's turn: what the call for the last
            frame returned.
        """


@dataclass(frozen=True)
class OnTimeSchedule:
    """A cloud whose grains stay on their frame.

    Every envelope has its peak within the frame that it belongs to, and at most ``cloud.spray``
    after its start; at its peak a grain reads its own place, or beside it by at most
    ``cloud.jitter``. Peaks follow each other half a gap to one and a half apart, through all
    frames: a steady cloud has no rhythm.

    Grains that do not read in place cannot join; half of them, at random, are turned upside down,
    so that they do not join in the bass either, where a short wander is no change of phase.
    """

    cloud: Cloud = field(default_factory=Cloud)

    @property
    def envelope(self) -> str:
        """The grains' envelope."""
        return self.cloud.envelope

    @property
    def envelope_power(self) -> int:
        """Which power of the grains' envelopes is to add to one."""
        return 1 if self.cloud.reads_in_place else 2

    @property
    def crossover_hz(self) -> float:
        """Below this frequency jitter is too short to change the phase; 0 where it never is.

        Half a period of it is the jitter: so far from each other, grains cancel as they add.
        """
        jitter = self.cloud.max_abs("jitter")
        if self.cloud.transposes or not jitter or 0.5 / jitter < MIN_CROSSOVER_HZ:
            return 0.0
        return 0.5 / jitter

    def reach(self, slice_length: int, sample_rate: int) -> tuple[int, int]:
        """Return how many samples before and after a frame's start grains may read or sound."""
        semitones = self.cloud.max_abs("pitch") + self.cloud.max_abs("pitch_jitter")
        length = self.cloud.max_abs("duration") * sample_rate * 2 ** (semitones / 12)
        around = math.ceil(length + self.cloud.max_abs("jitter") * sample_rate) + 2
        return around, around + math.ceil(self.max_peak_delay(slice_length, sample_rate))

    def max_peak_delay(self, slice_length: int, sample_rate: int) -> float:
        """Return how many samples after its frame's start a grain may have its peak."""
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
        """Return the grains of a frame, and when the next frame's are due."""
        now = self.cloud.control_values(sources)
        turns, due = _grain_times(end - start, sample_rate / now["density"], random, due)
        count = len(turns)
        length = max(2, round(now["duration"] * sample_rate))
        span = min(now["spray"] * sample_rate, end - start)
        before = length * ENVELOPE_PEAKS[self.envelope]
        peak = start + turns * (span / (end - start))
        onset = np.maximum(np.floor(peak - before), math.ceil(start - before))
        detune = random.uniform(-1, 1, count) * now["pitch_jitter"]
        rate = 2 ** ((now["pitch"] + detune) / 12)
        rate = np.where(random.random(count) < now["reverse"], -rate, rate)
        wander = random.uniform(-1, 1, count) * (now["jitter"] * sample_rate)
        upright = np.ones(count) if self.envelope_power == 1 else random.choice([-1.0, 1.0], count)
        pan = np.clip(now["pan"] + now["spread"] * random.uniform(-1, 1, count), -1, 1)
        source = onset + before + wander - rate * before
        length_each = np.full(count, length)
        return Grains(onset.astype(np.int64), length_each, source, rate, upright, pan), due


def _grain_times(
    samples: int, gap: float, random: np.random.Generator, due: float
) -> tuple[NDArray[np.float64], float]:
    """Return turns from ``due`` on, half a gap to one and a half apart, and the next one's excess.

    They run on from frame to frame and keep no step with them.
    """
    most = int(2 * max(samples - due, 0) / gap) + 2
    turns = due + np.concatenate([[0.0], np.cumsum((0.5 + random.random(most)) * gap)])
    count = int(np.searchsorted(turns, samples))
    return turns[:count], float(turns[count] - samples)


@dataclass(frozen=True)
class HindleSchedule:
    """The ancestor's schedule of 2015: rich, and late.

    For each frame 1 to 19 parent grains, the j-th starting between one frame early and j frames
    late, as long as the frame and reading it; each has up to 19 children, which start up to
    ``sample_rate / 1000`` frames later, shrink by 0.25 to 0.99 each until below 100 samples, and
    sound at 1 / i. (He reads 22 050 Hz sound at half speed on a 44 100 Hz clock, so the pitch
    stays.)
    """

    envelope: str = "triangle"
    gain: float = 0.4

    def reach(self, slice_length: int, sample_rate: int) -> tuple[int, int]:
        """Return how many samples before and after a frame's start grains may read or sound."""
        return slice_length, slice_length * (21 + sample_rate // 1000)

    def max_peak_delay(self, slice_length: int, sample_rate: int) -> float:
        """Return that there is none."""
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
        grains = Grains(
            np.array(onset, np.int64),
            np.array(length, np.int64),
            np.full(count, float(start)),
            np.ones(count),
            self.gain * np.array(gain),
        )
        return grains, 0.0
