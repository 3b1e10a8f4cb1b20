"""Decoded picture to a small frame, grey or in colour: area average, full range, upright."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

SIZE = 64
"""Width and height of a small frame, in pixels."""

GREY_WEIGHTS = (0.299, 0.587, 0.114)
"""What red, green and blue add to grey (ITU-R BT.601)."""

LARGEST_IN_32_BITS = (2**31 - 1) // 255
"""Pixels of a picture whose sum surely fits in 32 bits: nearly 4K."""

FULL_RANGE = 2
"""`VideoFrame.color_range` of luma that spans 0 to 255 (AVCOL_RANGE_JPEG)."""

BLACK, WHITE = 16, 235
"""Limited-range luma of black and of white (ITU-R BT.601)."""

NO_CHROMA, LIMITED_CHROMA = 128, 224
"""The chroma of grey, and how many levels limited-range chroma spans (ITU-R BT.601)."""

RED_AND_BLUE_IN_LUMA = {
    1: (0.2126, 0.0722),  # BT.709
    5: (GREY_WEIGHTS[0], GREY_WEIGHTS[2]),  # BT.601
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020
}
"""What red and blue add to luma by `VideoFrame.colorspace` (ITU-T H.273, table 4)."""

BT_601 = 5
"""The `VideoFrame.colorspace` that frames of no known one are taken to have, as by FFmpeg."""


def picture_shape(colour: bool) -> tuple[int, ...]:
    """Return the shape of a small frame: ``(64, 64)``, or ``(64, 64, 3)`` in colour."""
    return (SIZE, SIZE, 3) if colour else (SIZE, SIZE)


def grey(frame: VideoFrame, quarter_turns: int = 0) -> NDArray[np.uint8]:
    """Shrink a decoded frame to ``(64, 64)`` grey values from 0 (black) to 255 (white).

    Every pixel of the result is the mean of the area that it covers, to within rounding.
    Limited-range luma is stretched to the full range. ``quarter_turns`` turns the picture
    counter-clockwise, as the film's rotation mark asks.
    """
    plane, limited = _luma(frame)
    small = area_mean(plane)
    return _upright(_stretched(small) if limited else small, quarter_turns)


def colour(frame: VideoFrame, quarter_turns: int = 0) -> NDArray[np.uint8]:
    """Shrink a decoded frame to ``(64, 64, 3)`` red, green and blue from 0 to 255.

    Means, range and turns are as for `grey`. Luma and chroma become RGB by the frame's own matrix;
    where it names none, by BT.601's.
    """
    stored = _stores_bytes(frame) and frame.format.name.startswith("yuv")
    return _upright(_from_chroma(frame) if stored else _from_primaries(frame), quarter_turns)


def luma(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the grey of RGB, by BT.601's weights, to the nearest level.

    Parameters
    ----------
    frames : uint8 array (..., width, 3)
        Red, green and blue, nothing else: what is grey already is refused.

    Returns
    -------
    uint8 array (..., width)

    Raises
    ------
    ValueError
        The last axis is not 3 long.

    Examples
    --------
    >>> luma(np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]], np.uint8))
    array([ 76, 150,  29,   9], dtype=uint8)
    """
    if frames.ndim < 2 or frames.shape[-1] != 3:
        raise ValueError(f"got frames of shape {frames.shape}, expected RGB: (..., width, 3)")
    if not frames.size:
        return np.empty(frames.shape[:-1], np.uint8)
    rows = np.ascontiguousarray(frames).reshape(-1, *frames.shape[-2:])
    return np.asarray(cv2.cvtColor(rows, cv2.COLOR_RGB2GRAY), np.uint8).reshape(frames.shape[:-1])


def area_mean(plane: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the mean of each of 64x64 equal areas of a plane of any size.

    The sum over an area is a difference of the summed-area table (Crow 1984) at its corners, where
    pixels cut by an edge count in proportion: bilinear interpolation of the table. This takes a
    quarter of the time of OpenCV's INTER_AREA.
    """
    corners, weights = _corners(*plane.shape)
    large = plane.size > LARGEST_IN_32_BITS
    table = cv2.integral(plane, sdepth=cv2.CV_64F if large else cv2.CV_32S)
    sums = np.einsum("kij,kij->ij", table.ravel()[corners], weights)
    rows: NDArray[np.float64] = sums[1:] - sums[:-1]
    return rows[:, 1:] - rows[:, :-1]


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
    if _stores_bytes(frame):
        return _plane(frame, 0), _is_limited(frame)
    return frame.to_ndarray(format="gray").astype(np.uint8, copy=False), False


def _from_chroma(frame: VideoFrame) -> NDArray[np.float64]:
    """Return RGB from the means of luma and chroma: the matrix is linear, so it can come last."""
    y, u, v = (area_mean(_plane(frame, number)) for number in range(3))
    u, v = u - NO_CHROMA, v - NO_CHROMA
    if _is_limited(frame):
        y, u, v = _stretched(y), u * (255 / LIMITED_CHROMA), v * (255 / LIMITED_CHROMA)
    of_red, of_blue = RED_AND_BLUE_IN_LUMA[_matrix(frame)]
    red, blue = y + 2 * (1 - of_red) * v, y + 2 * (1 - of_blue) * u
    green = (y - of_red * red - of_blue * blue) / (1 - of_red - of_blue)
    return np.stack([red, green, blue], axis=-1)


def _from_primaries(frame: VideoFrame) -> NDArray[np.float64]:
    """Return RGB of a frame in any format but planes of luma and chroma in bytes.

    From those, FFmpeg 8.1 leaves the last columns undrawn where the width is no multiple of 8.
    """
    matrix = _matrix(frame)
    planes = frame.reformat(format="gbrp", src_colorspace=matrix, dst_colorspace=matrix, threads=1)
    return np.stack([area_mean(_plane(planes, number)) for number in (2, 0, 1)], axis=-1)


def _matrix(frame: VideoFrame) -> int:
    return int(frame.colorspace) if int(frame.colorspace) in RED_AND_BLUE_IN_LUMA else BT_601


def _stores_bytes(frame: VideoFrame) -> bool:
    """Whether a frame has a plane of luma in bytes."""
    planar = frame.format.name.startswith(("yuv", "nv12", "nv21")) and frame.format.is_planar
    return planar and frame.format.components[0].bits == 8


def _is_limited(frame: VideoFrame) -> bool:
    return not (frame.format.name.startswith("yuvj") or int(frame.color_range) == FULL_RANGE)


def _plane(frame: VideoFrame, number: int) -> NDArray[np.uint8]:
    """Return a plane of bytes, without a copy."""
    plane = frame.planes[number]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]


def _stretched(level: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stretch limited-range luma to the full range."""
    return (level - BLACK) * (255 / (WHITE - BLACK))


def _upright(means: NDArray[np.float64], quarter_turns: int) -> NDArray[np.uint8]:
    rounded = np.clip(np.rint(means), 0, 255).astype(np.uint8)
    return np.rot90(rounded, quarter_turns) if quarter_turns else rounded
