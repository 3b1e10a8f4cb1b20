"""Spectra as three planes of luma side by side: level, and cosine and sine of the phase."""

from __future__ import annotations

import numpy as np

from frame2sound.carriers.colours import Planes
from frame2sound.carriers.spectrum_points import CERTAIN_LEVEL, LevelScale, Spectra, unit

DARKEST, BRIGHTEST = 4.0, 251.0
"""Luma of the lowest and the highest level."""

ZERO, RADIUS = 128.0, 112.0
"""Luma of a cosine or sine of 0, and how much it differs for 1."""


def to_tiles(spectra: Spectra, scale: LevelScale) -> Planes:
    """Return luma and no chroma of spectra ``(rows, columns)``: ``(rows, 3 columns, 3)``."""
    shares = scale.shares(np.abs(spectra))
    radius = RADIUS * np.minimum(shares / CERTAIN_LEVEL, 1)
    phases = np.angle(spectra)
    level = DARKEST + (BRIGHTEST - DARKEST) * shares
    luma = np.concatenate(
        [level, ZERO + radius * np.cos(phases), ZERO + radius * np.sin(phases)], axis=1
    )
    return np.stack([luma, 0 * luma, 0 * luma], axis=-1)


def from_tiles(luma: Planes, scale: LevelScale) -> Spectra:
    """Return the spectra ``(rows, columns)`` of three planes of luma ``(rows, 3 columns)``."""
    level, cosine, sine = np.split(luma, 3, axis=1)
    shares = (level - DARKEST) / (BRIGHTEST - DARKEST)
    spectra: Spectra = scale.magnitudes(shares) * unit(cosine - ZERO, sine - ZERO)
    return spectra
