"""Decoded picture to a small grey frame: area average, full-range luma, upright."""

from __future__ import annotations

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

SIZE = 64
"""Width and height of a grey frame, in pixels."""

FULL_RANGE = 2
"""`VideoFrame.color_range` of luma that spans 0 to 255 (AVCOL_RANGE_JPEG)."""

_FROM_LIMITED = np.clip(np.round((np.arange(256) - 16) * (255 / 219)), 0, 255).astype(np.uint8)


def grey(frame: VideoFrame, quarter_turns: int = 0) -> NDArray[np.uint8]:
    """Shrink a decoded frame to ``(64, 64)`` grey values from 0 (black) to 255 (white).

    Every pixel of the result is the mean of the area that it covers. Limited-range luma
    (ITU-R BT.601: 16 to 235) is stretched to the full range. ``quarter_turns`` turns the picture
    counter-clockwise, as the film's rotation mark asks.
    """
    luma, limited = _luma(frame)
    small = cv2.resize(luma, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    if limited:
        small = _FROM_LIMITED[small]
    return np.rot90(small, quarter_turns) if quarter_turns else np.asarray(small, np.uint8)


def _luma(frame: VideoFrame) -> tuple[NDArray[np.uint8], bool]:
    """Return the luma plane without a copy where it is stored as bytes, and if it is limited."""
    name = frame.format.name
    planar = name.startswith(("yuv", "nv12", "nv21")) and frame.format.is_planar
    if planar and frame.format.components[0].bits == 8:
        plane = frame.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        full = name.startswith("yuvj") or int(frame.color_range) == FULL_RANGE
        return rows[: frame.height, : frame.width], not full
    return frame.to_ndarray(format="gray").astype(np.uint8, copy=False), False
