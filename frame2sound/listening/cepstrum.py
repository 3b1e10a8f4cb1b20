"""Mel spectra in decibels, and their cepstra: the timbre of a sound in few numbers."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.mel_scale import slaney_mel_filterbank

FloatArray = NDArray[np.float64]

MEL_BANDS = 128
COEFFICIENTS = 20
"""Coefficients of a cepstrum, from number 0, the level."""

_MIN_POWER = 1e-10  # -100 dB


def mel_levels_db(powers: FloatArray, sample_rate: int, bands: int = MEL_BANDS) -> FloatArray:
    """Return the levels of mel bands in dB, at least -100; shape ``(n, bands)``.

    Parameters
    ----------
    powers : array of shape (n, bins)
        Squared magnitudes of an FFT that is not scaled.
    sample_rate : int
        In Hz.
    bands : int
        Slaney's, each of area 1: see `slaney_mel_filterbank`.
    """
    weights = _filterbank(bands, 2 * (powers.shape[1] - 1), sample_rate)
    levels: FloatArray = 10 * np.log10(np.maximum(powers @ weights, _MIN_POWER))
    return levels


def mel_cepstrum(levels_db: FloatArray, coefficients: int = COEFFICIENTS) -> FloatArray:
    """Return the MFCC: the orthonormal cosine transform (type 2) of mel levels in dB.

    There is neither liftering nor a floor below the loudest frame, so that each frame's
    coefficients depend on this frame alone.

    Parameters
    ----------
    levels_db : array of shape (n, bands)
    coefficients : int
        How many are kept; the first, number 0, is ``sqrt(bands)`` times the mean level.

    Returns
    -------
    array of shape (n, coefficients)
        In dB.
    """
    return levels_db @ _cosines(levels_db.shape[1], coefficients)


@cache
def _filterbank(bands: int, n_fft: int, sample_rate: int) -> FloatArray:
    return slaney_mel_filterbank(bands, n_fft, sample_rate)


@cache
def _cosines(bands: int, coefficients: int) -> FloatArray:
    number = np.arange(coefficients)
    middle = (np.arange(bands) + 0.5) / bands
    basis = np.cos(np.pi * np.outer(middle, number)) * np.sqrt(2 / bands)
    basis[:, 0] /= np.sqrt(2)
    return np.asarray(basis)
