"""How much of a sound is copied from others, measured on the sound itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from frame2sound.dreaming.tokens import RATE

REDUCTION, PHASES = 8, 4
"""Sounds are compared at 22050 / 8 Hz, the films at four offsets of two samples before that."""

BLOCK_SECONDS, STEP_SECONDS = 1.0, 0.5
"""Length of the blocks that are looked for, and time from one to the next."""

MIN_CORRELATION = 0.9
"""Correlation at one offset from which a block is a copy; its level does not matter."""

SILENCE = 1e-4
"""Sound whose root mean square is lower is silent."""

LEVEL_SECONDS = 0.1
"""Time over which levels are made equal, so that one loud event alone makes no copy."""

MIN_SPAN = 0.6
"""Share of a block from its first to its last sound, below which it is one event, and no copy."""

_TRANSFORM = 1 << 17

FloatArray = NDArray[np.float64]


def copied_share(sound: NDArray[np.floating], films: Sequence[NDArray[np.floating]]) -> float:
    """Return the share of a sound that is copied from films, a second or more at a time.

    Blocks of a second are correlated with the films' sound at all offsets, with the level of each
    frequency raised by 6 dB an octave, so that bass alone makes no copy, and levels made equal over
    time. A block of noise correlates by about 0.1.

    Parameters
    ----------
    sound : float array (n,)
        Mono, at 22050 Hz.
    films : sequence of float arrays (n,)

    Returns
    -------
    float
        0 to 1, of the seconds that have sound for more than a moment; 0 if none have.
    """
    length = round(BLOCK_SECONDS * RATE / REDUCTION)
    step = round(STEP_SECONDS * RATE / REDUCTION)
    reduced = _reduce(sound)
    if len(reduced) < length:
        return 0.0
    starts = np.unique([*range(0, len(reduced) - length, step), len(reduced) - length])
    blocks = np.stack([reduced[start : start + length] for start in starts])
    energies = (blocks**2).sum(axis=1)
    loud = (energies > 0) & (_spans(blocks) >= MIN_SPAN)
    best = np.zeros(len(blocks))
    shifts = range(0, REDUCTION, REDUCTION // PHASES)
    for part in (_reduce(film[shift:]) for film in films for shift in shifts):
        best[loud] = np.maximum(best[loud], _best_correlations(blocks[loud], part))
    sounding, copied = np.zeros(len(reduced), np.bool_), np.zeros(len(reduced), np.bool_)
    for start, is_loud, correlation in zip(starts, loud, best, strict=True):
        sounding[start : start + length] |= is_loud
        copied[start : start + length] |= correlation >= MIN_CORRELATION
    return float(copied.sum() / sounding.sum()) if sounding.any() else 0.0


def _reduce(sound: NDArray[np.floating]) -> FloatArray:
    """Return a sound at the lower rate, differentiated, its levels equal; silence is 0."""
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import resample_poly

    steep = np.diff(resample_poly(sound.astype(np.float64), 1, REDUCTION), prepend=0)
    power = uniform_filter1d(steep**2, round(LEVEL_SECONDS * RATE / REDUCTION), mode="constant")
    level = np.sqrt(np.maximum(power, 0))
    return np.where(level > SILENCE, steep / np.maximum(level, SILENCE), 0)


def _spans(blocks: FloatArray) -> FloatArray:
    """Return the share of each block from its first to its last sound."""
    sounds = blocks != 0
    length = blocks.shape[1]
    first, last = sounds.argmax(axis=1), length - sounds[:, ::-1].argmax(axis=1)
    return np.where(sounds.any(axis=1), (last - first) / length, 0.0)


def _best_correlations(blocks: FloatArray, film: FloatArray) -> FloatArray:
    """Return the highest correlation of each block at any offset in a film, ``(n,)``."""
    from scipy.fft import irfft, rfft

    length = blocks.shape[1]
    if len(film) < length:
        film = np.pad(film, (0, length - len(film)))
    size = min(_TRANSFORM, 1 << (len(film) + length).bit_length())
    spectra = np.conj(rfft(blocks, size, axis=1))
    norms = np.sqrt((blocks**2).sum(axis=1))
    best, step = np.zeros(len(blocks)), size - length + 1
    for first in range(0, len(film) - length + 1, step):
        part = film[first : first + size]
        offsets = min(step, len(film) - length + 1 - first)
        sums = np.concatenate([[0], np.cumsum(part**2)])
        energy = sums[length : length + offsets] - sums[:offsets]
        floor = 0.1 * length  # of a part that is silent for nine tenths
        scale = np.where(energy > floor, 1 / np.sqrt(np.maximum(energy, floor)), 0)
        spectrum = rfft(part, size)
        for number, block in enumerate(spectra):
            products = irfft(spectrum * block, size)[:offsets] * scale
            best[number] = max(best[number], float(products.max()) / norms[number])
    return best
