"""Luma and chroma of full range, as JPEG has them, and RGB (ITU-R BT.601)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.floating[Any]]

TO_RGB = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]])
"""Red, green and blue of luma, blue difference and red difference, both 0 for grey."""

FROM_RGB = np.linalg.inv(TO_RGB)


def to_rgb(planes: Planes) -> Planes:
    """Return RGB, 0 to 255, of luma and chroma ``(..., 3)``; nothing is clipped."""
    rgb: Planes = planes @ TO_RGB.T.astype(planes.dtype)
    return rgb


def from_rgb(rgb: Planes) -> Planes:
    """Return luma, blue difference and red difference of RGB ``(..., 3)``."""
    planes: Planes = rgb @ FROM_RGB.T.astype(rgb.dtype)
    return planes


def to_bytes(values: Planes) -> NDArray[np.uint8]:
    """Return values rounded to 0 to 255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
