"""What a brain's motion head says of each frame: whether an event begins, and how loud it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

APPEARANCE_SIDE = 8
"""Pictures are compared by thumbnails of 8 x 8 grey values."""


@dataclass(frozen=True)
class EventCurves:
    """The predictions of a motion head, one value per frame.

    Attributes
    ----------
    strength : float64 (n,)
        How likely an event is. The brain's threshold is 1: a peak above it is an event.
    is_new : bool (n,)
        Whether the frame shows another picture than the one before; only such frames have a
        strength and a level, those of others are 0.
    lead_seconds : float64 (n,)
        How long before the start of this frame an event seen in it began, at least 0; the time
        between two pictures that differ may be longer than a frame.
    level_db : float64 (n,)
        The level of an event that begins here, in dBFS, as
        `frame2sound.sound.onset_detection.onset_levels_db` measures it.
    bed_db : float64 (n,)
        The level of the sound between events, in dBFS (root mean square of the frame).
    appearance : float32 (n, 64)
        The frame's thumbnail, 0 black to 1 white.
    """

    strength: FloatArray
    is_new: NDArray[np.bool_]
    lead_seconds: FloatArray
    level_db: FloatArray
    bed_db: FloatArray
    appearance: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.strength)
