"""The gain that brings a film's sound to the loudness that all films are learned at."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.config import Loudness
from frame2sound.library.analysis import analyse_whole_film
from frame2sound.library.calibration import is_calibration
from frame2sound.library.store import PickledFilm
from frame2sound.sound.loudness import ABSOLUTE_GATE_LUFS, MIN_SAMPLE_RATE, LoudnessMeter

TARGET_LUFS = -23.0
"""Integrated loudness of a film with its gain (EBU R 128)."""

MAX_GAIN_DB = 40.0
"""Highest gain: more would lift the noise of a nearly silent film."""

MAX_PEAK_DBFS = 6.0
"""A gain lifts no peak above this level: sparse clicks stay quieter than `TARGET_LUFS`."""

_CHUNK_SAMPLES = 1 << 20


def film_gain_db(film: PickledFilm) -> float:
    """Return the gain that brings a film's sound to -23 LUFS, in dB to two decimals.

    The loudness is that of the whole film, also if a view of its library hides a part of it. Below
    a sample rate of 4 kHz it is the gated RMS. A silent film and the calibration film have a gain
    of 0 dB.

    Raises
    ------
    LibraryError
        The film is damaged.
    """
    if is_calibration(film):
        return 0.0
    analysis = analyse_whole_film(film)
    return _gain_db(analysis.level_db, analysis.peak)


def film_gains_db(films: Iterable[PickledFilm], loudness: Loudness) -> list[float]:
    """Return the gain in dB with which each film is learned: 0 where it is learned as it is."""
    return [film_gain_db(film) if loudness == "equal" else 0.0 for film in films]


def sound_gain_db(samples: NDArray[np.floating], sample_rate: int) -> float:
    """Return the gain that `film_gain_db` returns for a film with this sound, ``(n,)``."""
    meter = LoudnessMeter(sample_rate, weighted=sample_rate >= MIN_SAMPLE_RATE)
    for first in range(0, len(samples), _CHUNK_SAMPLES):
        meter.update(np.asarray(samples[first : first + _CHUNK_SAMPLES], np.float32))
    peak = max(float(samples.max(initial=0)), -float(samples.min(initial=0)))
    return _gain_db(meter.integrated_lufs, peak)


def with_gain(samples: NDArray[np.float32], gain_db: float) -> NDArray[np.float32]:
    """Return samples with a gain; with 0 dB, the same array."""
    return samples * np.float32(10 ** (gain_db / 20)) if gain_db else samples


def _gain_db(level_db: float | None, peak: float) -> float:
    """Return the gain for a loudness, which is None or minus infinity for silence, and a peak."""
    if level_db is None or level_db < ABSOLUTE_GATE_LUFS:
        return 0.0
    room_db = max(MAX_PEAK_DBFS - 20 * math.log10(peak), 0.0)
    return round(min(TARGET_LUFS - level_db, MAX_GAIN_DB, room_db), 2)
