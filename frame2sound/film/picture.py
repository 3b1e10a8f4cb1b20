"""Decoded picture to a small grey frame: area average, full-range luma, upright."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

SIZE = 64
"""Width and height of a grey frame, in pixels."""

LARGEST_IN_32_BITS = (2**31 - 1) // 255
"""Pixels of a picture whose sum surely fits in 32 bits: nearly 4K."""

FULL_RANGE = 2
"""`VideoFrame.color_range` of luma that spans 0 to 255 (AVCOL_RANGE_JPEG)."""

BLACK, WHITE = 16, 235
"""Limited-range luma of black and of white (ITU-R BT.601)."""


def grey(frame: VideoFrame, quarter_turns: int = 0) -> NDArray[np.uint8]:
    """Shrink a decoded frame to ``(64, 64)`` grey values from 0 (black) to 255 (white).

    Every pixel of the result is the mean of the area that it covers, to within rounding.
    Limited-range luma is stretched to the full range. ``quarter_turns`` turns the picture
    counter-clockwise, as the film's rotation mark asks.
    """
    luma, limited = _luma(frame)
    small = area_mean(luma)
    if limited:
        small = (small - BLACK) * (255 / (WHITE - BLACK))
    rounded = np.clip(np.rint(small), 0, 255).astype(np.uint8)
    return np.rot90(rounded, quarter_turns) if quarter_turns else rounded


def area_mean(luma: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the mean of each of 64x64 equal areas of a picture of any size.

    The sum over an area is a difference of the summed-area table (Crow 1984) at its corners, where
    pixels cut by an edge count in proportion: bilinear interpolation of the table. This takes a
    quarter of the time of OpenCV's INTER_AREA.
    """
    corners, weights = _corners(*luma.shape)
    large = luma.size > LARGEST_IN_32_BITS
    table = cv2.integral(luma, sdepth=cv2.CV_64F if large else cv2.CV_32S)
    sums = np.einsum("kij,kij->ij", table.ravel()[corners], weights)
    return np.diff(np.diff(sums, axis=0), axis=1)


@lru_cache(maxsize=8)
def _corners(height: int, width: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return where in a flat summed-area table the areas' corners lie, and with what weights.

    Both have shape ``(4, 65, 65)``: each corner lies between four entries. The weights are divided
    by the size of an area.
    """
    (row, below), (column, beyond) = _edges(height), _edges(width)
    index = [(row + a)[:, None] * (width + 1) + (column + b) for a in (0, 1) for b in (0, 1)]
    vertical, horizontal = (1 - below, below), (1 - beyond, beyond)
    weights = [np.outer(a, b) for a in vertical for b in horizontal]
    return np.stack(index), np.stack(weights) * (SIZE * SIZE / (height * width))


def _edges(length: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    place = np.arange(SIZE + 1) * length / SIZE
    before = np.minimum(place.astype(np.intp), length - 1)
    return before, place - before


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
