"""Onsets of a sound: when its events begin, and how loud they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.spectral_flux import pick_onset_hops, spectral_flux

Samples = NDArray[np.floating]
FloatArray = NDArray[np.float64]

LEVEL_WINDOW_SECONDS, ATTACK_SECONDS = 0.02, 0.1
"""An event's level is that of its loudest 20 ms within 100 ms after its onset."""

SILENCE_DB = -120.0
"""The level of digital silence, in dBFS."""


def detect_onsets(samples: Samples, sample_rate: int) -> FloatArray:
    """Return the onsets of a sound in seconds, ascending.

    They are the peaks of the spectral flux of log band powers (see `spectral_flux` and
    `pick_onset_hops`). The threshold is absolute: steady noise and sound below -60 dBFS have no
    onsets.

    Parameters
    ----------
    samples : array of shape (samples,)
    sample_rate : int
        In Hz.

    Returns
    -------
    array of shape (onsets,)
        More than 30 ms apart.
    """
    flux = spectral_flux(samples, sample_rate)
    return pick_onset_hops(flux).astype(np.float64) * flux.hop_seconds


def onset_levels_db(samples: Samples, sample_rate: int, onsets: FloatArray) -> FloatArray:
    """Return the level of each event: the RMS of its loudest 20 ms, in dBFS, at least -120.

    Only the `ATTACK_SECONDS` after an onset are searched, or less where the next onset or the end
    of the sound comes first; the search is never shorter than one window.

    Parameters
    ----------
    samples : array of shape (samples,)
    sample_rate : int
        In Hz.
    onsets : array of shape (onsets,)
        In seconds, ascending.

    Returns
    -------
    array of shape (onsets,)
    """
    window = max(round(LEVEL_WINDOW_SECONDS * sample_rate), 1)
    attack = round(ATTACK_SECONDS * sample_rate)
    starts = np.round(np.asarray(onsets, np.float64) * sample_rate).astype(np.int64)
    ends = np.minimum(starts + attack, np.append(starts[1:], len(samples)))
    levels = np.full(len(starts), SILENCE_DB)
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        part = np.asarray(samples[start : max(end, start + window)], np.float64)
        sums = np.cumsum(np.concatenate([[0.0], part**2]))
        length = min(window, len(part))
        if length:
            power = (sums[length:] - sums[:-length]).max() / window
            levels[number] = max(10 * np.log10(max(power, 1e-12)), SILENCE_DB)
    return levels
