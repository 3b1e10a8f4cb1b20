"""A sheet of sounds beside the strokes or pictures drawn for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.synaesthesia.painter import paint_drawn
from frame2sound.synaesthesia.pair import Pair
from frame2sound.synaesthesia.sound_windows import FLOOR_DB
from frame2sound.synaesthesia.sounds import Sounds

CELL, COLUMNS = 96, 8
"""Pixels of a picture's side, and pairs of pictures in a row."""

FloatArray = NDArray[np.float32]


def draw_sheet(pair: Pair, sounds: Sounds, path: Path, rows: int = 8) -> None:
    """Write a PNG of log mel spectra, each beside the stroke drawn for its sound.

    Sounds go from quiet at the top to loud at the bottom, and in each row from dark to bright.
    """
    import cv2

    count = min(rows * COLUMNS, len(sounds))
    chosen = in_order(sounds.spectra[:count])
    strokes = pair.draw_components(pair.components.transform(sounds.spectra[chosen]))
    cells = [
        np.concatenate([_spectrum(sounds.spectra[index]), _page(stroke)], axis=1)
        for index, stroke in zip(chosen, strokes, strict=True)
    ]
    cells += [np.full_like(cells[0], 255)] * (-count % COLUMNS)
    lines = [
        np.concatenate(cells[begin : begin + COLUMNS], axis=1)
        for begin in range(0, len(cells), COLUMNS)
    ]
    cv2.imwrite(str(path), np.concatenate(lines, axis=0))


def in_order(spectra: FloatArray) -> NDArray[np.int64]:
    """Return indices that sort sounds from quiet to loud, and eight at a time by brightness."""
    import torch

    from frame2sound.synaesthesia.descriptors import describe_sounds

    loudness, brightness = describe_sounds(torch.from_numpy(spectra)).numpy().T[:2]
    order = np.argsort(loudness)
    parts = [order[begin : begin + COLUMNS] for begin in range(0, len(order), COLUMNS)]
    return np.concatenate([part[np.argsort(brightness[part])] for part in parts])


def _spectrum(spectrum: FloatArray) -> NDArray[np.uint8]:
    """Return a log mel spectrum as a picture, low frequencies at the bottom."""
    import cv2

    levels = np.clip((spectrum.T[::-1] - FLOOR_DB) / -FLOOR_DB, 0, 1)
    small = np.uint8(np.rint(255 * levels))
    big = cv2.resize(np.asarray(small), (CELL, CELL), interpolation=cv2.INTER_NEAREST)
    return _framed(np.asarray(cv2.applyColorMap(big, cv2.COLORMAP_MAGMA), np.uint8))


def spectrum_picture(spectrum: FloatArray) -> bytes:
    """Return a log mel spectrum, ``(times, bands)``, as a PNG."""
    import cv2

    return bytes(cv2.imencode(".png", _spectrum(spectrum))[1])


def _page(stroke: FloatArray) -> NDArray[np.uint8]:
    return _framed(paint_drawn(stroke[None], CELL)[..., ::-1].copy())


def _framed(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    picture[:, -1] = picture[-1] = 200
    return picture
