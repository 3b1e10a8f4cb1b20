"""Resize decoded pictures to small frames, grey or RGB: area average, full range, upright."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from frame2sound.film.decoding.area_averager import AreaAverager
from frame2sound.film.decoding.tone_mapping import hdr_transfer, tone_mapped_grey, tone_mapped_rgb
from frame2sound.film.decoding.transparency import alpha_plane, composite_over, plane_view
from frame2sound.film.small_frames import GREY_WEIGHTS

FULL_RANGE = 2
"""`VideoFrame.color_range` of luma that spans 0 to 255 (AVCOL_RANGE_JPEG)."""

LIMITED_BLACK, LIMITED_WHITE = 16, 235
"""Limited-range luma of black and of white (ITU-R BT.601)."""

FULL_RANGE_SCALING = (0.0, 1.0)
"""Zero and gain that leave levels of 0 to 255 unchanged."""

NEUTRAL_CHROMA, LIMITED_CHROMA_SPAN = 128, 224
"""Chroma of grey, and the span of limited-range chroma (ITU-R BT.601)."""

LUMA_COEFFICIENTS = {
    1: (0.2126, 0.0722),  # BT.709
    5: (GREY_WEIGHTS[0], GREY_WEIGHTS[2]),  # BT.601
    7: (0.212, 0.087),  # SMPTE 240M
    9: (0.2627, 0.0593),  # BT.2020
}
"""Weights of red and blue in luma by `VideoFrame.colorspace` (ITU-T H.273, table 4)."""

COLOURSPACE_FALLBACKS = {10: 9, 14: 9}
"""Constant-luminance BT.2020 and ICtCp are converted with the matrix of BT.2020."""

BT_601 = 5
"""`VideoFrame.colorspace` assumed for frames that specify none, as FFmpeg does."""


class FrameResizer:
    """Resizes decoded frames to 64x64, grey or RGB. Not thread-safe.

    Every pixel of the result is the mean of the area that it covers, to within rounding.
    Limited-range luma is expanded to the full range. RGB is converted with the frame's own matrix,
    or with that of BT.601 if it specifies none.

    Parameters
    ----------
    colour : bool
    quarter_turns, mirrored : int, bool
        Rotation counter-clockwise, and whether the picture is mirrored before, as the film's
        display matrix says.
    background : int
        Grey level, 0 (black) to 255, behind transparent pictures.
    ignore_alpha : bool
        Treat all pixels as opaque.
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
        """Return a frame resized to ``(64, 64)`` or ``(64, 64, 3)``, 0 (black) to 255."""
        picture = self._resize(frame)
        if self._mirrored:
            picture = picture[:, ::-1]
        return np.rot90(picture, self._quarter_turns) if self._quarter_turns else picture

    def _resize_grey(self, frame: VideoFrame) -> NDArray[np.uint8]:
        transfer, matrix, scaling = hdr_transfer(frame), colour_matrix(frame), FULL_RANGE_SCALING
        if transfer is not None:
            plane = tone_mapped_grey(frame, transfer, matrix)
        elif _has_8_bit_luma(frame):
            plane, scaling = plane_view(frame, 0), _range_scaling(frame)[0]
        else:
            grey = frame.reformat(
                format="gray", src_colorspace=matrix, dst_colorspace=matrix, threads=1
            )
            plane = plane_view(grey, 0)
        zero, gain = scaling
        plane = composite_over(plane, self._alpha(frame, matrix), zero + self._background / gain)
        return self._averager(*plane.shape, zero, gain).means_as_bytes(plane)

    def _alpha(self, frame: VideoFrame, matrix: int) -> NDArray[np.uint8] | None:
        return None if self._ignore_alpha else alpha_plane(frame, matrix)

    def _resize_colour(self, frame: VideoFrame) -> NDArray[np.uint8]:
        is_sdr = hdr_transfer(frame) is None
        if is_sdr and _has_8_bit_luma(frame) and frame.format.name.startswith("yuv"):
            return self._resize_yuv(frame)
        planes = rgb_planes(frame, self._background, ignore_alpha=self._ignore_alpha)
        return np.stack(
            [self._averager(*plane.shape).means_as_bytes(plane) for plane in planes], axis=-1
        )

    def _resize_yuv(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """Average luma and chroma, then convert to RGB: the order is free, as the matrix is linear.

        FFmpeg 8.1 would convert these formats wrongly: it leaves out the last columns if the width
        is no multiple of 8.
        """
        luma_scaling, chroma_scaling = _range_scaling(frame)
        alpha = self._alpha(frame, colour_matrix(frame))
        background = luma_scaling[0] + self._background / luma_scaling[1]
        planes = [
            composite_over(plane_view(frame, number), alpha, level)
            for number, level in enumerate((background, NEUTRAL_CHROMA, NEUTRAL_CHROMA))
        ]
        y, u, v = (
            self._averager(*plane.shape, *scaling).means(plane)
            for plane, scaling in zip(
                planes, (luma_scaling, chroma_scaling, chroma_scaling), strict=True
            )
        )
        kr, kb = LUMA_COEFFICIENTS[colour_matrix(frame)]
        red, blue = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
        green = (y - kr * red - kb * blue) / (1 - kr - kb)
        return np.clip(np.rint(np.stack([red, green, blue], axis=-1)), 0, 255).astype(np.uint8)


def rgb_planes(
    frame: VideoFrame, background: int, *, ignore_alpha: bool
) -> list[NDArray[np.uint8]]:
    """Return red, green and blue of a frame: tone-mapped, and composited over a background."""
    transfer, matrix = hdr_transfer(frame), colour_matrix(frame)
    if transfer is None:
        rgb = frame.reformat(format="gbrp", src_colorspace=matrix, dst_colorspace=matrix, threads=1)
        planes = [plane_view(rgb, number) for number in (2, 0, 1)]
    else:
        planes = tone_mapped_rgb(frame, transfer, matrix)
    alpha = None if ignore_alpha else alpha_plane(frame, matrix)
    return [composite_over(plane, alpha, background) for plane in planes]


def colour_matrix(frame: VideoFrame) -> int:
    """Return the `VideoFrame.colorspace` to convert a frame with, one that FFmpeg supports."""
    matrix = COLOURSPACE_FALLBACKS.get(int(frame.colorspace), int(frame.colorspace))
    return matrix if matrix in LUMA_COEFFICIENTS else BT_601


def _has_8_bit_luma(frame: VideoFrame) -> bool:
    """Return whether a frame has a luma plane of bytes."""
    planar = frame.format.name.startswith(("yuv", "nv12", "nv21")) and frame.format.is_planar
    return planar and frame.format.components[0].bits == 8


def _range_scaling(frame: VideoFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return zero and gain that expand luma to the full range, and those of chroma."""
    if frame.format.name.startswith("yuvj") or int(frame.color_range) == FULL_RANGE:
        return (0.0, 1.0), (NEUTRAL_CHROMA, 1.0)
    return (LIMITED_BLACK, 255 / (LIMITED_WHITE - LIMITED_BLACK)), (
        NEUTRAL_CHROMA,
        255 / LIMITED_CHROMA_SPAN,
    )
