"""Features of windows of sound: mel-frequency cepstra over time, and their statistics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from frame2sound.listening.cepstrum import mel_cepstrum
from frame2sound.sorting.windows import window_samples
from frame2sound.sound.mel_scale import mel_filterbank
from frame2sound.sound.stft import Stft

FloatArray = NDArray[np.float32]

HOP_SECONDS = 0.02322
"""From one spectrum to the next: 42 of them, two hops long each, fit into a window."""

SPECTRA = 42
"""Spectra in a window."""

STEPS = 21
"""Steps in time in a window's sequence: the means of two spectra each."""

BANDS, COEFFICIENTS = 40, 20
"""Mel bands of a spectrum, and cepstral coefficients that are kept."""

SUMMARY_LENGTH = 3 * COEFFICIENTS
"""Values in a window's summary."""

FLOOR_DB = -90.0
"""Levels of bands below, relative to a full-scale sine, are silence."""

SILENCE_DBFS = -60.0
"""Windows whose root mean square is lower are silent, after films are made equally loud."""

_BATCH_WINDOWS = 64


@dataclass(frozen=True, eq=False)
class WindowFeatures:
    """Features of windows.

    Attributes
    ----------
    sequences : float32 array (n, 21, 20)
        Mel-frequency cepstral coefficients (Davis and Mermelstein 1980) of dB levels, over time.
    """

    sequences: FloatArray

    def __len__(self) -> int:
        return len(self.sequences)

    @cached_property
    def summaries(self) -> FloatArray:
        """Of each coefficient: mean, standard deviation, and mean absolute change, (n, 60)."""
        steps = np.abs(np.diff(self.sequences, axis=1))
        parts = [self.sequences.mean(axis=1), self.sequences.std(axis=1), steps.mean(axis=1)]
        return np.concatenate(parts, axis=1)

    def select(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> WindowFeatures:
        """Return the features of some of the windows."""
        return WindowFeatures(self.sequences[which])


def join_features(parts: list[WindowFeatures]) -> WindowFeatures:
    """Return the features of all windows of several parts, in order."""
    empty = np.zeros((0, STEPS, COEFFICIENTS), np.float32)
    return WindowFeatures(np.concatenate([empty, *(part.sequences for part in parts)]))


def compute_features(
    samples: NDArray[np.float32], starts: NDArray[np.int64], sample_rate: int, gain_db: float
) -> tuple[WindowFeatures, NDArray[np.bool_]]:
    """Return the features of windows of a sound, and which windows are silent.

    Nothing outside a window changes its features.

    Parameters
    ----------
    samples : float32 array (samples,)
        Only what is in windows is read.
    starts : int64 array (n,)
        First samples of the windows.
    sample_rate : int
        In Hz.
    gain_db : float
        Gain that makes the sound as loud as others.
    """
    length, gain = window_samples(sample_rate), np.float32(10 ** (gain_db / 20))
    sequences = np.empty((len(starts), STEPS, COEFFICIENTS), np.float32)
    silent = np.zeros(len(starts), np.bool_)
    for first in range(0, len(starts), _BATCH_WINDOWS):
        batch = slice(first, first + _BATCH_WINDOWS)
        windows = np.stack([samples[start : start + length] for start in starts[batch]]) * gain
        power = np.mean(np.square(windows, dtype=np.float64), axis=1)
        silent[batch] = power < 10 ** (SILENCE_DBFS / 10)
        sequences[batch] = _cepstra(windows, sample_rate)
    return WindowFeatures(sequences), silent


def _cepstra(windows: FloatArray, sample_rate: int) -> FloatArray:
    """Return the coefficients of whole windows, (n, steps, coefficients)."""
    count, length = windows.shape
    hop = int(HOP_SECONDS * sample_rate)
    stft, centres = Stft(2 * hop, hop), hop * np.arange(1, SPECTRA + 1)
    offsets = length * np.arange(count)
    magnitudes = stft.magnitude(windows.ravel(), (offsets[:, None] + centres).ravel())
    power = np.square(magnitudes) @ _filterbank(2 * hop, sample_rate)
    levels = 10 * np.log10(power + 10 ** (FLOOR_DB / 10))
    steps = levels.reshape(count * STEPS, -1, BANDS).mean(axis=1)
    cepstra = mel_cepstrum(steps.astype(np.float64), COEFFICIENTS)
    return cepstra.reshape(count, STEPS, COEFFICIENTS).astype(np.float32)


@cache
def _filterbank(n_fft: int, sample_rate: int) -> NDArray[np.float32]:
    return mel_filterbank(BANDS, n_fft, sample_rate).astype(np.float32)
