"""Peaks of spectra, and the bins around each that share what becomes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.floating[Any]]


def find_peaks(levels: Levels) -> NDArray[np.int64]:
    """Return the bins that are higher than two on each side; the loudest one if there is none.

    Parameters
    ----------
    levels : float array (rows,)
    """
    padded = np.pad(levels, 2, constant_values=-1)
    middle = padded[2:-2]
    below = np.maximum(padded[:-4], padded[1:-3])
    above = np.maximum(padded[3:-1], padded[4:])
    peaks = np.flatnonzero((middle > below) & (middle >= above))
    return peaks if len(peaks) else np.array([int(np.argmax(levels))])


def nearest_peak(peaks: NDArray[Any], rows: int) -> NDArray[np.int64]:
    """Return the number of the peak that is nearest to each bin, ``(rows,)``, of rising peaks."""
    borders = (peaks[1:] + peaks[:-1]) / 2
    nearest: NDArray[np.int64] = np.searchsorted(borders, np.arange(rows))
    return nearest


def joint_levels(spectra: NDArray[np.inexact[Any]]) -> Levels:
    """Return the levels of all channels together, ``(n, rows)``, of ``(channels, n, rows)``."""
    levels: Levels = np.sqrt(np.sum(np.abs(spectra) ** 2, axis=0))
    return levels
