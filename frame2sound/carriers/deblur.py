"""Undo a blur, as the bands of marks show it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2

from frame2sound.carriers.colours import Planes
from frame2sound.carriers.layout import PATCH, PATCHES, PageLayout
from frame2sound.carriers.parameters import CarrierParameters
from frame2sound.carriers.spectrum_points import RADIUS
from frame2sound.carriers.strip import PAPER, TEXTURE, TEXTURE_ROW, draw_strip

REACH = 4
"""How far a blur may spread a pixel."""

PLAIN_SHARE = 0.1
"""A blur is undone if it explains the bands so far that this share of the difference is left."""

LEAST_BLURRED = 60.0
"""Difference of the texture, in levels squared, below which nothing is blurred: that of codecs."""

LEAST_LIKENESS = 0.2
"""Correlation with the texture that was drawn below which a band is painted over."""

LEAST_NOISE = 0.05
"""Variance of rounding to 8 bits, in levels squared."""

FAINT = 12
"""By how much cells vary less at what a blur damps than phases at random would: as measured."""

EDGE = 32
"""Pixels that are mirrored around a page before it is transformed."""


@dataclass(frozen=True)
class Blur:
    """A blur that is the same everywhere, and to the left and right, above and below.

    Attributes
    ----------
    kernel : float array (2 REACH + 1, 2 REACH + 1)
        Adds up to about 1.
    noise : float
        Variance of what it does not explain, in levels squared.
    """

    kernel: NDArray[np.float64]
    noise: float

    @property
    def width(self) -> float:
        """Standard deviation in pixels."""
        away = np.arange(-REACH, REACH + 1) ** 2
        total = self.kernel.sum()
        spread = (self.kernel * (away[:, None] + away)).sum() / total / 2
        return float(np.sqrt(max(spread, 0)))

    def undo(self, planes: Planes) -> Planes:
        """Return a picture ``(height, width, 3)`` without the blur, by Wiener's filter.

        The filter assumes that phases are about as different in all cells, and keeps the mean.
        """
        height, width = planes.shape[:2]
        shape = next_fast_len(height + 2 * EDGE), next_fast_len(width + 2 * EDGE)
        sides = [(EDGE, total - n - EDGE) for n, total in zip((height, width), shape, strict=True)]
        padded = np.pad(planes, (*sides, (0, 0)), mode="symmetric")
        spread = np.zeros(shape)
        spread[: 2 * REACH + 1, : 2 * REACH + 1] = self.kernel
        response = rfft2(np.roll(spread, (-REACH, -REACH), (0, 1))).real
        share = FAINT * max(self.noise, LEAST_NOISE) / (RADIUS**2 / 2)
        inverse = response / (response**2 + share) * (1 + share)
        sharp = [irfft2(rfft2(padded[..., n]) * inverse, shape) for n in range(3)]
        return np.stack(sharp, axis=-1)[EDGE:, EDGE:][:height, :width].astype(planes.dtype)


def find_blur(planes: Planes, layout: PageLayout, parameters: CarrierParameters) -> Blur | None:
    """Return the blur that the marks of a page have, by least squares; None if they have none.

    Parameters
    ----------
    planes : float array (height, width, 3)
        A page in place, of luma and chroma as they were drawn.
    """
    bands = [lower for lower in (False, True) if _is_seen(planes, layout, lower)]
    if all(_texture_noise(planes, layout, lower) < LEAST_BLURRED for lower in bands):
        return None
    drawn = np.zeros((*layout.size, 3))
    drawn[..., 0] = PAPER
    draw_strip(drawn, layout, parameters)
    known, seen = [], []
    for lower in bands:
        rows, columns = _texture_place(layout, lower)
        columns = slice(columns.start + REACH, columns.stop - REACH)
        known.append(_neighbours(drawn[..., 0], rows, columns))
        seen.append(planes[..., 0][rows, columns].ravel().astype(np.float64))
    terms, luma = np.concatenate(known, axis=1), np.concatenate(seen)
    weights = np.linalg.solve(terms @ terms.T, terms @ luma)
    noise = float(np.mean((weights @ terms - luma) ** 2))
    if noise > PLAIN_SHARE * float(np.mean((terms[0] - luma) ** 2)):
        return None
    kernel = np.zeros((2 * REACH + 1, 2 * REACH + 1))
    for weight, places in zip(weights, _orbits(), strict=True):
        for place in places:
            kernel[place] = weight
    return Blur(kernel, noise)


def _texture_place(layout: PageLayout, lower: bool) -> tuple[slice, slice]:
    top, left = layout.band(lower)
    top += TEXTURE_ROW * PATCH
    return slice(top, top + PATCH), slice(left, left + PATCHES * PATCH)


def _is_seen(planes: Planes, layout: PageLayout, lower: bool) -> bool:
    """Return whether the texture of a band is there, not painted over."""
    seen = planes[_texture_place(layout, lower)][..., 0].ravel()
    if not seen.std() > 1:
        return False
    return bool(np.corrcoef(seen, TEXTURE[int(lower)].ravel())[0, 1] > LEAST_LIKENESS)


def _texture_noise(planes: Planes, layout: PageLayout, lower: bool) -> float:
    """Return the mean square difference of the texture from what was drawn."""
    seen = planes[_texture_place(layout, lower)][..., 0]
    return float(np.mean((seen - TEXTURE[int(lower)]) ** 2))


def _orbits() -> list[list[tuple[int, int]]]:
    """Return the places of a kernel that have the same weight, the centre first."""
    return [
        sorted({(REACH + sy * y, REACH + sx * x) for sy in (-1, 1) for sx in (-1, 1)})
        for y in range(REACH + 1)
        for x in range(REACH + 1)
    ]


def _neighbours(luma: NDArray[np.float64], rows: slice, columns: slice) -> NDArray[np.float64]:
    """Return the sums of the pixels at each orbit around each pixel, ``(orbits, pixels)``."""
    around = np.lib.stride_tricks.sliding_window_view(
        luma[rows.start - REACH : rows.stop + REACH, columns.start - REACH : columns.stop + REACH],
        (2 * REACH + 1, 2 * REACH + 1),
    )
    return np.stack(
        [np.sum([around[..., y, x] for y, x in places], axis=0).ravel() for places in _orbits()]
    )
