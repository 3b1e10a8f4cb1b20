"""Write strokes as SVG: one path a stroke, with its width and colour."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.synaesthesia.stroke import stroke_inks, stroke_points, stroke_widths

FloatArray = NDArray[np.float32]

PAGE = 256
"""Width and height of the page in an SVG's units."""

_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {0}" width="{0}" height="{0}">\n'
    '<g fill="none" stroke-linejoin="round" stroke-linecap="round">\n'
)


def stroke_svg(strokes: FloatArray) -> str:
    """Return an SVG of strokes.

    Parameters
    ----------
    strokes : float32 array (n, 36 + colours)
        As in `stroke_points`.
    """
    return outline_svg(*_outlines(strokes))


def stroke_paths(strokes: FloatArray) -> list[tuple[str, str, str]]:
    """Return the path, the width and the colour of each stroke, as `stroke_svg` writes them."""
    return list(_paths(*_outlines(strokes)))


def outline_svg(points: FloatArray, widths: FloatArray, inks: FloatArray) -> str:
    """Return an SVG of closed outlines: points ``(n, vertices, 2)`` on a page from 0 to 1.

    Several are laid over each other as inks are: each takes its share of the light.
    """
    blend = ' style="mix-blend-mode:multiply"' if len(points) > 1 else ""
    paths = [
        f'<path d="{path}" stroke="{colour}" stroke-width="{width}"{blend}/>\n'
        for path, width, colour in _paths(points, widths, inks)
    ]
    return _HEAD.format(PAGE) + "".join(paths) + "</g>\n</svg>\n"


def _outlines(strokes: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    values = torch.from_numpy(np.ascontiguousarray(strokes, np.float32))
    return (
        stroke_points(values).numpy(),
        stroke_widths(values).numpy(),
        stroke_inks(values).numpy(),
    )


def _paths(
    points: FloatArray, widths: FloatArray, inks: FloatArray
) -> Iterator[tuple[str, str, str]]:
    for outline, width, ink in zip(points, widths, inks, strict=True):
        yield _path(outline), f"{width * PAGE:.4f}", _colour(ink)


def _path(outline: FloatArray) -> str:
    return "M" + "L".join(f"{x:.3f} {y:.3f}" for x, y in outline * PAGE) + "Z"


def _colour(ink: FloatArray) -> str:
    levels = np.clip(np.rint(255 * (1 - np.broadcast_to(ink, 3))), 0, 255).astype(int)
    return "#" + "".join(f"{level:02x}" for level in levels)
