"""Tokens: short frames of sound, each the number of the spectrum in a codebook that is nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.mel_scale import mel_filterbank
from frame2sound.sound.stft import Stft

RATE = 22_050
"""Sample rate of the sound that tokens are made of, in Hz."""

HOP = 512
"""Samples of a token; there are 43.07 in a second."""

TOKENS_PER_SECOND = RATE / HOP

BANDS = 48

RANGE_DB = 60.0
"""Bands quieter than the loudest of all sound by more count as silent."""

SILENCE_DB = -90.0
"""Level of the loudest band, in dBFS, below which all of a sound is silence."""

MAX_CODES = 64

MAX_FITTED, ROUNDS = 20_000, 40
"""Most frames that a codebook is fitted to, and rounds of k-means."""

SAME_DB = 0.5
"""Frames whose bands differ by less on average are one code."""

FloatArray = NDArray[np.float32]
Tokens = NDArray[np.int64]

_STFT = Stft(1024, HOP)


def token_count(seconds: float) -> int:
    """Return the number of tokens in a time, at least one."""
    return max(round(seconds * TOKENS_PER_SECOND), 1)


def frame_levels(samples: NDArray[np.float32]) -> FloatArray:
    """Return the mel bands of successive frames in dBFS.

    Parameters
    ----------
    samples : float32 array (n,)
        Mono, at 22050 Hz.

    Returns
    -------
    float32 array (n // 512, 48)
        Frame ``i`` has the samples from ``512 i``, under a window of twice that length.
    """
    count = len(samples) // HOP
    centres = np.arange(count) * HOP + HOP // 2
    levels = np.empty((count, BANDS), np.float32)
    for first in range(0, count, 4096):
        batch = slice(first, first + 4096)
        power = np.square(_STFT.magnitude(samples, centres[batch]), dtype=np.float64)
        levels[batch] = 10 * np.log10(np.maximum(power @ _filterbank(), 1e-20))
    return levels


@dataclass(frozen=True)
class Codebook:
    """The spectra that tokens stand for.

    Attributes
    ----------
    centroids : float32 array (codes, 48)
        In dBFS, the silent one first if there is one.
    floor_db : float
        Bands that are quieter are raised to this level.
    """

    centroids: FloatArray
    floor_db: float

    def __len__(self) -> int:
        return len(self.centroids)

    def audible(self, levels: FloatArray) -> FloatArray:
        """Return levels that are not below the floor."""
        return np.maximum(levels, np.float32(self.floor_db))

    def encode(self, levels: FloatArray) -> Tokens:
        """Return the number of the nearest code of each frame, ``(n,)``."""
        return _nearest(self.audible(levels), self.centroids)

    @property
    def distances(self) -> FloatArray:
        """The root mean square of the differences of all pairs of codes, in dB."""
        return np.asarray(np.sqrt(_squared_distances(self.centroids, self.centroids) / BANDS))

    @property
    def is_silent(self) -> NDArray[np.bool_]:
        """Whether no band of a code is more than 1 dB above the floor, ``(codes,)``."""
        return np.asarray(self.centroids.max(axis=1) < self.floor_db + 1)


def fit_codebook(levels: Sequence[FloatArray], codes: int = MAX_CODES, seed: int = 0) -> Codebook:
    """Return a codebook by k-means (Lloyd 1982) from k-means++ (Arthur and Vassilvitskii 2007).

    Parameters
    ----------
    levels : sequence of float32 arrays (n, 48)
        Of the part to learn from alone.
    codes : int
        There are fewer if not so many frames differ.

    Raises
    ------
    ValueError
        There is no frame, or all are silent.
    """
    frames = np.concatenate(levels) if levels else np.zeros((0, BANDS), np.float32)
    if not len(frames) or float(frames.max()) < SILENCE_DB:
        raise ValueError("the sound is silent")
    floor_db = float(frames.max()) - RANGE_DB
    if len(frames) > MAX_FITTED:
        frames = frames[np.linspace(0, len(frames) - 1, MAX_FITTED).round().astype(int)]
    frames = np.maximum(frames, np.float32(floor_db))
    centroids = _first_centroids(frames, codes, np.random.default_rng(seed))
    for _ in range(ROUNDS):
        nearest = _nearest(frames, centroids)
        moved = _means(frames, nearest, centroids)
        if np.array_equal(moved, centroids):
            break
        centroids = moved
    order = np.argsort(centroids.max(axis=1) >= floor_db + 1, kind="stable")
    return Codebook(centroids[order], floor_db)


def _first_centroids(frames: FloatArray, codes: int, rng: np.random.Generator) -> FloatArray:
    chosen = [frames[int(rng.integers(len(frames)))]]
    squared = _squared_distances(frames, chosen[0][None])[:, 0]
    while len(chosen) < codes and float(squared.max()) > BANDS * SAME_DB**2:
        chosen.append(frames[int(rng.choice(len(frames), p=squared / squared.sum()))])
        squared = np.minimum(squared, _squared_distances(frames, chosen[-1][None])[:, 0])
    return np.stack(chosen)


def _means(frames: FloatArray, nearest: Tokens, centroids: FloatArray) -> FloatArray:
    """Return the mean of the frames of each code; a code without frames stays where it is."""
    counts = np.bincount(nearest, minlength=len(centroids))
    sums = np.zeros(centroids.shape)
    np.add.at(sums, nearest, frames)
    means = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centroids)
    return means.astype(np.float32)


def _nearest(frames: FloatArray, centroids: FloatArray) -> Tokens:
    nearest = np.empty(len(frames), np.int64)
    for first in range(0, len(frames), 8192):
        batch = slice(first, first + 8192)
        nearest[batch] = _squared_distances(frames[batch], centroids).argmin(axis=1)
    return nearest


def _squared_distances(first: FloatArray, second: FloatArray) -> FloatArray:
    one, other = first.astype(np.float64), second.astype(np.float64)
    norms = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)
    return np.asarray(np.maximum(norms - 2 * one @ other.T, 0), np.float32)


@cache
def _filterbank() -> NDArray[np.float64]:
    return mel_filterbank(BANDS, _STFT.n_fft, RATE)
