"""The mel scale: a filterbank, and its approximate inverse."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def hz_to_mel(hz: NDArray[np.floating] | float) -> FloatArray:
    """Return frequencies in mel: ``2595 log10(1 + hz / 700)`` (O'Shaughnessy 1987).

    >>> float(np.round(hz_to_mel(1000.0)))
    1000.0
    """
    return np.asarray(2595 * np.log10(1 + np.asarray(hz, np.float64) / 700))


def mel_filterbank(bands: int, n_fft: int, sample_rate: int) -> FloatArray:
    """Return weights that sum the power of a spectrum into bands; shape ``(bins, bands)``.

    Triangles on the mel scale (Davis and Mermelstein 1980) from 0 to half the sample rate, each
    from the middle of the one before to that of the one after. At every bin the weights add to
    one, so no power is lost; where bands are narrower than bins they share them.
    """
    place = hz_to_mel(np.fft.rfftfreq(n_fft, 1 / sample_rate))
    place = place / place[-1] * (bands - 1)
    distance = np.abs(place[:, None] - np.arange(bands))
    weights: FloatArray = np.maximum(1 - distance, 0)
    return weights


def bands_to_bins(power: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the power of bands, ``(n, bands)``, spread evenly over their bins, ``(n, bins)``.

    It inverts `mel_filterbank` for smooth spectra.
    """
    width = np.maximum(weights.sum(axis=0), 1e-9)
    spread: FloatArray = (power / width) @ weights.T
    return spread
