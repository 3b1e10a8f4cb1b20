"""What a renderer asks of whatever gives sound to pictures: a brain, or a baseline."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock


class FramePredictor(Protocol):
    """One playing to one film, from its first frame on; it may remember what it has seen."""

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[Any]:
        """Turn the next frames, ``(n, 64, 64)`` or in colour, into predictions ``(n, ...)``."""


class Predictor(Protocol):
    """A brain, or what stands in its place."""

    @property
    def clock(self) -> Clock:
        """The frame rate and the sample rate at which it works."""

    @property
    def target(self) -> Any:
        """What it predicts: a target of `frame2sound.brain`."""

    @property
    def colour(self) -> bool:
        """Whether it is to be shown frames in colour, ``(n, 64, 64, 3)``."""

    def start_prediction(self) -> FramePredictor:
        """Begin a film: what the performance is shown first are the film's first frames."""


class StatelessPredictor:
    """What plays each grey frame by itself performs without remembering anything."""

    @property
    def colour(self) -> bool:
        """Never."""
        return False

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[Any]:
        """Turn frames ``(n, 64, 64)`` into predictions ``(n, ...)``."""
        raise NotImplementedError

    def start_prediction(self) -> FramePredictor:
        """Begin a film."""
        return self
