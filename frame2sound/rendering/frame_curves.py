"""Curves of brightness, motion and position of light that control rendering."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.event_curves import EventCurves

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class FrameCurves:
    """Curves with one value per frame.

    Attributes
    ----------
    brightness : float64 (n,)
        Mean grey, 0 black to 1 white.
    motion : float64 (n,)
        Mean absolute difference from the frame before, 0 to 1.
    place : float64 (n,)
        Horizontal centre of the light, -1 at the left edge to 1 at the right; 0 for black.
    events : EventCurves, optional
        The predictions of the brain's motion head, where it decides when something sounds.
    """

    brightness: FloatArray
    motion: FloatArray
    place: FloatArray
    events: EventCurves | None = None

    @classmethod
    def from_frames(
        cls,
        frames: NDArray[np.uint8],
        previous_frame: NDArray[np.uint8] | None = None,
        events: EventCurves | None = None,
    ) -> FrameCurves:
        """Return the curves of successive grey frames ``(n, 64, 64)``."""
        columns = frames.mean(axis=1, dtype=np.float64) / 255
        brightness = columns.mean(axis=1)
        across = np.linspace(-1, 1, columns.shape[1])
        place = columns @ across / columns.shape[1] / np.maximum(brightness, 1e-3)
        last = np.concatenate(
            [frames[:1] if previous_frame is None else previous_frame[None], frames[:-1]]
        )
        moved = np.maximum(frames, last) - np.minimum(frames, last)
        return cls(brightness, moved.mean(axis=(1, 2), dtype=np.float64) / 255, place, events)
