"""The shape of spectra: where their energy lies, how wide it is spread, how like noise it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

ROLLOFF_SHARE = 0.85
"""Share of the summed magnitudes that lies at or below the rolloff."""

_MIN_POWER = 1e-10  # the flatness takes bins as having no less, on the scale of an unscaled FFT


def spectral_centroid(magnitudes: FloatArray, hz: FloatArray) -> FloatArray:
    """Return the mean frequency in Hz, weighted by magnitude; 0 for silence.

    Parameters
    ----------
    magnitudes : array of shape (n, bins)
        Linear.
    hz : array of shape (bins,)
        The frequencies of the bins.

    Examples
    --------
    >>> spectral_centroid(np.array([[0.0, 3.0, 1.0]]), np.array([0.0, 100.0, 200.0])).tolist()
    [125.0]
    """
    centroid: FloatArray = (_shares(magnitudes) * hz).sum(axis=1)
    return centroid


def spectral_bandwidth(magnitudes: FloatArray, hz: FloatArray) -> FloatArray:
    """Return the standard deviation of frequency in Hz, weighted by magnitude; 0 for silence.

    Two tones of equal level, and the same width, have half the distance between them.
    """
    shares = _shares(magnitudes)
    distances = hz - (shares * hz).sum(axis=1, keepdims=True)
    width: FloatArray = np.sqrt((shares * distances**2).sum(axis=1))
    return width


def spectral_rolloff(
    magnitudes: FloatArray, hz: FloatArray, share: float = ROLLOFF_SHARE
) -> FloatArray:
    """Return the frequency in Hz of the first bin up to which a share of the magnitudes lies.

    >>> spectral_rolloff(np.array([[1.0, 3.0]]), np.array([50.0, 100.0]), 0.25).tolist()
    [50.0]
    """
    sums = np.cumsum(magnitudes, axis=1)
    rolloff: FloatArray = hz[(sums >= share * sums[:, -1:]).argmax(axis=1)]
    return rolloff


def spectral_flatness(powers: FloatArray) -> FloatArray:
    """Return the geometric mean of the powers of bins over their arithmetic mean, 0 to 1.

    White noise has ``exp(-gamma)``, .5615, as the powers are distributed exponentially; a tone is
    near 0. Powers are at least 1e-10, so digital silence has 1.
    """
    floored = np.maximum(powers, _MIN_POWER)
    flatness: FloatArray = np.exp(np.log(floored).mean(axis=1)) / floored.mean(axis=1)
    return flatness


def _shares(magnitudes: FloatArray) -> FloatArray:
    sums = magnitudes.sum(axis=1, keepdims=True)
    shares: FloatArray = magnitudes / np.where(sums > np.finfo(np.float32).tiny, sums, 1)
    return shares
