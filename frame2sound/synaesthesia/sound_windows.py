"""Sound as windows of one second: log mel spectra, and their principal components."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.mel_scale import bands_to_bins, mel_filterbank
from frame2sound.sound.stft import Stft

RATE = 22_050
"""Sample rate of windows, in Hz; each is one second long."""

STFT = Stft(1024, 512)

FRAMES = (RATE - STFT.n_fft) // STFT.hop + 1
"""Spectra of a window: none reaches over its ends, where a cut tone would be heard as a click."""

CENTRES = (RATE - STFT.hop * (FRAMES - 1)) // 2 + STFT.hop * np.arange(FRAMES)
"""Samples at the centres of the spectra."""

BANDS = 48
"""Mel bands."""

FLOOR_DB = -80.0
"""Levels of bands in dBFS below which all is silence."""

FloatArray = NDArray[np.float32]


def log_mel(windows: NDArray[np.float32]) -> FloatArray:
    """Return the levels of mel bands, in dBFS from -80.

    Parameters
    ----------
    windows : float32 array (n, 22050)

    Returns
    -------
    float32 array (n, 42, 48)
        Spectra in time by bands.
    """
    return np.stack(
        [_decibels(STFT.magnitude(window, CENTRES).astype(np.float64) ** 2) for window in windows]
    ).reshape(-1, FRAMES, BANDS)


def window_levels_db(spectra: FloatArray) -> FloatArray:
    """Return the mean power of log mel spectra, ``(n, 42, 48)``, in dBFS; -120 for silence."""
    audible = spectra > FLOOR_DB
    power = np.where(audible, 10 ** (spectra.astype(np.float64) / 10), 0).sum(axis=2).mean(axis=1)
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)), np.float32)


def cut_windows(blocks: Iterable[FloatArray], hop: int = RATE) -> Iterator[FloatArray]:
    """Yield windows of one second, each ``hop`` samples after the one before.

    A sound shorter than a second is followed by silence; a rest shorter than half a second after
    the last whole window is left out.

    Parameters
    ----------
    blocks : iterable of float32 arrays (n,)
        The sound at 22050 Hz, block by block.
    hop : int

    Yields
    ------
    float32 array (22050,)
    """
    kept, begin = np.zeros(0, np.float32), 0
    is_first = True
    for block in blocks:
        kept = np.concatenate([kept, block])
        while begin + RATE <= len(kept):
            yield kept[begin : begin + RATE].copy()
            begin, is_first = begin + hop, False
        kept, begin = kept[begin:], max(begin - len(kept), 0)
    while is_first or begin + RATE // 2 <= len(kept):
        rest = kept[begin : begin + RATE]
        yield np.pad(rest, (0, RATE - len(rest)))
        begin, is_first = begin + hop, False


@dataclass(frozen=True)
class SoundComponents:
    """Whitened principal components of log mel spectra.

    Attributes
    ----------
    mean : float32 array (2016,)
        Of the spectra, flat.
    directions : float32 array (components, 2016)
        Orthonormal.
    scales : float32 array (components,)
        Standard deviations along them, in dB, falling.
    """

    mean: FloatArray
    directions: FloatArray
    scales: FloatArray

    def transform(self, spectra: FloatArray) -> FloatArray:
        """Return the components of log mel spectra, ``(n, components)``."""
        flat = spectra.reshape(len(spectra), -1) - self.mean
        return np.asarray(flat @ self.directions.T / self.scales, np.float32)

    def invert(self, components: FloatArray) -> FloatArray:
        """Return the log mel spectra of components, ``(n, 42, 48)``; not below -80 dB."""
        flat = self.mean + (components * self.scales) @ self.directions
        return np.maximum(flat, FLOOR_DB).astype(np.float32).reshape(-1, FRAMES, BANDS)


def fit_components(spectra: FloatArray, count: int) -> SoundComponents:
    """Return the leading principal components of log mel spectra, whitened.

    The sign of each is such that its largest weight is positive. Scales below a thousandth of the
    first are raised to that, so that nothing is divided by zero.
    """
    from scipy.linalg import eigh

    flat = spectra.reshape(len(spectra), -1).astype(np.float64)
    mean = flat.mean(axis=0)
    flat -= mean
    wide = len(flat) < flat.shape[1]  # then the products of examples are the smaller matrix
    products = flat @ flat.T if wide else flat.T @ flat
    count = min(count, len(products))
    last = len(products) - 1
    powers, vectors = eigh(products, subset_by_index=(last - count + 1, last))
    values = np.sqrt(np.maximum(powers[::-1], 0))
    chosen = vectors.T[::-1]
    if wide:
        chosen = chosen @ flat / np.maximum(values, 1e-6 * max(values[0], 1e-9))[:, None]
    largest = chosen[np.arange(count), np.abs(chosen).argmax(axis=1)]
    scales = np.maximum(values, values[0] * 1e-3) / np.sqrt(max(len(flat) - 1, 1))
    parts = (mean, chosen * np.sign(largest)[:, None], scales)
    return SoundComponents(*(part.astype(np.float32) for part in parts))


def _decibels(power: NDArray[np.float64]) -> FloatArray:
    bands = power @ _filterbank()
    levels = 10 * np.log10(np.maximum(bands, 1e-20))
    return np.asarray(np.maximum(levels, FLOOR_DB), np.float32)


@cache
def _filterbank() -> NDArray[np.float64]:
    return mel_filterbank(BANDS, STFT.n_fft, RATE)


def random_phase_sound(spectrum: FloatArray, seed: int = 0) -> FloatArray:
    """Return a second of sound with the levels of a log mel spectrum and random phases.

    Parameters
    ----------
    spectrum : float32 array (42, 48)
        In dBFS; levels up to 3 dB above -80 are silent.
    seed : int

    Returns
    -------
    float32 array (22050,)
    """
    levels = np.minimum(spectrum.astype(np.float64), 10.0)
    power = np.where(levels > FLOOR_DB + 3, 10 ** (levels / 10), 0)
    magnitudes = np.sqrt(bands_to_bins(power, _filterbank()))
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, magnitudes.shape)
    blocks = np.fft.irfft(magnitudes * np.exp(1j * phases)) * STFT.amplitude_scale
    window = STFT.analysis_window
    sound = np.zeros(RATE + 2 * STFT.n_fft)
    for centre, block in zip(CENTRES, blocks, strict=True):
        begin = centre + STFT.n_fft // 2
        sound[begin : begin + STFT.n_fft] += block * window
    sound *= np.sqrt(STFT.hop * STFT.n_fft) / (window**2).sum()  # blocks do not add up in phase
    return sound[STFT.n_fft : STFT.n_fft + RATE].astype(np.float32)
