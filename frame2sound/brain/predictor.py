"""The interface through which a renderer uses a brain or a baseline."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.event_head import MotionHead
from frame2sound.clock import Clock


class FramePredictor(Protocol):
    """The prediction for one film from its first frame on; it may keep a state between calls."""

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[Any]:
        """Return predictions ``(n, ...)`` for the next frames, ``(n, 64, 64)`` or in colour."""


class Predictor(Protocol):
    """A brain or a baseline."""

    @property
    def clock(self) -> Clock:
        """Its frame rate and sample rate."""

    @property
    def target(self) -> Any:
        """The target that it predicts, of `frame2sound.brain.targets`."""

    @property
    def colour(self) -> bool:
        """Whether its input frames are in colour, ``(n, 64, 64, 3)``."""

    @property
    def motion_head(self) -> MotionHead | None:
        """What says when something sounds from the motion of the picture, if it has that."""

    @property
    def maps_ground(self) -> bool:
        """Whether its input frames are those of `frame2sound.brain.ground.match_ground`."""

    def start_prediction(self) -> FramePredictor:
        """Return a predictor for one film, which takes the film's frames from the first on."""


class StatelessPredictor:
    """A predictor that sees each grey frame by itself and so needs no state."""

    @property
    def colour(self) -> bool:
        """Always False."""
        return False

    @property
    def motion_head(self) -> None:
        """Always None."""
        return None

    @property
    def maps_ground(self) -> bool:
        """Always False."""
        return False

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[Any]:
        """Return predictions ``(n, ...)`` for frames ``(n, 64, 64)``."""
        raise NotImplementedError

    def start_prediction(self) -> FramePredictor:
        """Return itself."""
        return self
