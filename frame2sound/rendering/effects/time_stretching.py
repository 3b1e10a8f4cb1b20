"""Time-stretching and pitch-shifting with the Rubber Band library, in chunks.

Chunks overlap. At a seam the next chunk is shifted by up to 5 ms to where it correlates best with
the one before, and the two are crossfaded.
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
    """Yield the sound, ``ratio`` times as long and ``semitones`` higher.

    ``n`` samples become ``round(n * ratio)``. At 22050 Hz and above, an event at ``t`` seconds
    moves to ``t * ratio`` within 20 ms, the accuracy of the library. Silence stays silent, but an
    event may spread into it by as much.
    """
    from pedalboard import time_stretch

    core, margin = (round(s * context.sample_rate) for s in (CHUNK_SECONDS, MARGIN_SECONDS))
    seam, slack = (round(s * context.sample_rate) for s in (CROSSFADE_SECONDS, MAX_SHIFT_SECONDS))
    outgoing_tail: NDArray[np.float32] | None = None
    for start, count, piece in _overlapping_chunks(chunks, context.channels, core, margin):
        begin = round((start - margin) * ratio)
        first = round(start * ratio) - begin
        last = round((start + count) * ratio) - begin
        if piece.any():
            planes = np.ascontiguousarray(piece.T)
            stretched = time_stretch(planes, context.sample_rate, 1 / ratio, semitones).T
        else:
            stretched = np.zeros((last + seam, context.channels), np.float32)
        stretched = np.pad(stretched, ((0, max(last + seam + slack - len(stretched), 0)), (0, 0)))
        shift = 0
        if outgoing_tail is not None:
            shift = (
                _best_offset(outgoing_tail, stretched[first - slack : first + slack + seam]) - slack
            )
            place = slice(first + shift, first + shift + seam)
            stretched[place] = crossfade(outgoing_tail, stretched[place], silent_correlation=1)
        yield stretched[first + shift : last + shift]
        outgoing_tail = stretched[last + shift : last + shift + seam].copy()


def _overlapping_chunks(
    chunks: Chunks, channels: int, core: int, margin: int
) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Yield the start and length of each core, and its samples with a margin on both sides."""
    before = np.zeros((margin, channels), np.float32)
    current: NDArray[np.float32] | None = None
    start = 0
    for following in reblock(chunks, core, channels):
        if current is not None:
            yield start, core, _with_margins(before, current, following, margin)
            before, start = current[-margin:], start + core
        current = following
    if current is not None:
        yield start, len(current), _with_margins(before, current, current[:0], margin)


def _with_margins(
    before: NDArray[np.float32],
    current: NDArray[np.float32],
    after: NDArray[np.float32],
    margin: int,
) -> NDArray[np.float32]:
    missing = margin - len(after[:margin])
    silence = np.zeros((missing, current.shape[1]), np.float32)
    return np.concatenate([before, current, after[:margin], silence])


def _best_offset(outgoing: NDArray[np.float32], incoming: NDArray[np.float32]) -> int:
    """Return the offset at which ``incoming`` correlates best with ``outgoing``.

    Where one is silent, or no correlation is positive, it is the middle.
    """
    places = len(incoming) - len(outgoing) + 1
    middle = places // 2
    if not outgoing.any() or not incoming.any():
        return middle
    windows = np.lib.stride_tricks.sliding_window_view(incoming, len(outgoing), axis=0)
    products = np.einsum("pcs,sc->p", windows, outgoing)
    powers = np.einsum("pcs,pcs->p", windows, windows)
    correlations = products / np.sqrt(np.maximum(powers, 1e-20))
    return int(correlations.argmax()) if correlations.max() > 0 else middle
