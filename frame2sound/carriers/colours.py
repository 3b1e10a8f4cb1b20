"""Luma and chroma of full range, as JPEG has them, and RGB (ITU-R BT.601)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.floating[Any]]

TO_RGB = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]])
"""Red, green and blue of luma, blue difference and red difference, both 0 for grey."""

FROM_RGB = np.linalg.inv(TO_RGB)


def to_rgb(planes: Planes) -> Planes:
    """Return RGB, 0 to 255, of luma and chroma ``(..., 3)``; nothing is clipped."""
    return _transform(planes, TO_RGB)


def from_rgb(rgb: Planes) -> Planes:
    """Return luma, blue difference and red difference of RGB ``(..., 3)``."""
    return _transform(rgb, FROM_RGB)


def luma_of(rgb: Planes) -> Planes:
    """Return the luma ``(height, width)`` of RGB."""
    if _is_one_plane(rgb):
        return rgb[..., 0]
    return np.asarray(cv2.transform(rgb, FROM_RGB[:1]))


def grey(levels: Planes) -> Planes:
    """Return the RGB of grey levels ``(height, width)``: three views of them, not copies."""
    return np.broadcast_to(levels[..., None], (*levels.shape, 3))


def _is_one_plane(rgb: Planes) -> bool:
    return rgb.strides[-1] == 0


def _transform(colours: Planes, matrix: Planes) -> Planes:
    """Return ``colours @ matrix.T``, for pictures by OpenCV, which is much faster."""
    if colours.ndim == 3 and colours.size:
        return np.asarray(cv2.transform(colours, matrix))
    product: Planes = colours @ matrix.T.astype(colours.dtype)
    return product


def to_bytes(values: Planes) -> NDArray[np.uint8]:
    """Return values rounded to 0 to 255."""
    if values.ndim in (2, 3) and values.size:
        return np.asarray(cv2.add(values, np.zeros(4), dtype=cv2.CV_8U), np.uint8).reshape(
            values.shape
        )
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
