"""Pictures of luma and chroma, as codecs leave them, read as RGB part by part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.colours import Planes, grey, to_rgb

GREY = 128
"""Chroma of grey, in levels of 8 bits."""


@dataclass(frozen=True)
class YuvImage:
    """A picture that gives the RGB of any part, without rounding and without smoothing chroma.

    It is indexed as an array ``(height, width, 3)``, best by a slice of rows and one of columns:
    parts that fit into the processor's cache are converted much faster than the whole.

    Attributes
    ----------
    planes : tuple of uint8 or uint16 array
        Luma, blue difference and red difference; both chroma may be smaller.
    bits : int
        Of each value.
    is_full, is_bt_709 : bool
        Whether the range is full, not limited; whether the matrix is of BT.709, not of BT.601.
    """

    planes: tuple[NDArray[Any], ...]
    bits: int
    is_full: bool
    is_bt_709: bool

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, and 3."""
        height, width = self.planes[0].shape
        return height, width, 3

    def __getitem__(self, place: Any) -> Planes:
        """Return the RGB of a part, float32, 0 to 255."""
        if not (isinstance(place, tuple) and all(isinstance(each, slice) for each in place)):
            return np.asarray(np.asarray(self)[place])
        y = self._levels(self.planes[0][place])
        if not self.is_full:
            y = (y - 16) * np.float32(255 / 219)
        chroma = [self._chroma(plane, *place) for plane in self.planes[1:]]
        if not any(plane.any() for plane in chroma):
            return grey(y)
        gain = np.float32(1 if self.is_full else 255 / 224)
        blue, red = (gain * plane for plane in chroma)
        if not self.is_bt_709:
            return to_rgb(np.asarray(cv2.merge([y, blue, red])))
        green = y - np.float32(0.187324) * blue - np.float32(0.468124) * red
        parts = y + np.float32(1.5748) * red, green, y + np.float32(1.8556) * blue
        return np.asarray(cv2.merge(parts))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the RGB of the whole."""
        return np.asarray(self[:, :], dtype)

    def _levels(self, plane: NDArray[Any]) -> NDArray[np.float32]:
        """Return a plane in levels of 8 bits, which deeper ones divide."""
        levels: NDArray[np.float32] = plane.astype(np.float32)
        if self.bits > 8:
            levels /= 1 << (self.bits - 8)
        return levels

    def _chroma(self, plane: NDArray[Any], rows: slice, columns: slice) -> NDArray[np.float32]:
        """Return chroma around 0, each value repeated for the pixels of luma that share it."""
        down, across = (-(-luma // own) for luma, own in zip(self.shape, plane.shape, strict=False))
        top, bottom, _ = rows.indices(self.shape[0])
        left, right, _ = columns.indices(self.shape[1])
        first, begin = top // down, left // across
        part = self._levels(plane[first : -(-bottom // down), begin : -(-right // across)]) - GREY
        if down == across == 1 or not part.size:
            return part
        size = part.shape[1] * across, part.shape[0] * down
        repeated = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_NEAREST), np.float32)
        y, x = top - first * down, left - begin * across
        return repeated[y : y + bottom - top, x : x + right - left]
