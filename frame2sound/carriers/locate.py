"""Find the page in a picture that was cropped, scaled or moved, and put it back in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.colours import Planes, luma_of
from frame2sound.carriers.layout import BAND, MARKER, QUIET, STEP, PageLayout
from frame2sound.carriers.parameters import MAX_SIDE, CarrierParameters
from frame2sound.carriers.strip import MARKERS, PAPER, code_places, read_code
from frame2sound.carriers.yuv_image import YuvImage

EXACT = 0.2
"""A page that is nowhere off by more pixels than this is cut out, not resampled."""

WIDEST_GUESS = 0.04
"""Error of the scale that a single marker shows."""

Corners = dict[int, NDArray[np.float64]]


def find_page(
    rgb: Planes | YuvImage, known: CarrierParameters | None = None, *, needs_marks: bool = False
) -> tuple[CarrierParameters, Planes | YuvImage, bool]:
    """Return the parameters of a picture, its page as it was drawn, and whether it has a code.

    Parameters
    ----------
    rgb : float array (height, width, 3), or YuvImage
        0 to 255. A picture that is in place is returned as it is.
    known : CarrierParameters, optional
        Those of a file beside the picture, for pictures whose code cannot be read.
    needs_marks : bool
        Refuse a picture that has neither a code nor corner marks, whatever is known.

    Raises
    ------
    ValueError
        What was found, and what was not.
    """
    parameters = _code_in_place(rgb, known)
    if parameters is not None:
        return parameters, rgb, True
    rgb = np.asarray(rgb)
    grey = luma_of(rgb)
    corners = find_markers(grey)
    code = next(_codes(grey, corners), None)
    parameters = code or known
    if parameters is None or (needs_marks and not corners):
        raise ValueError(_lack(grey, corners))
    layout = PageLayout.of(parameters)
    if max(layout.size) > MAX_SIDE:
        height, width = layout.size
        raise ValueError(f"a code of {width}x{height} pixels, expected at most {MAX_SIDE} a side")
    if not corners:
        if rgb.shape[:2] == layout.size:
            return parameters, rgb, False
        size, expected = (f"{s[1]}x{s[0]}" for s in (rgb.shape, layout.size))
        raise ValueError(f"no corner marks in {size} pixels, expected {expected}")
    return parameters, rectify(rgb, corners, layout), code is not None


def _lack(grey: NDArray[np.floating[Any]], corners: Corners) -> str:
    """Return what was found of the marks in a picture without a code."""
    upright = [(low, high) for low, high in ((0, 1), (2, 3)) if {low, high} <= set(corners)]
    for low, high in upright:
        across, down = corners[high].mean(axis=0) - corners[low].mean(axis=0)
        if across < abs(down) or corners[low][0, 1] > corners[low][3, 1]:
            return "corner marks that are turned (turn the picture upright)"
    if not corners and len(find_markers(grey[:, ::-1])) > 1:
        return "corner marks that are mirrored (mirror the cells alone)"
    found = f"{len(corners)} of 4 corner marks" if corners else "no corner marks"
    return f"{found} and no code that can be read"


def find_markers(grey: NDArray[np.floating[Any]]) -> Corners:
    """Return the corners of the markers in a picture by their numbers, x and y, ``(4, 2)`` each."""
    options = cv2.aruco.DetectorParameters()
    options.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    options.cornerRefinementWinSize = 3
    options.minMarkerPerimeterRate = 0.005
    detector = cv2.aruco.ArucoDetector(MARKERS, options)
    byte = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    corners, numbers, _ = detector.detectMarkers(byte)
    if numbers is None:
        return {}
    places = zip(numbers.ravel().tolist(), corners, strict=True)
    return {n: np.asarray(c[0], np.float64) + 0.5 for n, c in places if n < 4}


def _code_in_place(
    rgb: Planes | YuvImage, known: CarrierParameters | None
) -> CarrierParameters | None:
    """Return the parameters of a picture that nothing has moved."""
    size = rgb.shape[:2]
    for margin in _margins(size, known):
        for top in (margin, size[0] - margin - BAND):
            band = rgb[max(top, 0) : max(top, 0) + BAND, :]
            try:
                parameters = read_code(luma_of(band), code_places(margin + BAND, 0, (1, 1)))
            except ValueError:
                continue
            if PageLayout.of(parameters).size == size:
                return parameters
    return None


def _margins(shape: tuple[int, ...], known: CarrierParameters | None) -> Iterator[int]:
    if known is not None:
        yield PageLayout.of(known).margin
    yield from range(STEP, int(max(shape) * 0.05) + STEP, STEP)


def _codes(grey: NDArray[np.floating[Any]], corners: Corners) -> Iterator[CarrierParameters]:
    """Yield the parameters that can be read between the markers of a band."""
    for left, right in ((0, 1), (2, 3)):
        for scale, place in _scales(corners.get(left), corners.get(right)):
            try:
                yield read_code(grey, code_places(*place, scale))
            except ValueError:
                continue


def _scales(
    left: NDArray[np.float64] | None, right: NDArray[np.float64] | None
) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """Yield possible scales of a band, with where its code begins, from its markers."""
    one = left if left is not None else right
    if one is None:
        return
    sides = np.ptp(one, axis=0) / MARKER
    vertical, begin = sides[1], one[:, 1].min() - QUIET * sides[1]
    if left is not None and right is not None:
        distance = right[:, 0].mean() - left[:, 0].mean()
        if sides[0] <= 0 or distance <= 0:
            return
        guess = distance / sides[0]
        low, high = guess * (1 - WIDEST_GUESS), guess * (1 + WIDEST_GUESS)
        lengths = np.arange(np.ceil(low / STEP), high / STEP + 1) * STEP
        for length in sorted(lengths, key=lambda each: abs(each - guess)):
            scale = distance / length
            yield (scale, vertical), (left[:, 0].mean() + (BAND / 2) * scale, begin)
    elif left is not None:
        for scale in sides[0] * np.linspace(0.98, 1.02, 9):
            yield (scale, vertical), (left[:, 0].mean() + (BAND / 2) * scale, begin)


def rectify(rgb: Planes, corners: Corners, layout: PageLayout) -> Planes:
    """Return the page, so that its markers are where they were drawn.

    Parameters
    ----------
    rgb : float array (height, width, 3)
    corners : dict of int to float array (4, 2)
        x and y of the corners of each marker that was found; edges of pixels count.
    layout : PageLayout
    """
    target = layout.markers()
    drawn = np.concatenate([target[number] for number in corners])
    seen = np.concatenate(list(corners.values()))
    shrink = _scale(drawn, seen)
    if shrink > 1.05:  # means of areas first, as interpolation would leave pixels out
        size = [round(length / shrink) for length in rgb.shape[1::-1]]
        exact = np.array(rgb.shape[1::-1]) / size
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
        seen = seen / exact
    matrix = _affine(drawn, seen)
    shift = np.rint(matrix[:, 2])
    edges = np.array([[0, 0], layout.size[::-1]], np.float64)
    moved = edges @ matrix[:, :2].T + matrix[:, 2]
    if np.abs(moved - edges - shift).max() < EXACT:
        matrix = np.column_stack([np.eye(2), shift])
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5  # from edges to centres of pixels
    return np.asarray(
        cv2.warpAffine(
            rgb, matrix, layout.size[::-1],
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT, borderValue=(PAPER,) * 3,
        )
    )  # fmt: skip


def _scale(drawn: NDArray[np.float64], seen: NDArray[np.float64]) -> float:
    spread = np.linalg.norm(seen - seen.mean(0)) / np.linalg.norm(drawn - drawn.mean(0))
    return float(spread)


def _affine(drawn: NDArray[np.float64], seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scales and the shift that take drawn places to seen ones, by least squares.

    An axis along which the places are no farther apart than in one marker has the other's scale.
    """
    middle, seen_middle = drawn.mean(axis=0), seen.mean(axis=0)
    away, seen_away = drawn - middle, seen - seen_middle
    scales = (away * seen_away).sum(axis=0) / (away**2).sum(axis=0)
    spread = np.ptp(drawn, axis=0)
    scales = np.where(spread > 2 * MARKER, scales, scales[np.argmax(spread)])
    return np.column_stack([np.diag(scales), seen_middle - scales * middle])
