"""Write strokes as SVG: one path a stroke, with its width and colour."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.synaesthesia.stroke import stroke_inks, stroke_points, stroke_widths

PAGE = 256
"""Width and height of the page in an SVG's units."""

_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {0}" width="{0}" height="{0}">\n'
    '<g fill="none" stroke-linejoin="round" stroke-linecap="round">\n'
)


def stroke_svg(strokes: NDArray[np.float32]) -> str:
    """Return an SVG of strokes.

    Parameters
    ----------
    strokes : float32 array (n, 36 + colours)
        As in `stroke_points`.
    """
    values = torch.from_numpy(np.ascontiguousarray(strokes, np.float32))
    parts = (stroke_points(values), stroke_widths(values), stroke_inks(values))
    return outline_svg(*(part.numpy() for part in parts))


def outline_svg(
    points: NDArray[np.float32], widths: NDArray[np.float32], inks: NDArray[np.float32]
) -> str:
    """Return an SVG of closed outlines: points ``(n, vertices, 2)`` on a page from 0 to 1."""
    paths = [
        f'<path d="{_path(outline)}" stroke="{_colour(ink)}" stroke-width="{width * PAGE:.4f}"/>\n'
        for outline, width, ink in zip(points, widths, inks, strict=True)
    ]
    return _HEAD.format(PAGE) + "".join(paths) + "</g>\n</svg>\n"


def _path(outline: NDArray[np.float32]) -> str:
    return "M" + "L".join(f"{x:.3f} {y:.3f}" for x, y in outline * PAGE) + "Z"


def _colour(ink: NDArray[np.float32]) -> str:
    levels = np.clip(np.rint(255 * (1 - np.broadcast_to(ink, 3))), 0, 255).astype(int)
    return "#" + "".join(f"{level:02x}" for level in levels)
