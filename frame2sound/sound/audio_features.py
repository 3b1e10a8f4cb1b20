"""Features of a frame's sound, by which similar sounds are found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.stft import Stft

FloatArray = NDArray[np.float32]

FLOOR_DB = -100.0
"""Levels below, relative to a full-scale sine, are silence."""

BANDS_PER_OCTAVE = 12
"""Bands in an octave, at frequencies where bins are narrow enough."""

BLOCK_WINDOW_SHARE = 0.75
"""Length of each of the two windows on a block, as a share of the block."""


@dataclass(frozen=True)
class AudioFeatures:
    """Features of successive frames.

    Attributes
    ----------
    levels_db : float32 array (n, parts, bands)
        Level of each band of `semitone_filterbank` in each part of the frame; a full-scale sine has
        about 0 dB. Not below `FLOOR_DB`.
    loudness_db : float32 array (n,)
        Root mean square in dBFS; not below `FLOOR_DB`.
    spectral_centroid : float32 array (n,)
        Centroid of the power, in octaves above the lowest bin; 0 for silence.
    onset_strength_db : float32 array (n,)
        Mean increase of the bands since the frame before, over bands and parts.
    """

    levels_db: FloatArray
    loudness_db: FloatArray
    spectral_centroid: FloatArray
    onset_strength_db: FloatArray

    def __len__(self) -> int:
        return len(self.loudness_db)

    def clipped_to(self, ceiling: LevelCeiling) -> AudioFeatures:
        """Return the features with levels and loudness limited to a ceiling."""
        return replace(
            self,
            levels_db=np.minimum(self.levels_db, ceiling.levels_db),
            loudness_db=np.minimum(self.loudness_db, ceiling.loudness_db),
        )


@dataclass(frozen=True)
class LevelCeiling:
    """The highest level of each band, ``(bands,)``, and the highest loudness, of many frames."""

    levels_db: FloatArray
    loudness_db: float

    @classmethod
    def from_features(cls, features: AudioFeatures) -> LevelCeiling:
        """Return the ceiling of at least one frame."""
        return cls(features.levels_db.max(axis=(0, 1)), float(features.loudness_db.max()))

    @classmethod
    def maximum(cls, ceilings: list[LevelCeiling]) -> LevelCeiling:
        """Return the maximum of several ceilings."""
        levels = np.max([ceiling.levels_db for ceiling in ceilings], axis=0)
        return cls(levels, max(ceiling.loudness_db for ceiling in ceilings))


def features_from_magnitudes(
    magnitudes: NDArray[np.floating], previous_levels_db: FloatArray | None = None
) -> AudioFeatures:
    """Return the features of successive frames, from the magnitudes of their parts.

    Parameters
    ----------
    magnitudes : array of shape (n, parts, bins)
        From Hann windows; a full-scale sine has magnitude 1 at its bin.
    previous_levels_db : array of shape (parts, bands), optional
        The levels of the frame before the first; without it, the onset strength of the first is 0.

    Raises
    ------
    ValueError
        The magnitudes have another number of dimensions, or fewer than three bins.
    """
    if magnitudes.ndim != 3 or magnitudes.shape[2] < 3:
        raise ValueError(f"got magnitudes {magnitudes.shape}, expected (n, parts, bins from 3)")
    bins = magnitudes.shape[2]
    power = np.square(magnitudes, dtype=np.float32)
    levels = _decibels(power @ _semitone_filterbank(2 * (bins - 1)))
    power[..., 0] = 0
    whole = power.sum(axis=2)
    # A sine's power stands in three bins under a Hann window: 1.5 times the square of its peak.
    return AudioFeatures(
        levels_db=levels,
        loudness_db=_decibels(whole.mean(axis=1) / 3),
        spectral_centroid=_spectral_centroid(power.mean(axis=1)),
        onset_strength_db=_onset_strength_db(levels, previous_levels_db),
    )


def features_from_blocks(
    blocks: NDArray[np.floating], previous_levels_db: FloatArray | None = None
) -> AudioFeatures:
    """Return the features of successive frames, from blocks of their samples, ``(n, length)``.

    Each block has two parts: Hann windows of three quarters of its length, at its two ends.
    """
    length = 2 * int(blocks.shape[1] * BLOCK_WINDOW_SHARE / 2)
    n_fft = max(1 << (length - 1).bit_length(), 8)
    stft = Stft(n_fft, length // 2, window_length=length)
    begins = (0, blocks.shape[1] - length)
    window = stft.analysis_window / stft.amplitude_scale
    excerpts = np.zeros((len(blocks), len(begins), n_fft), np.float32)
    at = (n_fft - length) // 2
    for part, begin in enumerate(begins):
        excerpts[:, part, at : at + length] = blocks[:, begin : begin + length]
    magnitudes = np.abs(np.fft.rfft(excerpts * window.astype(np.float32)))
    # Zero padding repeats the power of the window in further bins.
    return features_from_magnitudes(magnitudes * np.sqrt(length / n_fft), previous_levels_db)


def semitone_filterbank(n_fft: int) -> NDArray[np.float64]:
    """Return weights that sum the power of bins into bands; shape ``(bins, bands)``.

    Triangles that add to one at every bin, a semitone wide where semitones are wider than bins,
    and a bin wide below. There, a tone between two bins shows in the ratio of both, so that
    semitones narrower than a bin can be distinguished. The bin at 0 Hz belongs to no band.
    """
    bins = np.arange(n_fft // 2 + 1, dtype=np.float64)
    turn = 1 / (
        2 ** (1 / BANDS_PER_OCTAVE) - 1
    )  # the bin above which a semitone is wider than a bin
    above = turn + BANDS_PER_OCTAVE * np.log2(np.maximum(bins, 1) / turn)
    place = np.where(bins < turn, bins, above) - 1
    bands = np.arange(int(place[-1]) + 1)
    weights = np.maximum(1 - np.abs(place.clip(0, bands[-1])[:, None] - bands), 0)
    weights[0] = 0
    return np.asarray(weights)


@cache
def _semitone_filterbank(n_fft: int) -> FloatArray:
    return semitone_filterbank(n_fft).astype(np.float32)


def _decibels(power: NDArray[np.floating]) -> FloatArray:
    faint = np.float32(10 ** (FLOOR_DB / 10))
    decibels = np.asarray(10 * np.log10(np.maximum(power, faint)), np.float32)
    return decibels.clip(FLOOR_DB)


def _spectral_centroid(power: FloatArray) -> FloatArray:
    bins = np.arange(power.shape[1], dtype=np.float32)
    centroid = power @ bins / np.maximum(power.sum(axis=1), np.float32(10 ** (FLOOR_DB / 10)))
    return np.asarray(np.log2(np.maximum(centroid, 1)), np.float32)


def _onset_strength_db(levels: FloatArray, previous_levels: FloatArray | None) -> FloatArray:
    first = levels[:1] if previous_levels is None else previous_levels[None]
    rise = np.maximum(np.diff(levels, axis=0, prepend=first), 0)
    return np.asarray(rise.mean(axis=(1, 2)), np.float32)
