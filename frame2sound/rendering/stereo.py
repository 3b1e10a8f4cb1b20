"""Mono sound placed where the light is in the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.frame_curves import FrameCurves
from frame2sound.rendering.soundtrack import Renderer
from frame2sound.sound.panner import Panner


class StereoRenderer:
    """A mono renderer made stereo: its sound moves with the place of light, frame by frame.

    Parameters
    ----------
    mono : Renderer
    """

    channels = 2

    def __init__(self, mono: Renderer) -> None:
        self.mono = mono
        self._pan = Panner()
        self._places = np.empty(0)
        self._bounds = np.zeros(1, np.int64)
        self._pending = np.empty(0, np.float32)

    @property
    def summary(self) -> str:
        """What the mono renderer says."""
        return self.mono.summary

    def process(
        self, predictions: NDArray[Any], bounds: NDArray[np.int64], frame_curves: FrameCurves
    ) -> NDArray[np.float32]:
        """Return the sound of frames that are complete, ``(m, 2)``."""
        self._places = np.concatenate([self._places, frame_curves.place])
        self._bounds = np.concatenate([self._bounds, bounds[1:]])
        return self._pan_ready(self.mono.process(predictions, bounds, frame_curves))

    def flush(self) -> NDArray[np.float32]:
        """Return the rest."""
        return self._pan_ready(self.mono.flush())

    def _pan_ready(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        self._pending = np.concatenate([self._pending, sound])
        heard = self._bounds[0] + len(self._pending)
        frames = int(np.searchsorted(self._bounds, heard, side="right")) - 1
        bounds, self._bounds = self._bounds[: frames + 1], self._bounds[frames:]
        places, self._places = self._places[:frames], self._places[frames:]
        length = int(bounds[-1] - bounds[0])
        ready, self._pending = self._pending[:length], self._pending[length:]
        return self._pan.process(ready, places, bounds)
