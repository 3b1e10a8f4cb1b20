"""How much of a sound has come back, measured part by part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from frame2sound.carriers.page_writer import SoundReader, analyse, column_count
from frame2sound.carriers.sound_input import SoundInput
from frame2sound.sound.stft import Stft

N_FFT, HOP = 1024, 256

BATCH_WINDOWS = 512

AUDIBLE_RANGE_DB = 60.0
"""Cells that are fainter than the loudest by more do not count in the log-spectral distance."""


@dataclass(frozen=True)
class Survival:
    """What has survived of a sound.

    Attributes
    ----------
    snr_db : float
        Energy of the sound over that of its difference from what came back; infinite if they are
        equal.
    convergence_db : float
        Norm of the difference of magnitudes over that of the magnitudes (Sturmel and Daudet 2011).
    distance_db : float
        Root mean square of the difference of levels, over cells within 60 dB of the loudest.
    """

    snr_db: float
    convergence_db: float
    distance_db: float


def measure_survival(sound: SoundInput, again: SoundInput, loudest_db: float) -> Survival:
    """Compare a sound with what came back of it; what lacks at the end is silent.

    Parameters
    ----------
    sound, again : SoundInput
        At one sample rate, with as many channels.
    loudest_db : float
        The highest magnitude of the sound, in dB of a sine of amplitude 1.
    """
    stft, total = Stft(N_FFT, HOP), 0
    readers = [SoundReader(each.blocks(), each.channels) for each in (sound, again)]
    whole = [SoundReader(each.blocks(), each.channels) for each in (sound, again)]
    energy = error = magnitude = missed = distance = 0.0
    floor = 10 ** ((loudest_db - AUDIBLE_RANGE_DB) / 20)
    windows = column_count(sound.samples, stft)
    for first in range(0, windows, BATCH_WINDOWS):
        end = min(first + BATCH_WINDOWS, windows)
        one, other = (reader.read(first * HOP, end * HOP).astype(np.float64) for reader in whole)
        energy += float(np.sum(one**2))
        error += float(np.sum((one - other) ** 2))
        wanted, got = (np.abs(analyse(reader, stft, first, end)) for reader in readers)
        magnitude += float(np.sum(wanted**2))
        missed += float(np.sum((got - wanted) ** 2))
        loud = wanted > floor
        levels = 20 * np.log10(np.maximum(got[loud], floor / 1000) / wanted[loud])
        distance += float(np.sum(levels**2))
        total += int(loud.sum())
    return Survival(
        _ratio_db(energy, error),
        -_ratio_db(magnitude, missed),
        float(np.sqrt(distance / max(total, 1))),
    )


def _ratio_db(over: float, under: float) -> float:
    if under <= 0:
        return float("inf")
    return float(10 * np.log10(max(over, 1e-30) / under))
