"""Chroma: how strong each of the twelve pitch classes is, in whichever octave."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.scale import CONCERT_PITCH_HZ

FloatArray = NDArray[np.float64]

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
"""Class 0 is C, class 9 is A."""

_CENTRE_OCTAVE, _OCTAVE_WIDTH = 5.0, 2.0  # above A0: A5, 880 Hz; standard deviation
_CLASSES = len(PITCH_CLASSES)


def chroma(powers: FloatArray, sample_rate: int) -> FloatArray:
    """Return the power of each pitch class, relative to the strongest; silence has zeros.

    Parameters
    ----------
    powers : array of shape (n, bins)
    sample_rate : int
        In Hz.

    Returns
    -------
    array of shape (n, 12)
        From 0 to 1; see `PITCH_CLASSES`.
    """
    raw = powers @ chroma_filterbank(2 * (powers.shape[1] - 1), sample_rate)
    most = raw.max(axis=1, keepdims=True)
    relative: FloatArray = raw / np.where(most > np.finfo(np.float32).tiny, most, 1)
    return relative


@cache
def chroma_filterbank(n_fft: int, sample_rate: int) -> FloatArray:
    """Return the weights of bins in the twelve classes, A4 at 440 Hz; shape ``(bins, 12)``.

    A bin has a Gaussian of half its own width, but of half a semitone at least, around its place on
    the circle of classes, scaled to norm 1; all are weighted by a Gaussian of two octaves around
    880 Hz (Ellis, "Chroma feature analysis and synthesis", 2007).
    """
    hz = np.arange(1, n_fft) * sample_rate / n_fft
    place = _CLASSES * np.log2(hz / (CONCERT_PITCH_HZ / 16))
    place = np.concatenate([[place[0] - 1.5 * _CLASSES], place])
    width = np.append(np.maximum(np.diff(place), 1), 1)[:, None]
    half = _CLASSES // 2
    distance = (place[:, None] - np.arange(_CLASSES) + half) % _CLASSES - half
    weights = np.exp(-0.5 * (2 * distance / width) ** 2)
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    octave = place[:, None] / _CLASSES
    weights *= np.exp(-0.5 * ((octave - _CENTRE_OCTAVE) / _OCTAVE_WIDTH) ** 2)
    from_c = np.roll(weights, -PITCH_CLASSES.index("D#"), axis=1)
    return np.asarray(from_c[: n_fft // 2 + 1])
