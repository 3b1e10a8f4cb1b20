"""Composite pictures with an alpha channel over a background."""

from __future__ import annotations

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

OPAQUE = 255

ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders with alpha; FFmpeg's native decoders of these codecs ignore it."""

Plane = NDArray[np.uint8]


def alpha_aware_decoder(stream: av.VideoStream) -> av.VideoCodecContext:
    """Return a stream's decoder, one that decodes its alpha channel if it has one."""
    name = ALPHA_DECODERS.get(stream.codec.canonical_name, "")
    marked = {key.lower(): value for key, value in stream.metadata.items()}.get("alpha_mode")
    if marked != "1" or name not in av.codecs_available:
        return stream.codec_context
    decoder = av.CodecContext.create(name, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.options = dict(stream.codec_context.options)
    return decoder


def ignores_alpha(demuxer: str, codec: str) -> bool:
    """Return whether the alpha channel has no meaning, as in Microsoft's BITMAPINFOHEADER."""
    return demuxer == "avi" and codec == "rawvideo"


def plane_view(frame: VideoFrame, number: int) -> Plane:
    """Return a view of a plane of bytes, shape ``(height, width)``."""
    plane = frame.planes[number]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]


def alpha_plane(frame: VideoFrame, matrix: int) -> Plane | None:
    """Return the alpha channel, 0 (transparent) to 255; None if all pixels are opaque.

    Parameters
    ----------
    matrix : int
        `VideoFrame.colorspace` to assume, which FFmpeg needs for any conversion.
    """
    kind = frame.format
    if not kind.has_palette and not any(component.is_alpha for component in kind.components):
        return None
    if kind.is_planar and kind.components[-1].bits == 8:
        alpha = plane_view(frame, 3)
    else:
        planes = frame.reformat(
            format="gbrap", src_colorspace=matrix, dst_colorspace=matrix, threads=1
        )
        alpha = plane_view(planes, 3)
    return None if int(alpha.min(initial=OPAQUE)) == OPAQUE else alpha


def composite_over(plane: Plane, alpha: Plane | None, background: float) -> Plane:
    """Return a plane over a uniform background: ``alpha * plane + (1 - alpha) * background``.

    Stored values are blended, not linear light, as browsers and editors do. The plane may be
    smaller than the alpha channel, as chroma is.
    """
    if alpha is None:
        return plane
    import cv2  # loaded late: a film that is copied needs no OpenCV

    if alpha.shape != plane.shape:
        alpha = np.asarray(cv2.resize(alpha, plane.shape[::-1], interpolation=cv2.INTER_AREA))
    difference = cv2.subtract(plane, background, dtype=cv2.CV_32F)  # type: ignore[call-overload]
    difference = cv2.multiply(difference, alpha, scale=1 / OPAQUE, dtype=cv2.CV_32F)
    return np.asarray(cv2.add(difference, background, dtype=cv2.CV_8U), np.uint8)  # type: ignore[call-overload]
