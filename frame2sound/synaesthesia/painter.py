"""Paint strokes and pictures at any size, for films and stills."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.synaesthesia.stroke import stroke_inks, stroke_points, stroke_widths

OVERSAMPLING, LEAST_PAINTED = 4, 1024
"""Strokes are painted so many times larger, and at least at this size in pixels, and averaged."""

_FRACTION_BITS = 8


def paint_drawn(drawn: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """Return a picture of strokes or of pictures of ink; see both functions below."""
    return paint_strokes(drawn, size) if drawn.ndim == 2 else paint_pictures(drawn, size)


def paint_pictures(pictures: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """Return pictures of ink, ``(n, colours, 64, 64)``, over each other, ``(size, size, 3)``."""
    light = np.moveaxis(np.prod(1 - np.clip(pictures, 0, 1), axis=0), 0, 2)
    large = cv2.resize(light, (size, size), interpolation=cv2.INTER_CUBIC).reshape(size, size, -1)
    levels = np.rint(255 * np.clip(large, 0, 1)).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(levels, (size, size, 3)))


def paint_strokes(strokes: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """Return a picture of strokes on white paper, laid over each other as inks are.

    Parameters
    ----------
    strokes : float32 array (n, 36 + colours)
        As in `frame2sound.synaesthesia.stroke.stroke_points`; strokes without ink leave no trace.
    size : int
        Width and height in pixels.

    Returns
    -------
    uint8 array (size, size, 3)
        RGB.
    """
    values = torch.from_numpy(np.ascontiguousarray(strokes, np.float32))
    parts = (stroke_points(values), stroke_widths(values), stroke_inks(values))
    paper = np.ones((size, size, 3), np.float32)
    for points, width, ink in zip(*(part.numpy() for part in parts), strict=True):
        if ink.max() > 0:
            paper *= 1 - _coverage(points, float(width), size)[..., None] * np.clip(ink, 0, 1)
    return np.rint(255 * paper).astype(np.uint8)


def _coverage(points: NDArray[np.float32], width: float, size: int) -> NDArray[np.float32]:
    """Return how much of each pixel the line of a closed outline covers, 0 to 1."""
    large = size * max(OVERSAMPLING, -(-LEAST_PAINTED // size))
    canvas = np.zeros((large, large), np.uint8)
    places = np.rint((points * large - 0.5) * 2**_FRACTION_BITS).astype(np.int32)
    thickness = max(1, 2 * round((width * large - 1) / 2))  # OpenCV paints even ones 1 wider
    cv2.polylines(canvas, [places], True, 255, thickness, cv2.LINE_8, _FRACTION_BITS)
    small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)
