"""A soft raster of outlines: small pictures that are differentiable with respect to the points."""

from __future__ import annotations

import torch
from torch import Tensor

from frame2sound.synaesthesia.stroke import stroke_inks, stroke_points, stroke_widths

SIZE = 32
"""Width and height of a raster of strokes in pixels."""

PICTURE_SIZE = 64
"""Width and height of a picture of the raster kind in pixels."""

BLOCK = 4096
"""Most points of an outline that are compared with the pixels at a time."""

SOFTNESS = 0.16
"""Scale of the logistic edge in pixels: its variance is that of a box one pixel wide."""


def rasterise(strokes: Tensor, size: int = SIZE) -> Tensor:
    """Return rasters of strokes, ``(n, colours, size, size)``; see `rasterise_outlines`."""
    return rasterise_outlines(
        stroke_points(strokes), stroke_widths(strokes), stroke_inks(strokes), size
    )


def rasterise_outlines(points: Tensor, widths: Tensor, inks: Tensor, size: int = SIZE) -> Tensor:
    """Return rasters of closed outlines: how much ink is on each pixel, 0 (white paper) to 1.

    A pixel's coverage follows from the distance of its centre to the outline, with a logistic edge
    instead of the box of area sampling, so that gradients reach points nearby.

    Parameters
    ----------
    points : Tensor (n, vertices, 2)
        On a page from 0 to 1.
    widths : Tensor (n,)
        As shares of the page.
    inks : Tensor (n, colours)
    size : int

    Returns
    -------
    Tensor (n, colours, size, size)
    """
    distance = _distances(points, _pixel_centres(points, size)) * size
    half = widths[:, None] * (size / 2)
    coverage = torch.sigmoid((distance + half) / SOFTNESS) - torch.sigmoid(
        (distance - half) / SOFTNESS
    )
    return inks[:, :, None, None] * coverage.view(-1, 1, size, size)


def _pixel_centres(like: Tensor, size: int) -> Tensor:
    """Return the centres of pixels, row by row, ``(size * size, 2)``."""
    middles = (torch.arange(size, dtype=like.dtype, device=like.device) + 0.5) / size
    y, x = torch.meshgrid(middles, middles, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def _distances(points: Tensor, pixels: Tensor) -> Tensor:
    """Return the distance of each pixel to the nearest of each outline's sides, ``(n, pixels)``.

    The nearest vertex is found without gradients; the distance is then that to its two sides.
    """
    nearest, count = _nearest_points(points, pixels), points.shape[1]
    here = _pick(points, nearest)
    before = _pick(points, (nearest - 1) % count)
    after = _pick(points, (nearest + 1) % count)
    squared = torch.minimum(
        _squared_to_side(pixels, here, before), _squared_to_side(pixels, here, after)
    )
    return torch.sqrt(squared + 1e-12)


@torch.no_grad()
def _nearest_points(points: Tensor, pixels: Tensor) -> Tensor:
    """Return the number of the point of each outline that is nearest to each pixel."""
    corners = torch.cat([-2 * points, (points**2).sum(dim=2, keepdim=True)], dim=2)
    places = torch.cat([pixels, torch.ones_like(pixels[:, :1])], dim=1)
    least, nearest = (places @ corners[:, :BLOCK].transpose(1, 2)).min(dim=2)
    for first in range(BLOCK, points.shape[1], BLOCK):
        block = corners[:, first : first + BLOCK]
        distance, index = (places @ block.transpose(1, 2)).min(dim=2)
        nearest = torch.where(distance < least, index + first, nearest)
        least = torch.minimum(distance, least)
    return nearest


def _pick(points: Tensor, index: Tensor) -> Tensor:
    return points.gather(1, index[..., None].expand(-1, -1, 2))


def _squared_to_side(pixels: Tensor, begin: Tensor, end: Tensor) -> Tensor:
    """Return the squared distance of pixels to sides between two points."""
    side, way = end - begin, pixels - begin
    share = (way * side).sum(dim=2) / (side**2).sum(dim=2).clamp_min(1e-12)
    foot = way - share.clamp(0, 1)[..., None] * side
    return (foot**2).sum(dim=2)
