"""Spectra as points of colour: luma is the level, and chroma the phase, as a direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.colours import Planes

DARKEST, BRIGHTEST = 71.0, 184.0
"""Luma of the lowest and the highest level: all phases are inside the gamut of RGB."""

RADIUS = 40.0
"""Chroma of a phase that is certain."""

CERTAIN_LEVEL = 0.05
"""Share of the range above which a phase is certain; below, the radius shrinks to 0."""

SILENT_LEVEL = 0.004
"""Share of the range below which a cell is silent: half a step of 8 bits."""

Spectra = NDArray[np.complexfloating[Any, Any]]


@dataclass(frozen=True)
class LevelScale:
    """Magnitudes in dB as shares of a range.

    Attributes
    ----------
    reference_db : float
        The magnitude whose share is 1, in dB of a sine of amplitude 1.
    range_db : float
        How far below it the share is 0.

    Examples
    --------
    >>> scale = LevelScale(-20.0, 80.0)
    >>> scale.shares(np.array([0.1, 0.001, 0.0])).round(3)
    array([1. , 0.5, 0. ])
    >>> scale.magnitudes(np.array([1.0, 0.5, 0.0])).round(4)
    array([0.1  , 0.001, 0.   ])
    """

    reference_db: float
    range_db: float

    def shares(self, magnitudes: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """Return the shares, 0 to 1."""
        levels = 20 * np.log10(np.maximum(magnitudes, 1e-20))
        shares: NDArray[np.floating[Any]] = np.clip(
            1 + (levels - self.reference_db) / self.range_db, 0, 1
        )
        return shares

    def magnitudes(self, shares: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """Return the magnitudes; 0 below `SILENT_LEVEL`."""
        levels = self.reference_db + (np.minimum(shares, 1.1) - 1) * self.range_db
        return np.where(shares < SILENT_LEVEL, 0, 10 ** (levels / 20))


def to_points(spectra: Spectra, scale: LevelScale) -> Planes:
    """Return the colours of spectra.

    Parameters
    ----------
    spectra : complex array (...)
        Phases referred to the centres of windows.
    scale : LevelScale

    Returns
    -------
    float array (..., 3)
        Luma, blue difference and red difference.
    """
    shares = scale.shares(np.abs(spectra))
    radius = RADIUS * np.minimum(shares / CERTAIN_LEVEL, 1)
    phases = np.angle(spectra)
    luma = DARKEST + (BRIGHTEST - DARKEST) * shares
    return np.stack([luma, radius * np.cos(phases), radius * np.sin(phases)], axis=-1)


def from_points(points: Planes, scale: LevelScale) -> Spectra:
    """Return the spectra of colours ``(..., 3)``."""
    luma, blue, red = np.moveaxis(points, -1, 0)
    shares = (luma - DARKEST) / (BRIGHTEST - DARKEST)
    spectra: Spectra = scale.magnitudes(shares) * unit(blue, red)
    return spectra


def certainty(points: Planes) -> NDArray[np.floating[Any]]:
    """Return how certain the phases of colours ``(..., 3)`` are, 0 to 1."""
    return np.minimum(np.hypot(points[..., 1], points[..., 2]) / RADIUS, 1)


def unit(real: NDArray[np.floating[Any]], imaginary: NDArray[np.floating[Any]]) -> Spectra:
    """Return complex numbers of magnitude 1 with the direction of others; 1 for 0."""
    length = np.hypot(real, imaginary)
    certain = np.maximum(length, 1e-9)
    direction: Spectra = np.where(length > 0, real / certain, 1) + 1j * (imaginary / certain)
    return direction
