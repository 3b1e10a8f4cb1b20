"""Spectral flux, and onsets picked from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SILENCE_AMPLITUDE = 1e-3
"""A window whose samples all stay below this, -60 dBFS, is silent."""

WINDOW_SECONDS, HOP_SECONDS = 0.02, 0.004

_BANDS, _FLOOR = 40, 1e-9  # number of bands; power below which a band is silent
_RISE_DB = 2.0  # height of an onset above its surroundings, which noise seldom reaches
_MIN_GAP_SECONDS, _MEAN_SECONDS = 0.03, 0.1


@dataclass(frozen=True)
class SpectralFlux:
    """Change of band levels and of power, hop by hop.

    Value ``i`` is the change when samples ``i * hop`` to ``(i + 1) * hop`` enter the window.

    Attributes
    ----------
    rise_db : array of shape (hops,)
        Mean rise of 40 geometric bands in dB, each relative to the loudest of itself and its
        neighbours two hops before: the maximum filter of Böck and Widmer ("Maximum filter vibrato
        suppression for onset detection", DAFx 2013).
    power : array of shape (hops,)
        Rise of power since the hop before, in linear units, at least 0.
    hop_samples : int
        About 4 ms.
    sample_rate : int
        In Hz.
    """

    rise_db: NDArray[np.float64]
    power: NDArray[np.float64]
    hop_samples: int
    sample_rate: int

    @property
    def hop_seconds(self) -> float:
        """Length of a hop, which is a whole number of samples."""
        return self.hop_samples / self.sample_rate


def spectral_flux(
    samples: NDArray[np.floating], sample_rate: int, block_hops: int = 512
) -> SpectralFlux:
    """Return the spectral flux of a sound, with Hann windows of 20 ms.

    Silence is assumed before the first sample, so a sound that starts at once rises at hop 0.

    Parameters
    ----------
    samples : array of shape (samples,)
        Full scale is 1.0.
    block_hops : int
        Hops in memory at once; the result does not depend on it.
    """
    hop = round(HOP_SECONDS * sample_rate)
    rises, gains = [np.zeros(0)], [np.zeros(0)]
    for levels, power in _band_levels(
        samples, hop, 2 * round(WINDOW_SECONDS / 2 * sample_rate), block_hops
    ):
        wide = np.pad(levels[:-2], ((0, 0), (1, 1)), mode="edge")
        before = np.maximum(np.maximum(wide[:, :-2], wide[:, 1:-1]), wide[:, 2:])
        rises.append(np.maximum(levels[2:] - before, 0.0).mean(axis=1))
        gains.append(np.maximum(np.diff(power[1:]), 0.0))
    return SpectralFlux(np.concatenate(rises), np.concatenate(gains), hop, sample_rate)


def pick_onset_hops(flux: SpectralFlux) -> NDArray[np.int64]:
    """Return the hops of the onsets, ascending, more than 30 ms apart: see `onset_peaks`."""
    gap = round(_MIN_GAP_SECONDS / HOP_SECONDS)
    picked: list[int] = []
    for hop in np.flatnonzero(onset_peaks(flux.rise_db)).tolist():
        if not picked or hop - picked[-1] > gap:
            picked.append(hop)
    return np.array(picked, dtype=np.int64)


def onset_peaks(rise_db: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return at which hops an onset may be, given the rises of `SpectralFlux`; shape ``(hops,)``.

    The rise is the highest of the last 30 ms and 2 dB above the mean of the 100 ms on either side:
    the peak picking of Böck, Krebs and Schedl ("Evaluating the online capabilities of onset
    detection methods", ISMIR 2012), as in librosa, without normalisation.
    """
    gap, around = (round(seconds / HOP_SECONDS) for seconds in (_MIN_GAP_SECONDS, _MEAN_SECONDS))
    if not len(rise_db):
        return np.zeros(0, dtype=bool)
    recent = np.lib.stride_tricks.sliding_window_view(np.pad(rise_db, (gap, 0)), gap + 1)
    ones = np.ones(2 * around + 1)
    total, count = (
        np.convolve(np.pad(part, around), ones, mode="valid")
        for part in (rise_db, np.ones(len(rise_db)))
    )
    peaks: NDArray[np.bool_] = (rise_db >= recent.max(axis=1)) & (
        rise_db >= total / count + _RISE_DB
    )
    return peaks


def _band_levels(
    samples: NDArray[np.floating], hop: int, length: int, block: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Yield band levels in dB, and powers, of Hann windows that end a hop apart, block by block.

    Each block begins with the last two windows of the block before, the first block with silence.
    """
    window = np.hanning(length + 1)[:-1]
    bands = np.unique(np.geomspace(1, length // 2 + 1, _BANDS + 1).astype(int))[:-1]
    count = len(samples) // hop
    for first in range(0, count, block):
        start, stop = (first - 1) * hop - length, min(first + block, count) * hop
        padded = np.zeros(stop - start)
        part = samples[max(start, 0) : stop]
        padded[max(-start, 0) :][: len(part)] = part
        excerpts = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]
        sounds = ~(np.abs(excerpts).max(1) < SILENCE_AMPLITUDE)
        powers = np.zeros((len(excerpts), length // 2 + 1))
        powers[sounds] = np.abs(np.fft.rfft(excerpts[sounds] * window)) ** 2
        powers *= 2 / length / np.sum(window**2)
        levels = np.add.reduceat(powers, bands, axis=1)
        yield 10 * np.log10(np.maximum(levels, _FLOOR)), levels.sum(1)
