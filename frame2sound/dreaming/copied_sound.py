"""How much of a sound is copied from others, measured on the sound itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from frame2sound.dreaming.tokens import RATE
from frame2sound.progress import ProgressCallback, ignore_progress

REDUCTION = 8
"""Sounds are compared at 22050 / 8 Hz, the films at each of the eight offsets before that."""

BLOCK_SECONDS, STEP_SECONDS = 1.0, 0.1
"""Length of the blocks that may be copies, and time from one to the next."""

ANCHOR_SECONDS, MIN_ANCHOR = 0.5, 0.8
"""Length of what is looked for at all offsets, without gaps: each second has a whole one.

Seconds around it are compared where it correlates by this.
"""

MIN_CORRELATION = 0.9
"""Correlation at one offset from which a block is a copy; its level does not matter."""

SILENCE = 1e-4
"""Sound whose root mean square is lower is silent."""

LEVEL_SECONDS, QUIET = 0.1, 0.4
"""Time over which levels are made equal, so that one loud event alone makes no copy.

What is quieter than this share of the whole sound's root mean square is left as quiet, so that
added noise does not hide a copy.
"""

MIN_SPAN = 0.6
"""Share of a block from its first to its last sound, below which it is one event, and no copy."""

PLACES, NEAR = 4, 20
"""Places of a film that are compared for each anchor, and how far apart they are, in samples."""

LEAST_ENERGY = 0.1
"""Of a block, as a share of what it has if all of it sounds; fainter blocks are not judged.

Half of it is enough for the part of a film that a block is compared with.
"""

BATCH = 64
"""Anchors whose spectra are in memory at a time: 64 of them take 67 MB."""

_TRANSFORM = 1 << 17

FloatArray = NDArray[np.float64]


def copied_share(
    sound: NDArray[np.floating],
    films: Sequence[NDArray[np.floating]],
    on_progress: ProgressCallback = ignore_progress,
) -> float:
    """Return the share of a sound that is copied from films, a second or more at a time.

    Half seconds are correlated with the films' sound at all offsets, and the seconds around them at
    those offsets where they are alike, with the level of each
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
    length, anchor, step = (
        round(seconds * RATE / REDUCTION)
        for seconds in (BLOCK_SECONDS, ANCHOR_SECONDS, STEP_SECONDS)
    )
    reduced = _reduce(sound)
    if len(reduced) < length:
        return 0.0
    starts = np.unique([*range(0, len(reduced) - length, step), len(reduced) - length])
    blocks = np.lib.stride_tricks.sliding_window_view(reduced, length)
    loud = np.array([_is_loud(blocks[start]) for start in starts])
    best = np.zeros(len(starts))
    anchors = np.arange(0, len(reduced) - anchor + 1, anchor)
    pieces = np.stack([reduced[at : at + anchor] for at in anchors])
    sounding = (pieces**2).sum(axis=1) > 0
    anchors, pieces = anchors[sounding], pieces[sounding]
    batches = [slice(first, first + BATCH) for first in range(0, len(pieces), BATCH)]
    parts = (_reduce(film[shift:]) for film in films for shift in range(REDUCTION))
    steps = ((part, batch) for part in parts for batch in batches)
    for done, (part, batch) in enumerate(steps):
        for number, place in _find(pieces[batch], part):
            begin = int(anchors[batch][number])
            after = starts - begin
            around = np.flatnonzero(loud & (after <= 0) & (after >= anchor - length))
            for at in around.tolist():
                best[at] = max(
                    best[at], _correlation(blocks[starts[at]], part, starts[at] + place - begin)
                )
        on_progress("copies", done + 1, len(films) * REDUCTION * len(batches), "")
    heard, copied = np.zeros(len(reduced), np.bool_), np.zeros(len(reduced), np.bool_)
    for start, is_loud, correlation in zip(starts, loud, best, strict=True):
        heard[start : start + length] |= is_loud
        copied[start : start + length] |= correlation >= MIN_CORRELATION
    return float(copied.sum() / heard.sum()) if heard.any() else 0.0


def _reduce(sound: NDArray[np.floating]) -> FloatArray:
    """Return a sound at the lower rate, differentiated, its levels equal; silence is 0."""
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import resample_poly

    steep = np.diff(resample_poly(sound.astype(np.float64), 1, REDUCTION), prepend=0)
    power = uniform_filter1d(steep**2, round(LEVEL_SECONDS * RATE / REDUCTION), mode="constant")
    level = np.sqrt(np.maximum(power, 0))
    floor = max(SILENCE, QUIET * float(np.sqrt((steep**2).mean())) if len(steep) else 0.0)
    return np.where(level > SILENCE, steep / np.maximum(level, floor), 0)


def _is_loud(block: FloatArray) -> bool:
    """Whether a block sounds enough, and for long enough, to be a copy or none."""
    return _span(block) >= MIN_SPAN and float(block @ block) > LEAST_ENERGY * len(block)


def _span(block: FloatArray) -> float:
    """Return the share of a block from its first to its last sound."""
    sounds = np.flatnonzero(block)
    return float((sounds[-1] - sounds[0] + 1) / len(block)) if len(sounds) else 0.0


def _correlation(block: FloatArray, film: FloatArray, place: int) -> float:
    """Return that of a block with a film's sound at one place; 0 where the film has none."""
    part = film[max(place, 0) : place + len(block)]
    if len(part) < len(block):
        return 0.0
    energy = float((part**2).sum())
    least = LEAST_ENERGY / 2 * len(block)
    return float(part @ block / np.sqrt((block @ block) * energy)) if energy > least else 0.0


def _find(pieces: FloatArray, film: FloatArray) -> Iterator[tuple[int, int]]:
    """Yield the number of each piece, and places in a film where it may be a copy."""
    from scipy.fft import irfft, rfft

    length = pieces.shape[1]
    size = min(_TRANSFORM, 1 << (len(film) + length).bit_length())
    spectra = rfft(pieces, size, axis=1)
    np.conj(spectra, out=spectra)
    norms = np.sqrt((pieces**2).sum(axis=1))
    step = size - length + 1
    for first in range(0, len(film) - length + 1, step):
        part = film[first : first + size]
        offsets = min(step, len(film) - length + 1 - first)
        sums = np.concatenate([[0], np.cumsum(part**2)])
        energy = sums[length : length + offsets] - sums[:offsets]
        scale = np.where(energy > 0, 1 / np.sqrt(np.maximum(energy, 1e-9)), 0)
        spectrum = rfft(part, size)
        for number, each in enumerate(spectra):
            products = irfft(spectrum * each, size)[:offsets] * scale
            for _ in range(PLACES):
                place = int(products.argmax())
                if products[place] < MIN_ANCHOR * norms[number]:
                    break
                yield number, first + place
                products[max(place - NEAR, 0) : place + NEAR + 1] = 0
