"""The bands of marks: markers in the corners, the code, steps of grey, wheels of hues, texture."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.colours import Planes, to_rgb
from frame2sound.carriers.layout import (
    BAND,
    BLOCK,
    CODE_COLUMNS,
    CODE_ROWS,
    MARKER,
    PATCH,
    PATCHES,
    QUIET,
    PageLayout,
)
from frame2sound.carriers.parameters import CODE_BYTES, CarrierParameters
from frame2sound.carriers.spectrum_points import BRIGHTEST, DARKEST, RADIUS
from frame2sound.carriers.yuv_image import YuvImage

PAPER = 128.0
"""Grey of the margin, and of what is left between the marks."""

MARKERS = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)

GREYS = np.linspace(0, 255, PATCHES)

HUES = np.arange(PATCHES) * 2 * np.pi / PATCHES

WHEELS = ((False, 4, (DARKEST + BRIGHTEST) / 2), (True, 3, DARKEST), (True, 4, BRIGHTEST))
"""Each wheel of hues: whether it is in the lower band, its row of patches, and its luma."""

TEXTURE_ROW, GREY_ROW = 2, 3
"""The rows of both bands with texture, and of the upper one with steps of grey, below the code."""

TEXTURE = np.where(np.random.default_rng(0).random((2, PATCH, PATCHES * PATCH)) < 0.5, 58.0, 198.0)
"""Luma of single pixels, in the upper and the lower band: all frequencies, to see a blur by."""


def draw_strip(picture: Planes, layout: PageLayout, parameters: CarrierParameters) -> None:
    """Draw both bands into a picture of luma and chroma, ``(height, width, 3)``."""
    draw_code(picture, layout, parameters)
    for lower in (False, True):
        top, left = layout.band(lower)
        for number, x in enumerate((layout.margin, layout.margin + layout.inner_width - BAND)):
            _draw_marker(picture[top : top + BAND, x : x + BAND], 2 * lower + number)
        texture = picture[top + TEXTURE_ROW * PATCH :, left:][:PATCH]
        texture[:, : PATCHES * PATCH, 0] = TEXTURE[int(lower)]
    for lower, row, colours in known_patches():
        top, left = layout.band(lower)
        for number, colour in enumerate(colours):
            y, x = top + row * PATCH, left + number * PATCH
            picture[y : y + PATCH, x : x + PATCH] = colour


def draw_code(picture: Planes, layout: PageLayout, parameters: CarrierParameters) -> None:
    """Draw the parameters into both bands of a picture, over the code that stands there."""
    code = np.frombuffer(parameters.code(), np.uint8)
    assert len(code) == CODE_BYTES
    bits = np.unpackbits(code).reshape(CODE_ROWS, CODE_COLUMNS)
    drawn = bits.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1) * 255.0
    for lower in (False, True):
        top, left = layout.band(lower)
        place = picture[top : top + CODE_ROWS * BLOCK, left : left + CODE_COLUMNS * BLOCK]
        place[..., 0], place[..., 1:] = drawn, 0


@cache
def known_patches() -> list[tuple[bool, int, Planes]]:
    """Return the rows of patches: whether in the lower band, the row, luma and chroma of each."""
    greys = np.stack([GREYS, 0 * GREYS, 0 * GREYS], axis=-1)
    circle = [RADIUS * np.cos(HUES), RADIUS * np.sin(HUES)]
    wheels = [
        (lower, row, np.stack([np.full(PATCHES, luma), *circle], axis=-1))
        for lower, row, luma in WHEELS
    ]
    return [(False, GREY_ROW, greys), *wheels]


def patch_colours(rgb: Planes | YuvImage, layout: PageLayout) -> list[tuple[Planes, Planes]]:
    """Return the known and the actual RGB of each row of patches, ``(n, 3)``, the greys first."""
    found = []
    for lower, row, colours in known_patches():
        top, left = layout.band(lower)
        y = top + row * PATCH + PATCH // 4
        rows = rgb[y : y + PATCH // 2, left : left + PATCHES * PATCH]
        blocks = rows.reshape(PATCH // 2, PATCHES, PATCH, 3)
        found.append((to_rgb(colours), blocks[:, :, PATCH // 4 : -PATCH // 4].mean(axis=(0, 2))))
    return found


def read_code(grey: NDArray[np.floating[Any]], places: NDArray[np.float64]) -> CarrierParameters:
    """Return the parameters whose bits are at places in a picture.

    Parameters
    ----------
    grey : float array (height, width)
    places : float array (rows, columns, 2)
        x and y of the centres of the bits.

    Raises
    ------
    ValueError
        There is no code, or it is damaged.
    """
    x, y = np.moveaxis(places.astype(np.float32) - 0.5, -1, 0)  # to centres of pixels
    levels = cv2.remap(grey.astype(np.float32, copy=False), x, y, cv2.INTER_LINEAR)
    threshold = (levels.max() + levels.min()) / 2
    return CarrierParameters.from_code(np.packbits(levels.ravel() > threshold).tobytes())


def code_places(left: float, top: float, scale: tuple[float, float]) -> NDArray[np.float64]:
    """Return x and y of the centres of the code's bits, ``(rows, columns, 2)``.

    ``left`` and ``top`` are where the code begins, ``scale`` is pixels for one of the layout.
    """
    x = left + (np.arange(CODE_COLUMNS) + 0.5) * BLOCK * scale[0]
    y = top + (np.arange(CODE_ROWS) + 0.5) * BLOCK * scale[1]
    return np.stack(np.meshgrid(x, y), axis=-1)


def _draw_marker(corner: Planes, number: int) -> None:
    corner[...] = (255, 0, 0)
    marker = cv2.aruco.generateImageMarker(MARKERS, number, MARKER)
    corner[QUIET : QUIET + MARKER, QUIET : QUIET + MARKER, 0] = marker
