"""Pictures with an alpha channel laid over a ground."""

from __future__ import annotations

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

OPAQUE = 255

Plane = NDArray[np.uint8]


def plane_of(frame: VideoFrame, number: int) -> Plane:
    """Return a plane of bytes, without a copy."""
    plane = frame.planes[number]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]


def alpha_of(frame: VideoFrame, matrix: int) -> Plane | None:
    """Return how opaque each pixel is, from 0 to 255; None if all are opaque.

    Parameters
    ----------
    matrix : int
        The `VideoFrame.colorspace` to take, which FFmpeg needs to know to convert a frame at all.
    """
    kind = frame.format
    if not kind.has_palette and not any(component.is_alpha for component in kind.components):
        return None
    if kind.is_planar and kind.components[-1].bits == 8:
        alpha = plane_of(frame, 3)
    else:
        planes = frame.reformat(
            format="gbrap", src_colorspace=matrix, dst_colorspace=matrix, threads=1
        )
        alpha = plane_of(planes, 3)
    return None if int(alpha.min(initial=OPAQUE)) == OPAQUE else alpha


def over(plane: Plane, alpha: Plane | None, ground: float) -> Plane:
    """Lay a plane over a ground of one level: ``alpha * plane + (1 - alpha) * ground``.

    This is done on what is stored, as browsers and editors do it, not on light. The plane may be
    smaller than its alpha channel, as chroma is.
    """
    if alpha is None:
        return plane
    if alpha.shape != plane.shape:
        alpha = np.asarray(cv2.resize(alpha, plane.shape[::-1], interpolation=cv2.INTER_AREA))
    above = cv2.subtract(plane, ground, dtype=cv2.CV_32F)  # type: ignore[call-overload]
    above = cv2.multiply(above, alpha, scale=1 / OPAQUE, dtype=cv2.CV_32F)
    return np.asarray(cv2.add(above, ground, dtype=cv2.CV_8U), np.uint8)  # type: ignore[call-overload]
