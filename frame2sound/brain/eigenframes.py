"""Draw a brain's eigenframes as a picture."""

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
from frame2sound.film.small_frames import SIZE

TILES_PER_ROW = 16
"""Eigenframes in each row of the picture."""

MARGIN_PIXELS, MID_GREY = 4, 128


def draw_eigenframes(brain: Brain, path: Path, *, overwrite: bool = False) -> None:
    """Write a picture of a brain's eigenframes, the first at the top left, row by row.

    Mid-grey pixels have weight 0, lighter ones a positive and darker ones a negative weight. The
    eigenframes of motion follow those of still frames. The picture is in colour if the brain's
    input is.

    Raises
    ------
    BrainError
        The brain has no eigenframes, or the picture cannot be written.
    """
    features = brain.network.features
    if features is None or features.config.of == "fft2":
        raise BrainError(
            f"brain {brain.recipe.name!r} has no eigenframes of pictures; expected one trained "
            "with the setting input.kind=eigenframes"
        )
    parts = [features.still] if features.motion is None else [features.still, features.motion]
    sheet = np.concatenate([_tile_sheet(part) for part in parts])
    is_encoded, data = cv2.imencode(".png", sheet[..., ::-1] if sheet.ndim == 3 else sheet)
    assert is_encoded
    with atomic_write(path, BrainError, overwrite=overwrite) as partial:
        partial.write_bytes(data.tobytes())


def _tile_sheet(features: PcaFeatures) -> NDArray[np.uint8]:
    """Return tiles in rows, ``(height, width)`` or ``(height, width, 3)``."""
    weights = features.weight.detach().cpu()
    weights = weights[weights.abs().amax(1) > 0]
    planes = weights.reshape(len(weights), -1, SIZE, SIZE)
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
