"""Pictures of the raster kind: photographs, paintings, letters, or any drawing."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.synaesthesia.drawings import (
    FRAME_SPACING,
    Content,
    Drawings,
    ReadDrawing,
    average_over_squares,
    drawings_of_strokes,
    load_drawings,
    raster_of_drawing,
    raster_of_outlines,
    read_drawings,
)
from frame2sound.synaesthesia.picture_measures import describe_pictures
from frame2sound.synaesthesia.raster import PICTURE_SIZE, rasterise
from frame2sound.synaesthesia.recipe import Kind

FloatArray = NDArray[np.float32]

ROWS = 128
"""Strokes that are rasterised at a time."""


def load_drawings_of_kind(
    kind: Kind,
    paths: Iterable[Path],
    colours: int = 1,
    on_progress: ProgressCallback = ignore_progress,
    spacing: Fraction = FRAME_SPACING,
) -> Drawings:
    """Return the drawings in files as networks of a kind read them; see `load_drawings`.

    For ``raster`` they may be any pictures: ink is what is not white.

    Raises
    ------
    SynaesthesiaError
        There is none, a file cannot be read, or, for ``strokes``, one is a photograph.
    """
    if kind == "strokes":
        return load_drawings(paths, colours, on_progress, spacing)
    names, rasters = [], []
    for drawing in read_drawings(paths, on_progress, spacing):
        names.append(drawing.name)
        rasters.append(raster_of_kind(kind, drawing, colours))
    shape = (-1, colours, PICTURE_SIZE, PICTURE_SIZE)
    return drawings_of_pictures(names, np.array(rasters, np.float32).reshape(shape))


def raster_of_kind(kind: Kind, drawing: ReadDrawing, colours: int) -> FloatArray:
    """Return the raster of a drawing as networks of a kind read it, ``(colours, side, side)``."""
    if kind == "strokes":
        return raster_of_drawing(drawing, colours)
    return picture_ink(drawing.content, colours)


def drawings_of_pictures(names: list[str], rasters: FloatArray) -> Drawings:
    """Return pictures of ink, ``(n, colours, 64, 64)``, with their measures and no strokes."""
    measures = describe_pictures(torch.from_numpy(rasters)).numpy()
    return Drawings(names, rasters, measures, np.zeros((len(names), 0), np.float32))


def strokes_of_kind(kind: Kind, strokes: FloatArray) -> Drawings:
    """Return the drawings of one stroke each as networks of a kind read them."""
    if kind == "strokes":
        return drawings_of_strokes(strokes)
    parts = torch.split(torch.from_numpy(np.ascontiguousarray(strokes)), ROWS)
    rasters = torch.cat([rasterise(part, PICTURE_SIZE) for part in parts]).numpy()
    return drawings_of_pictures([f"{number:04d}" for number in range(len(strokes))], rasters)


def picture_ink(content: Content, colours: int) -> FloatArray:
    """Return the ink of outlines or of a picture in RGB, ``(colours, 64, 64)``."""
    if isinstance(content, list):
        return raster_of_outlines(content, colours, PICTURE_SIZE)
    ink = np.float32(1) - content.astype(np.float32) / np.float32(255)
    return average_over_squares(ink, colours, PICTURE_SIZE)
