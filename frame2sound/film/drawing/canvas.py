"""Draw antialiased shapes with a glow on black.

Coordinates are units of a stage of 480 x 360, whatever the size of the pictures. Small pictures
are drawn large and averaged, so that edges are smooth and the mean brightness is exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from frame2sound.film.small_frames import GREY_WEIGHTS

Picture = NDArray[np.uint8]
Points = NDArray[np.floating]
Colour = tuple[float, float, float]

STAGE_SIZE = (480, 360)
"""Width and height of the stage, in stage units."""

_SHIFT = 5  # fractional bits of the coordinates that OpenCV draws


def tint(hue: float, grey: float, saturation: float = 0.5) -> Colour:
    """Return an RGB colour of a hue with an exact grey level.

    Parameters
    ----------
    hue : float
        In turns: 0 is red, 1/3 green, 2/3 blue.
    grey : float
        The colour's grey level (ITU-R BT.601), 0 to 255.
    saturation : float
        0 for grey, 1 for the most saturated colour of the hue; less if the grey level requires it.

    Examples
    --------
    >>> red, green, blue = tint(0.6, 180)
    >>> round(0.299 * red + 0.587 * green + 0.114 * blue, 6), blue > red
    (180.0, True)
    """
    turns = 2 * np.pi * (hue - np.array([0, 1 / 3, 2 / 3]))
    bias = np.cos(turns)
    bias -= bias @ np.array(GREY_WEIGHTS)  # a colour offset with a grey level of 0
    strength = saturation * grey / max(1e-9, -bias.min())
    if grey + strength * bias.max() > 255:
        strength = (255 - grey) / bias.max()
    red, green, blue = (float(value) for value in grey + strength * bias)
    return red, green, blue


@dataclass(frozen=True)
class Canvas:
    """Draws on a stage of 480 x 360 units, and returns pictures of a given size.

    Parameters
    ----------
    size : (int, int)
        Width and height of the pictures in pixels.
    """

    size: tuple[int, int]

    def __post_init__(self) -> None:
        if min(self.size) < 1:
            raise ValueError(f"got a size of {self.size}, expected both above 0")

    @property
    def drawn_size(self) -> tuple[int, int]:
        """Width and height at which shapes are drawn, an integer multiple of the size."""
        times = max(1, math.ceil(320 / min(self.size)) if min(self.size) < 240 else 1)
        return self.size[0] * times, self.size[1] * times

    @property
    def scale(self) -> NDArray[np.float64]:
        """Drawn pixels per stage unit, horizontally and vertically."""
        return np.array(self.drawn_size) / STAGE_SIZE

    def blank(self) -> Picture:
        """Return a black picture to draw on, uint8 of shape ``(drawn height, drawn width, 3)``."""
        return np.zeros((self.drawn_size[1], self.drawn_size[0], 3), dtype=np.uint8)

    def polygon(self, picture: Picture, points: Points, colour: Colour) -> None:
        """Fill a polygon of points of shape ``(N, 2)`` in stage units."""
        cv2.fillPoly(picture, [self._to_fixed_point(points)], colour, cv2.LINE_AA, _SHIFT)

    def ribbon(
        self, picture: Picture, centreline: Points, width: Points | float, colour: Colour
    ) -> None:
        """Draw a line of varying width; a line thinner than a pixel is dimmed instead.

        Parameters
        ----------
        centreline : array of shape (N, 2)
            Points in stage units, from top to bottom.
        width : float or array of shape (N,)
            Horizontal width in stage units.
        """
        pixel = 1.0 / float(self.scale[0])
        strength = min(1.0, float(np.mean(width)) / pixel)
        half = np.zeros_like(centreline)
        half[:, 0] = np.maximum(np.asarray(width) - pixel, 0) / 2
        dimmed = (colour[0] * strength, colour[1] * strength, colour[2] * strength)
        self.polygon(
            picture, np.concatenate([centreline - half, (centreline + half)[::-1]]), dimmed
        )

    def ellipse(
        self,
        picture: Picture,
        centre: tuple[float, float],
        radii: tuple[float, float],
        colour: Colour,
        thickness: float | None = None,
    ) -> None:
        """Fill an ellipse, or draw its outline with a thickness, all in stage units."""
        pixels = -1 if thickness is None else max(1, round(thickness * float(self.scale.mean())))
        axes = np.rint(np.array(radii) * self.scale * 2**_SHIFT).astype(int)
        x, y = self._to_fixed_point(np.array([centre]))[0].tolist()
        width, height = axes.tolist()
        cv2.ellipse(
            picture, (x, y), (width, height), 0, 0, 360, colour, pixels, cv2.LINE_AA, _SHIFT
        )

    def finish(self, picture: Picture, glow: float = 0.0, glow_radius: float = 8.0) -> Picture:
        """Return the picture in its final size, with a soft glow around the shapes.

        Parameters
        ----------
        glow : float
            Strength of the glow; 0 for none.
        glow_radius : float
            Standard deviation of the glow, in stage units.
        """
        if glow and picture.any():
            picture = _add(picture, _blurred(picture, glow_radius * float(self.scale.mean())), glow)
        if self.drawn_size == self.size:
            return picture
        return np.asarray(cv2.resize(picture, self.size, interpolation=cv2.INTER_AREA), np.uint8)

    def _to_fixed_point(self, points: Points) -> NDArray[np.int32]:
        centres = points * self.scale - 0.5  # integers are pixel centres in OpenCV
        fixed: NDArray[np.int32] = np.rint(centres * 2**_SHIFT).astype(np.int32)
        return fixed


def _blurred(picture: Picture, sigma: float) -> Picture:
    """Return a blurred picture; it is blurred at a quarter of its size, which is faster."""
    height, width = picture.shape[:2]
    quarter = max(1, width // 4), max(1, height // 4)
    small = cv2.resize(picture, quarter, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(0.5, sigma / 4))
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _add(picture: Picture, light: Picture, gain: float) -> Picture:
    return np.asarray(cv2.addWeighted(picture, 1.0, light, gain, 0.0), np.uint8)
