"""Measures of pictures, which stand for those of strokes where there are none."""

from __future__ import annotations

import torch
from torch import Tensor

LEAST_INK = 1e-4


def describe_pictures(pictures: Tensor) -> Tensor:
    """Return the measures of pictures that `DRAWING_WORDS` names, ``(n, 6)``.

    Size: the logarithm of the root mean square distance of ink from its centre. Spikiness: the
    logarithm of how much ink changes from pixel to pixel, less that of the size. Darkness: the
    mean ink. Thickness: the logarithm of the ink over its changes. Height: how high the centre of
    the ink is on the page, 0 to 1. Side: how far right.

    Parameters
    ----------
    pictures : Tensor (n, colours, side, side)
        Ink, 0 to 1.
    """
    ink = pictures.mean(dim=1)
    side = ink.shape[-1]
    places = (torch.arange(side, dtype=ink.dtype, device=ink.device) + 0.5) / side
    shares = (ink + LEAST_INK) / (ink + LEAST_INK).sum(dim=(1, 2), keepdim=True)
    rows, columns = shares.sum(dim=2), shares.sum(dim=1)
    down, across = rows @ places, columns @ places
    spread = _variance(rows, places, down) + _variance(columns, places, across)
    size = torch.log(spread.clamp_min(1e-8)) / 2
    darkness = ink.mean(dim=(1, 2))
    # Changes of ink add up to twice the length of a line, times its ink; a length is 1 for a page.
    changes = (ink.diff(dim=1).abs().sum(dim=(1, 2)) + ink.diff(dim=2).abs().sum(dim=(1, 2))) / side
    edges = torch.log(changes + LEAST_INK)
    thickness = torch.log(darkness + LEAST_INK) - edges
    measures = [size, edges - size, darkness, thickness, 1 - down, across]
    return torch.stack(measures, dim=1)


def _variance(shares: Tensor, places: Tensor, middle: Tensor) -> Tensor:
    return (shares * (places - middle[:, None]) ** 2).sum(dim=1)
