"""Spectrograms without axes, for the page of a comparison."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.errors import SoundtrackError
from frame2sound.evaluation.downsample import Samples, log_spectrogram
from frame2sound.evaluation.plots import COLOUR_MAP, MIN_PEAK_DB, RANGE_DB

WIDTH, HEIGHT = 640, 100


def draw_spectrogram(
    samples: Samples, sample_rate: int, path: Path, max_level_db: float | None = None
) -> float:
    """Draw the log spectrogram of a sound without margins, as a WebP of 640 x 100 pixels.

    Parameters
    ----------
    samples : array of shape (samples,)
    sample_rate : int
        In Hz.
    path : Path
    max_level_db : float, optional
        Level of the brightest colour; by default the highest level of the sound.

    Returns
    -------
    float
        Level of the brightest colour.

    Raises
    ------
    SoundtrackError
        The file cannot be written.
    """
    seconds = len(samples) / sample_rate
    levels = log_spectrogram(samples, sample_rate, seconds, WIDTH, HEIGHT)[::-1]
    top = max(MIN_PEAK_DB, float(levels.max())) if max_level_db is None else max_level_db
    image = cv2.cvtColor(_apply_colour_map((levels - top) / RANGE_DB + 1), cv2.COLOR_RGB2BGR)
    with atomic_write(path, SoundtrackError) as partial:
        partial.write_bytes(
            cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 80])[1].tobytes()
        )
    return top


def _apply_colour_map(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return RGB colours, (..., 3), of values from 0, the darkest, to 1."""
    stops = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in COLOUR_MAP])
    positions = np.linspace(0, 1, len(stops))
    channels = [np.interp(values, positions, stops[:, channel]) for channel in range(3)]
    image: NDArray[np.uint8] = np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
    return image
