"""Small square pictures of drawings of any shape."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

SIDE = 128
"""Width and height of the pictures that are returned, in pixels."""

Picture = NDArray[np.uint8]


def on_square_ground(picture: Picture) -> Picture:
    """Return a picture in RGB on a square ground of the colour of its border, ``(128, 128, 3)``."""
    import cv2

    height, width = picture.shape[:2]
    longer = max(height, width)
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    ground = tuple(float(level) for level in np.median(border, axis=0))
    rows, columns = longer - height, longer - width
    sides = (rows // 2, rows - rows // 2, columns // 2, columns - columns // 2)
    whole = cv2.copyMakeBorder(picture, *sides, cv2.BORDER_CONSTANT, value=ground)
    kind = cv2.INTER_AREA if longer >= SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(whole, (SIDE, SIDE), interpolation=kind), np.uint8)


def unsqueeze(frame: Picture, width: Fraction | int, height: Fraction | int) -> Picture:
    """Return a small frame of a film, which is square, in the shape that it is shown in.

    Parameters
    ----------
    frame : uint8 array (64, 64, 3)
    width, height : Fraction or int
        Of the film as it is shown.

    Returns
    -------
    uint8 array (128, 128, 3)
        As `on_square_ground` returns it; frames of a square film stay as they are.
    """
    import cv2

    if width == height:
        return frame
    longer = max(width, height)
    size = max(round(SIDE * width / longer), 1), max(round(SIDE * height / longer), 1)
    return on_square_ground(np.asarray(cv2.resize(frame, size), np.uint8))
