"""Slower, faster, higher or lower: the Rubber Band library, piece after piece.

Pieces overlap. At a seam the coming piece is moved by up to 5 ms to where it is most like the one
that goes, and the two are crossed at constant power for what likeness they have.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.effects.host import ChunkIterator, Chunks, EffectContext, reblock
from frame2sound.sound.crossfade import crossfade

CHUNK_SECONDS = 8.0
MARGIN_SECONDS = 0.5
CROSSFADE_SECONDS = 0.03
MAX_SHIFT_SECONDS = 0.005


def stretch_and_shift(
    chunks: Chunks, context: EffectContext, ratio: float, semitones: float
) -> ChunkIterator:
    """Make sound ``ratio`` times as long and ``semitones`` higher.

    Of ``n`` samples it gives ``round(n * ratio)``. At 22050 Hz and above what sounds at ``t``
    seconds sounds at ``t * ratio`` within 20 ms: so much the library wanders, whose windows are
    longer still. Silence stays silent, but an event may be foreheard by as much.
    """
    from pedalboard import time_stretch

    core, margin = (round(s * context.sample_rate) for s in (CHUNK_SECONDS, MARGIN_SECONDS))
    seam, slack = (round(s * context.sample_rate) for s in (CROSSFADE_SECONDS, MAX_SHIFT_SECONDS))
    going: NDArray[np.float32] | None = None
    for start, count, piece in _overlapping_chunks(chunks, context.channels, core, margin):
        begin = round((start - margin) * ratio)
        first = round(start * ratio) - begin
        last = round((start + count) * ratio) - begin
        if piece.any():
            planes = np.ascontiguousarray(piece.T)
            long = time_stretch(planes, context.sample_rate, 1 / ratio, semitones).T
        else:
            long = np.zeros((last + seam, context.channels), np.float32)
        long = np.pad(long, ((0, max(last + seam + slack - len(long), 0)), (0, 0)))
        shift = 0
        if going is not None:
            shift = _best_offset(going, long[first - slack : first + slack + seam]) - slack
            place = slice(first + shift, first + shift + seam)
            long[place] = crossfade(going, long[place], silent_correlation=1)
        yield long[first + shift : last + shift]
        going = long[last + shift : last + shift + seam].copy()


def _overlapping_chunks(
    chunks: Chunks, channels: int, core: int, margin: int
) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Give where each core starts, how many samples it has, and it with a margin on both sides."""
    before = np.zeros((margin, channels), np.float32)
    now: NDArray[np.float32] | None = None
    start = 0
    for coming in reblock(chunks, core, channels):
        if now is not None:
            yield start, core, _with_margins(before, now, coming, margin)
            before, start = now[-margin:], start + core
        now = coming
    if now is not None:
        yield start, len(now), _with_margins(before, now, now[:0], margin)


def _with_margins(
    before: NDArray[np.float32],
    now: NDArray[np.float32],
    after: NDArray[np.float32],
    margin: int,
) -> NDArray[np.float32]:
    missing = margin - len(after[:margin])
    silence = np.zeros((missing, now.shape[1]), np.float32)
    return np.concatenate([before, now, after[:margin], silence])


def _best_offset(outgoing: NDArray[np.float32], incoming: NDArray[np.float32]) -> int:
    """Return where in ``coming`` the sound is most like ``going``; the middle for silence."""
    places = len(incoming) - len(outgoing) + 1
    middle = places // 2
    if not outgoing.any() or not incoming.any():
        return middle
    windows = np.lib.stride_tricks.sliding_window_view(incoming, len(outgoing), axis=0)
    products = np.einsum("pcs,sc->p", windows, outgoing)
    powers = np.einsum("pcs,pcs->p", windows, windows)
    likeness = products / np.sqrt(np.maximum(powers, 1e-20))
    return int(likeness.argmax()) if likeness.max() > 0 else middle
