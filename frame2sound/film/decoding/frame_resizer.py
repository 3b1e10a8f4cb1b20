"""Decoded picture to a small frame, grey or in colour: area average, full range, upright."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from frame2sound.film.decoding.area_averager import SIZE as SIZE
from frame2sound.film.decoding.area_averager import AreaAverager
from frame2sound.film.decoding.tone_mapping import hdr_transfer, tone_mapped_grey, tone_mapped_rgb
from frame2sound.film.decoding.transparency import alpha_plane, composite_over, plane_view

GREY_WEIGHTS = (0.299, 0.587, 0.114)
"""What red, green and blue add to grey (ITU-R BT.601)."""

FULL_RANGE = 2
"""`VideoFrame.color_range` of luma that spans 0 to 255 (AVCOL_RANGE_JPEG)."""

LIMITED_BLACK, LIMITED_WHITE = 16, 235
"""Limited-range luma of black and of white (ITU-R BT.601)."""

FULL_RANGE_SCALING = (0.0, 1.0)
"""The zero of levels that span 0 to 255, and what stretches them."""

NEUTRAL_CHROMA, LIMITED_CHROMA_SPAN = 128, 224
"""The chroma of grey, and how many levels limited-range chroma spans (ITU-R BT.601)."""

LUMA_COEFFICIENTS = {
    1: (0.2126, 0.0722),  # BT.709
    5: (GREY_WEIGHTS[0], GREY_WEIGHTS[2]),  # BT.601
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020
}
"""What red and blue add to luma by `VideoFrame.colorspace` (ITU-T H.273, table 4)."""

COLOURSPACE_FALLBACKS = {10: 9, 14: 9}
"""For BT.2020 with constant luminance, and ICtCp, the matrix by which they are read: BT.2020's."""

BT_601 = 5
"""The `VideoFrame.colorspace` that frames of no known one are taken to have, as by FFmpeg."""


def picture_shape(colour: bool) -> tuple[int, ...]:
    """Return the shape of a small frame: ``(64, 64)``, or ``(64, 64, 3)`` in colour."""
    return (SIZE, SIZE, 3) if colour else (SIZE, SIZE)


