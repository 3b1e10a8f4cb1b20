"""Tone-map HDR pictures, PQ and HLG, to standard dynamic range."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Transfer = Literal["PQ", "HLG"]

TRANSFERS: dict[int, Transfer] = {16: "PQ", 18: "HLG"}
"""HDR values of `VideoFrame.color_trc` (ITU-T H.273, table 3)."""

WHITE_NITS = 203.0
"""Luminance of diffuse white in HDR, cd/m2 (ITU-R BT.2408)."""

HLG_NITS, HLG_GAMMA = 1000.0, 1.2
"""Peak luminance of the HLG reference display, and its system gamma (ITU-R BT.2100)."""

KNEE = 0.8
"""Light up to this share of white is unchanged; above, it is compressed towards full scale."""

DISPLAY_GAMMA = 2.4
"""Gamma of the standard display (ITU-R BT.1886)."""

WIDE_PRIMARIES = (2, 9)
"""`VideoFrame.color_primaries` of BT.2020, and of HDR frames that specify none."""

TO_BT_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
"""Matrix from linear BT.2020 RGB to linear BT.709 RGB (ITU-R BT.2087)."""

LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)
"""Luminance coefficients of linear BT.2020 RGB."""

Floats = NDArray[np.floating]


def hdr_transfer(frame: VideoFrame) -> Transfer | None:
    """Return the HDR transfer function of a frame; None if it is SDR."""
    return TRANSFERS.get(int(frame.color_trc))


def display_light(signal: Floats, transfer: Transfer) -> Floats:
    """Return the display light of a grey signal from 0 to 1; 1 is diffuse white.

    Examples
    --------
    >>> round(float(display_light(np.array(0.5807), "PQ")), 3)  # 203 cd/m2
    1.0
    >>> round(float(display_light(np.array(0.75), "HLG")), 2)
    1.0
    """
    if transfer == "HLG":
        scene = scene_light(signal)
        return np.asarray(HLG_NITS / WHITE_NITS * scene**HLG_GAMMA)
    # SMPTE ST 2084, equation 4.1.
    m1, m2 = 2610 / 16384, 2523 / 32
    c1, c2, c3 = 107 / 128, 2413 / 128, 2392 / 128
    root = np.asarray(signal, np.float64) ** (1 / m2)
    light = np.maximum(root - c1, 0) / (c2 - c3 * root)
    return np.asarray(10_000 / WHITE_NITS * light ** (1 / m1))


def scene_light(signal: Floats) -> Floats:
    """Return the scene light, 0 to 1, of an HLG signal (ITU-R BT.2100)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    signal = np.asarray(signal, np.float64)
    return np.asarray(np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12))


def compress_highlights(light: Floats) -> Floats:
    """Return light unchanged up to the knee, and exponentially compressed towards 1 above it."""
    above = np.maximum(light - KNEE, 0)
    return np.asarray(np.minimum(light, KNEE) - (1 - KNEE) * np.expm1(above / (KNEE - 1)))


@lru_cache(maxsize=8)
def grey_levels(transfer: Transfer, zero: int, white: int, codes: int) -> NDArray[np.uint8]:
    """Return a lookup table from signal codes to grey levels of a standard display, 0 to 255.

    Parameters
    ----------
    zero, white : int
        Codes of the signal values 0 and 1.
    codes : int
        Number of codes.
    """
    signal = np.clip((np.arange(codes) - zero) / (white - zero), 0, 1)
    grey = compress_highlights(display_light(signal, transfer)) ** (1 / DISPLAY_GAMMA)
    return np.asarray(np.rint(255 * grey), np.uint8)


def tone_mapped_grey(frame: VideoFrame, transfer: Transfer, matrix: int) -> NDArray[np.uint8]:
    """Return the grey of an HDR frame on a standard display, ``(height, width)``, 0 to 255."""
    bits = frame.format.components[0].bits
    name = frame.format.name
    if not (name.startswith("yuv") and name.endswith("le") and 8 < bits <= 16):
        frame = frame.reformat(
            format="yuv444p16le", src_colorspace=matrix, dst_colorspace=matrix,
            dst_color_range=2, threads=1,
        )  # fmt: skip
        bits, full = 16, True
    else:
        full = int(frame.color_range) == 2
    shift = bits - 8
    zero, white = (0, 2**bits - 1) if full else (16 << shift, 235 << shift)
    return np.asarray(grey_levels(transfer, zero, white, 2**16)[_plane_uint16(frame, 0)], np.uint8)


def tone_mapped_rgb(frame: VideoFrame, transfer: Transfer, matrix: int) -> list[NDArray[np.uint8]]:
    """Return red, green and blue of an HDR frame on a standard display, 0 to 255.

    All three are compressed by the same factor, that of the largest, so that hues stay. Colours
    outside BT.709 are clipped.
    """
    import cv2  # loaded late: a film that is copied needs no OpenCV

    wide = int(frame.color_primaries) in WIDE_PRIMARIES
    frame = frame.reformat(
        format="gbrp16le", src_colorspace=matrix, dst_colorspace=matrix, threads=1
    )
    linear = _linear_light(transfer)
    light = [linear.take(_plane_uint16(frame, number)) for number in (2, 0, 1)]
    if transfer == "HLG":
        gain = _system_gain(light)
        light = [plane * gain for plane in light]
    largest = np.maximum(np.maximum(light[0], light[1]), light[2]) + np.float32(1e-9)
    gain = compress_highlights(largest) / largest
    rgb = cv2.merge([plane * gain for plane in light])
    if wide:
        rgb = cv2.transform(rgb, TO_BT_709)
    rgb = cv2.pow(np.maximum(rgb, 0, out=rgb), 1 / DISPLAY_GAMMA)
    return [
        np.asarray(cv2.multiply(plane, 255, dtype=cv2.CV_8U), np.uint8)  # type: ignore[call-overload]
        for plane in cv2.split(rgb)
    ]


def _system_gain(light: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the gain from scene light to display light on an HLG display of 1000 cd/m2."""
    import cv2

    luminance = sum(
        (weight * plane for weight, plane in zip(LUMINANCE, light, strict=True)),
        np.float32(0),
    )
    gain = cv2.pow(np.asarray(luminance, np.float32), HLG_GAMMA - 1)
    return np.asarray(gain * np.float32(HLG_NITS / WHITE_NITS), np.float32)


@lru_cache(maxsize=2)
def _linear_light(transfer: Transfer) -> NDArray[np.float32]:
    """Return a lookup table of 65536 codes: display light for PQ, scene light for HLG."""
    signal = np.arange(2**16) / (2**16 - 1)
    light = scene_light(signal) if transfer == "HLG" else display_light(signal, transfer)
    return light.astype(np.float32)


def _plane_uint16(frame: VideoFrame, number: int) -> NDArray[np.uint16]:
    plane = frame.planes[number]
    rows = np.frombuffer(memoryview(plane), "<u2").reshape(-1, plane.line_size // 2)
    return rows[: plane.height, : plane.width]
