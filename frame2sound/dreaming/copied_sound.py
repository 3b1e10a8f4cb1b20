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
"""Blocks whose root mean square is lower are silent, and are no copies."""

_TRANSFORM = 1 << 17

FloatArray = NDArray[np.float64]


def copied_share(sound: NDArray[np.floating], films: Sequence[NDArray[np.floating]]) -> float:
    """Return the share of a sound that is copied from films, a second or more at a time.

    Blocks of a second are correlated with the films' sound at all offsets, with the level of each
    frequency raised by 6 dB an octave, so that bass alone makes no copy. A block of noise
    correlates by about 0.1.

    Parameters
    ----------
    sound : float array (n,)
        Mono, at 22050 Hz.
    films : sequence of float arrays (n,)

    Returns
    -------
    float
        0 to 1, of what is not silent; 0 if all is silent.
    """
    length = round(BLOCK_SECONDS * RATE / REDUCTION)
    step = round(STEP_SECONDS * RATE / REDUCTION)
    reduced = _reduce(sound)
    if len(reduced) < length:
        return 0.0
    starts = np.unique([*range(0, len(reduced) - length, step), len(reduced) - length])
    blocks = np.stack([reduced[start : start + length] for start in starts])
    energies = (blocks**2).sum(axis=1)
    loud = energies > length * SILENCE**2
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
    """Return a sound at the lower rate, differentiated."""
    from scipy.signal import resample_poly

    return np.diff(resample_poly(sound.astype(np.float64), 1, REDUCTION), prepend=0)


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
        floor = length * SILENCE**2
        scale = np.where(energy > floor, 1 / np.sqrt(np.maximum(energy, floor)), 0)
        spectrum = rfft(part, size)
        for number, block in enumerate(spectra):
            products = irfft(spectrum * block, size)[:offsets] * scale
            best[number] = max(best[number], float(products.max()) / norms[number])
    return best
