"""Mono sound placed where the light is in the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.gestures import Gestures
from frame2sound.rendering.soundtrack import Renderer
from frame2sound.sound.pan import Pan


class Placed:
    """A mono renderer made stereo: its sound moves with the place of light, frame by frame.

    Parameters
    ----------
    mono : Renderer
    """

    channels = 2

    def __init__(self, mono: Renderer) -> None:
        self.mono = mono
        self._pan = Pan()
        self._places = np.empty(0)
        self._bounds = np.zeros(1, np.int64)
        self._waiting = np.empty(0, np.float32)

    @property
    def summary(self) -> str:
        """What the mono renderer says."""
        return self.mono.summary

    def feed(
        self, predictions: NDArray[Any], bounds: NDArray[np.int64], gestures: Gestures
    ) -> NDArray[np.float32]:
        """Return the sound of frames that are complete, ``(m, 2)``."""
        self._places = np.concatenate([self._places, gestures.place])
        self._bounds = np.concatenate([self._bounds, bounds[1:]])
        return self._place(self.mono.feed(predictions, bounds, gestures))

    def flush(self) -> NDArray[np.float32]:
        """Return the rest."""
        return self._place(self.mono.flush())

    def _place(self, sound: NDArray[np.float32]) -> NDArray[np.float32]:
        self._waiting = np.concatenate([self._waiting, sound])
        heard = self._bounds[0] + len(self._waiting)
        frames = int(np.searchsorted(self._bounds, heard, side="right")) - 1
        bounds, self._bounds = self._bounds[: frames + 1], self._bounds[frames:]
        places, self._places = self._places[:frames], self._places[frames:]
        length = int(bounds[-1] - bounds[0])
        ready, self._waiting = self._waiting[:length], self._waiting[length:]
        return self._pan.feed(ready, places, bounds)
