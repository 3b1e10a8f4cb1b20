"""A picture of eigenframes: what a brain's eyes look for."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.brain.brain import Brain
from frame2sound.brain.features import PcaFeatures
from frame2sound.errors import BrainError
from frame2sound.film.decoding.frame_resizer import SIZE

TILES_PER_ROW = 16
"""Eigenframes beside each other."""

MARGIN_PIXELS, MID_GREY = 4, 128


def draw_eigenframes(brain: Brain, path: Path, *, overwrite: bool = False) -> None:
    """Write a picture of a brain's eigenframes, the first at the top left, row by row.

    Mid-grey is a pixel that does not count; the lighter, the more it adds to its number, the darker
    the more it takes away. Those of motion, if there are any, follow those of stills. In colour
    where the brain sees colour.

    Raises
    ------
    BrainError
        The brain has no eigenframes, or the picture cannot be written.
    """
    eyes = brain.network.features
    if eyes is None or eyes.config.of == "fft2":
        raise BrainError(
            f"brain {brain.recipe.name!r} has no eigenframes of pictures; expected one trained "
            "with --set input.kind=eigenframes"
        )
    looks = [eyes.still] if eyes.motion is None else [eyes.still, eyes.motion]
    sheet = np.concatenate([_tile_sheet(look) for look in looks])
    written, data = cv2.imencode(".png", sheet[..., ::-1] if sheet.ndim == 3 else sheet)
    assert written
    with atomic_write(path, BrainError, overwrite=overwrite) as partial:
        partial.write_bytes(data.tobytes())


def _tile_sheet(features: PcaFeatures) -> NDArray[np.uint8]:
    """Return tiles in rows, ``(height, width)`` or ``(height, width, 3)``."""
    weights = features.weight.detach().cpu()
    there = weights[weights.abs().amax(1) > 0]
    planes = there.reshape(len(there), -1, SIZE, SIZE)
    levels = planes / planes.abs().amax((1, 2, 3), keepdim=True)
    tiles = (MID_GREY + 127 * levels).round().to(torch.uint8).movedim(1, -1).numpy()
    rows, step = -(-len(tiles) // TILES_PER_ROW), SIZE + MARGIN_PIXELS
    sheet = np.zeros(
        (rows * step + MARGIN_PIXELS, TILES_PER_ROW * step + MARGIN_PIXELS, tiles.shape[-1]),
        np.uint8,
    )
    for number, tile in enumerate(tiles):
        row, column = divmod(number, TILES_PER_ROW)
        top, left = MARGIN_PIXELS + row * step, MARGIN_PIXELS + column * step
        sheet[top : top + SIZE, left : left + SIZE] = tile
    return sheet[..., 0] if sheet.shape[-1] == 1 else sheet
