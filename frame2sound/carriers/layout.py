"""Where things stand on a picture: a margin, two bands of marks, and the cells between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.parameters import CODE_BYTES, CarrierParameters, Kind

MARKER = 24
"""Side of the marker in each corner: six modules of four pixels."""

QUIET = 8
"""White pixels around a marker."""

BAND = MARKER + 2 * QUIET
"""Height of the bands above and below the cells, and width of a corner."""

BLOCK = 4
"""Side of one bit of the code."""

CODE_ROWS = 4
CODE_COLUMNS = CODE_BYTES * 8 // CODE_ROWS

MIN_INNER = CODE_COLUMNS * BLOCK + 2 * BAND
"""Width of the bands, without the margin."""

PATCH = 8
"""Side of a patch of known colour."""

PATCHES = CODE_COLUMNS * BLOCK // PATCH
"""Patches in a row, as wide as the code."""

MARGIN_SHARE = 0.04
"""Share of a picture that may be cut from each side without loss."""

STEP = 8
"""Sides are multiples of this, as are the blocks of JPEG and H.264."""

TILES = {Kind.SAMPLES: 1, Kind.SPECTRUM: 1, Kind.SCROLL: 3, Kind.MAGNITUDE: 1}
"""Planes side by side: a scrolling film has level, cosine and sine in luma."""


@dataclass(frozen=True)
class PageLayout:
    """Where the parts of a picture stand, in pixels from its upper left corner.

    Attributes
    ----------
    cells_height, cells_width : int
        All cells together.
    inner_height, inner_width : int
        Cells and bands, without the margin.
    margin : int
    """

    cells_height: int
    cells_width: int
    inner_width: int
    margin: int

    @classmethod
    def of(cls, parameters: CarrierParameters) -> PageLayout:
        """Return the layout of a carrier's pictures."""
        height = parameters.rows * parameters.channels * parameters.cell
        width = parameters.columns * parameters.cell * TILES[parameters.kind]
        inner = max(_up(width), MIN_INNER)
        return cls(height, width, inner, margin_of(max(inner, _up(height) + 2 * BAND)))

    @property
    def inner_height(self) -> int:
        """Height without the margin."""
        return _up(self.cells_height) + 2 * BAND

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the whole picture."""
        return self.inner_height + 2 * self.margin, self.inner_width + 2 * self.margin

    @property
    def cells(self) -> tuple[slice, slice]:
        """Rows and columns of the picture with the cells."""
        top, left = self.margin + BAND, self.margin
        return slice(top, top + self.cells_height), slice(left, left + self.cells_width)

    def band(self, lower: bool) -> tuple[int, int]:
        """Return the row and the column at which what stands between two markers begins."""
        top = self.margin + (self.inner_height - BAND if lower else 0)
        return top, self.margin + BAND

    def markers(self) -> NDArray[np.float64]:
        """Return x and y of the corners of the markers, clockwise from the upper left, (4, 4, 2).

        Edges of pixels count: 0 is the left edge of the first. Markers are in the order of reading.
        """
        left, top = self.margin + QUIET, self.margin + QUIET
        right = self.margin + self.inner_width - BAND + QUIET
        bottom = self.margin + self.inner_height - BAND + QUIET
        square = MARKER * np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)
        corners = [(left, top), (right, top), (left, bottom), (right, bottom)]
        return np.stack([square + corner for corner in corners])


def margin_of(side: int) -> int:
    """Return the width of the margin around what has a longest side of so many pixels."""
    return _up(side * MARGIN_SHARE / (1 - 2 * MARGIN_SHARE))


def _up(length: float) -> int:
    return int(-(-length // STEP)) * STEP
