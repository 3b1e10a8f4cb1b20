"""Small frames, which libraries keep and brains see: their size, and their grey levels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIZE = 64
"""Width and height of small frames."""

GREY_WEIGHTS = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R BT.601)."""


def picture_shape(colour: bool) -> tuple[int, ...]:
    """Return the shape of a small frame: ``(64, 64)``, or ``(64, 64, 3)`` in colour."""
    return (SIZE, SIZE, 3) if colour else (SIZE, SIZE)


def luma(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the grey level of RGB, by the weights of BT.601, rounded.

    Parameters
    ----------
    frames : uint8 array (..., width, 3)
        Red, green and blue.

    Returns
    -------
    uint8 array (..., width)

    Raises
    ------
    ValueError
        The last axis does not have length 3.

    Examples
    --------
    >>> luma(np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]], np.uint8))
    array([ 76, 150,  29,   9], dtype=uint8)
    """
    if frames.ndim < 2 or frames.shape[-1] != 3:
        raise ValueError(f"got frames of shape {frames.shape}, expected RGB: (..., width, 3)")
    if not frames.size:
        return np.empty(frames.shape[:-1], np.uint8)
    import cv2

    rows = np.ascontiguousarray(frames).reshape(-1, *frames.shape[-2:])
    return np.asarray(cv2.cvtColor(rows, cv2.COLOR_RGB2GRAY), np.uint8).reshape(frames.shape[:-1])