class FrameResizer:
    """Shrinks decoded frames to 64x64, grey or in colour.

    Every pixel of the result is the mean of the area that it covers, to within rounding.
    Limited-range luma is stretched to the full range. In colour, luma and chroma become RGB by the
    frame's own matrix; where it names none, by BT.601's. It keeps what it needs for frames of one
    size, so that threads must not share one.

    Parameters
    ----------
    colour : bool
    quarter_turns, mirrored : int, bool
        How often the picture is turned counter-clockwise, and whether it is mirrored before, as the
        film's display matrix asks.
    background : int
        The grey, from 0 (black) to 255, on which transparent pictures lie.
    opaque : bool
        Whether alpha channels mean nothing.
    """

    def __init__(
        self,
        *,
        colour: bool = False,
        quarter_turns: int = 0,
        mirrored: bool = False,
        background: int = 0,
        ignore_alpha: bool = False,
    ) -> None:
        self._resize = self._resize_colour if colour else self._resize_grey
        self._quarter_turns, self._mirrored = quarter_turns, mirrored
        self._background, self._ignore_alpha = background, ignore_alpha
        self._averager = lru_cache(maxsize=8)(AreaAverager)

    def __call__(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Return a frame's picture, ``(64, 64)`` or ``(64, 64, 3)``, from 0 (black) to 255."""
        picture = self._resize(frame)
        if self._mirrored:
            picture = picture[:, ::-1]
        return np.rot90(picture, self._quarter_turns) if self._quarter_turns else picture

    def _resize_grey(self, frame: VideoFrame) -> NDArray[np.uint8]:
        transfer, matrix, levels = hdr_transfer(frame), colour_matrix(frame), FULL_RANGE_SCALING
        if transfer is not None:
            plane = tone_mapped_grey(frame, transfer, matrix)
        elif _has_8_bit_luma(frame):
            plane, levels = plane_view(frame, 0), _range_scaling(frame)[0]
        else:
            grey = frame.reformat(
                format="gray", src_colorspace=matrix, dst_colorspace=matrix, threads=1
            )
            plane = plane_view(grey, 0)
        floor = levels[0] + self._background / levels[1]
        plane = composite_over(plane, self._alpha(frame, matrix), floor)
        return self._averager(*plane.shape, *levels).means_as_bytes(plane)

    def _alpha(self, frame: VideoFrame, matrix: int) -> NDArray[np.uint8] | None:
        return None if self._ignore_alpha else alpha_plane(frame, matrix)

    def _resize_colour(self, frame: VideoFrame) -> NDArray[np.uint8]:
        standard = hdr_transfer(frame) is None
        if standard and _has_8_bit_luma(frame) and frame.format.name.startswith("yuv"):
            return self._resize_yuv(frame)
        return self._resize_rgb(frame)

    def _resize_yuv(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Make RGB from the means of luma and chroma: the matrix is linear, so it can come last."""
        of_luma, of_chroma = _range_scaling(frame)
        alpha = self._alpha(frame, colour_matrix(frame))
        grounds = (of_luma[0] + self._background / of_luma[1], NEUTRAL_CHROMA, NEUTRAL_CHROMA)
        planes = [
            composite_over(plane_view(frame, n), alpha, ground) for n, ground in enumerate(grounds)
        ]
        y, u, v = (
            self._averager(*plane.shape, *levels).means(plane)
            for plane, levels in zip(planes, (of_luma, of_chroma, of_chroma), strict=True)
        )
        of_red, of_blue = LUMA_COEFFICIENTS[colour_matrix(frame)]
        red, blue = y + 2 * (1 - of_red) * v, y + 2 * (1 - of_blue) * u
        green = (y - of_red * red - of_blue * blue) / (1 - of_red - of_blue)
        return np.clip(np.rint(np.stack([red, green, blue], axis=-1)), 0, 255).astype(np.uint8)

    def _resize_rgb(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Make RGB of a frame in any format but planes of luma and chroma in bytes.

        From those, FFmpeg 8.1 leaves the last columns undrawn where the width is no multiple of 8.
        """
        transfer, matrix = hdr_transfer(frame), colour_matrix(frame)
        alpha = self._alpha(frame, matrix)
        if transfer is None:
            rgb = frame.reformat(
                format="gbrp", src_colorspace=matrix, dst_colorspace=matrix, threads=1
            )
            planes = [plane_view(rgb, number) for number in (2, 0, 1)]
        else:
            planes = tone_mapped_rgb(frame, transfer, matrix)
        planes = [composite_over(plane, alpha, self._background) for plane in planes]
        return np.stack(
            [self._averager(*plane.shape).means_as_bytes(plane) for plane in planes], axis=-1
        )


def luma(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the grey of RGB, by BT.601's weights, to the nearest level.

    Parameters
    ----------
    frames : uint8 array (..., width, 3)
        Red, green and blue, nothing else: what is grey already is refused.

    Returns
    -------
    uint8 array (..., width)

    Raises
    ------
    ValueError
        The last axis is not 3 long.

    Examples
    --------
    >>> luma(np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]], np.uint8))
    array([ 76, 150,  29,   9], dtype=uint8)
    """
    if frames.ndim < 2 or frames.shape[-1] != 3:
        raise ValueError(f"got frames of shape {frames.shape}, expected RGB: (..., width, 3)")
    if not frames.size:
        return np.empty(frames.shape[:-1], np.uint8)
    rows = np.ascontiguousarray(frames).reshape(-1, *frames.shape[-2:])
    return np.asarray(cv2.cvtColor(rows, cv2.COLOR_RGB2GRAY), np.uint8).reshape(frames.shape[:-1])


def colour_matrix(frame: VideoFrame) -> int:
    """Return the matrix by which a frame is read, one that FFmpeg converts, too."""
    matrix = COLOURSPACE_FALLBACKS.get(int(frame.colorspace), int(frame.colorspace))
    return matrix if matrix in LUMA_COEFFICIENTS else BT_601


def _has_8_bit_luma(frame: VideoFrame) -> bool:
    """Whether a frame has a plane of luma in bytes."""
    planar = frame.format.name.startswith(("yuv", "nv12", "nv21")) and frame.format.is_planar
    return planar and frame.format.components[0].bits == 8


def _range_scaling(frame: VideoFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the zero of luma and what stretches it to the full range, and those of chroma."""
    if frame.format.name.startswith("yuvj") or int(frame.color_range) == FULL_RANGE:
        return (0.0, 1.0), (NEUTRAL_CHROMA, 1.0)
    return (LIMITED_BLACK, 255 / (LIMITED_WHITE - LIMITED_BLACK)), (
        NEUTRAL_CHROMA,
        255 / LIMITED_CHROMA_SPAN,
    )
