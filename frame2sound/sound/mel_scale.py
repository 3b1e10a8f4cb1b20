"""The mel scale: filterbanks, and the approximate inverse of one."""

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


def slaney_mel_filterbank(bands: int, n_fft: int, sample_rate: int) -> FloatArray:
    """Return weights of Slaney's mel bands, each of area 1 in hertz; shape ``(bins, bands)``.

    The scale is linear up to 1000 Hz, with 15 mel, and logarithmic above, with 27 mel from 1000 to
    6400 Hz. Triangles from 0 Hz to half the sample rate, each from the middle of the one before to
    that of the one after (Slaney, *Auditory Toolbox*, 1998). Cepstra are made of it by custom.
    """
    corners = slaney_mel_corners(bands, sample_rate)
    hz = np.fft.rfftfreq(n_fft, 1 / sample_rate)[:, None]
    rising = (hz - corners[:-2]) / np.diff(corners)[:-1]
    falling = (corners[2:] - hz) / np.diff(corners)[1:]
    weights: FloatArray = np.maximum(np.minimum(rising, falling), 0)
    return weights * 2 / (corners[2:] - corners[:-2])


def slaney_mel_corners(bands: int, sample_rate: int) -> FloatArray:
    """Return the bounds and middles of Slaney's mel bands in Hz, from 0 up; ``(bands + 2,)``.

    Band ``i`` begins at corner ``i``, has its middle at the next, and ends at the one after.
    """
    return _slaney_mel_to_hz(np.linspace(0, _hz_to_slaney_mel(sample_rate / 2), bands + 2))


_SLANEY_BREAK_HZ, _SLANEY_BREAK_MEL, _SLANEY_STEP = 1000.0, 15.0, np.log(6.4) / 27


def _hz_to_slaney_mel(hz: float) -> float:
    if hz < _SLANEY_BREAK_HZ:
        return hz * _SLANEY_BREAK_MEL / _SLANEY_BREAK_HZ
    return float(_SLANEY_BREAK_MEL + np.log(hz / _SLANEY_BREAK_HZ) / _SLANEY_STEP)


def _slaney_mel_to_hz(mel: FloatArray) -> FloatArray:
    above = np.maximum(mel - _SLANEY_BREAK_MEL, 0)
    linear = np.minimum(mel, _SLANEY_BREAK_MEL) * _SLANEY_BREAK_HZ / _SLANEY_BREAK_MEL
    hz: FloatArray = linear * np.exp(above * _SLANEY_STEP)
    return hz


def bands_to_bins(power: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the power of bands, ``(n, bands)``, spread evenly over their bins, ``(n, bins)``.

    It inverts `mel_filterbank` for smooth spectra.
    """
    width = np.maximum(weights.sum(axis=0), 1e-9)
    spread: FloatArray = (power / width) @ weights.T
    return spread
