"""How a picture is to be turned and mirrored, as its film or photograph marks it."""

from __future__ import annotations

from typing import Any

import numpy as np
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame


def _of_unknown_kind(kind: type[Type], value: object) -> Type:
    return kind.SEI_UNREGISTERED


# PyAV 18.1 tells none of what a frame has with it if it does not know one of the kinds, as EXIF.
Type._missing_ = classmethod(_of_unknown_kind)  # type: ignore[method-assign, assignment]


def orientation(frame: VideoFrame) -> tuple[int, bool]:
    """Return how a frame is shown upright, by its display matrix.

    Returns
    -------
    quarter_turns : int
        0 to 3, counter-clockwise, after the mirroring. Other angles go to the nearest.
    mirrored : bool
        Whether left and right are exchanged first.
    """
    stored: Any = frame.side_data.get("DISPLAYMATRIX")
    if stored is None:
        return 0, False
    matrix = np.frombuffer(memoryview(stored), np.int32)
    # ISO 14496-12, 8.3.2: what lies at (p, q) is shown at (a p + c q, b p + d q).
    a, b, c, d = (float(matrix[place]) for place in (0, 1, 3, 4))
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    angle = np.arctan2(c - b, a + d)  # of the turn that is nearest to the matrix
    return round(float(angle) / (np.pi / 2)) % 4, mirrored
