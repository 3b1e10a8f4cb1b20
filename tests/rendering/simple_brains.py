"""Brains without a network, for tests of what is done with a brain's blocks."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.predictor import StatelessPredictor
from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import Clock


class SimpleBrain(StatelessPredictor):
    """A brain that is silent, and remembers how bright each frame was that it saw."""

    def __init__(self, fps: Fraction | int = 24, sample_rate: int = 22050, lead: int = 0) -> None:
        self.clock = Clock(Fraction(fps), sample_rate)
        self.lead = lead
        self.target = PcmBlocks(lead, lead + self.clock.max_samples_per_frame)
        self.seen: list[float] = []

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        first = len(self.seen)
        self.seen += frames.mean(axis=(1, 2)).tolist()
        sound = [self.sound(first + i, frame) for i, frame in enumerate(frames)]
        return np.stack(sound).astype(np.float32)

    @property
    def length(self) -> int:
        return self.target.length

    def sound(self, index: int, frame: NDArray[np.uint8]) -> NDArray[np.floating]:
        return np.zeros(self.length)


class BrightNoise(SimpleBrain):
    """White noise, as loud as the picture is bright; white is beyond full scale."""

    loudest = 2.0

    def sound(self, index: int, frame: NDArray[np.uint8]) -> NDArray[np.floating]:
        noise = np.random.default_rng(index).uniform(-1, 1, self.length)
        return noise * self.loudest * frame.mean() / 255


class Quiet(BrightNoise):
    """The same, but far below full scale."""

    loudest = 0.1


class Clicks(SimpleBrain):
    """A click at the start of each frame that is white."""

    def sound(self, index: int, frame: NDArray[np.uint8]) -> NDArray[np.floating]:
        sound = np.zeros(self.length)
        sound[self.lead] = 0.5 * (frame.mean() > 128)
        return sound


class Diverged(SimpleBrain):
    """Sound that turns into numbers that are not finite after a while."""

    def __init__(self, bad: float, after: int = 10) -> None:
        super().__init__()
        self.bad, self.after = bad, after

    def sound(self, index: int, frame: NDArray[np.uint8]) -> NDArray[np.floating]:
        return np.full(self.length, self.bad if index >= self.after else 0.1)


class Failing(SimpleBrain):
    """A brain that breaks down in its second batch."""

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self.seen:
            raise RuntimeError("the brain broke down")
        return super().predict(frames)
