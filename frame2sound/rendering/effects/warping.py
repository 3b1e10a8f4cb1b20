"""Slower, faster, higher or lower: the Rubber Band library, piece after piece.

Pieces overlap. At a seam the coming piece is moved by up to 5 ms to where it is most like the one
that goes, and the two are crossed at constant power for what likeness they have.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.effects.playing import Chunks, Room, Sounds, blocks
from frame2sound.sound.windows import rising

PIECE_SECONDS = 8.0
MARGIN_SECONDS = 0.5
SEAM_SECONDS = 0.03
SLACK_SECONDS = 0.005


def warped(chunks: Chunks, room: Room, ratio: float, semitones: float) -> Sounds:
    """Make sound ``ratio`` times as long and ``semitones`` higher.

    Of ``n`` samples it gives ``round(n * ratio)``. At 22050 Hz and above what sounds at ``t``
    seconds sounds at ``t * ratio`` within 20 ms: so much the library wanders, whose windows are
    longer still. Silence stays silent, but an event may be foreheard by as much.
    """
    from pedalboard import time_stretch

    core, margin = (round(s * room.sample_rate) for s in (PIECE_SECONDS, MARGIN_SECONDS))
    seam, slack = (round(s * room.sample_rate) for s in (SEAM_SECONDS, SLACK_SECONDS))
    going: NDArray[np.float32] | None = None
    for start, count, piece in _pieces(chunks, room.channels, core, margin):
        begin = round((start - margin) * ratio)
        first = round(start * ratio) - begin
        last = round((start + count) * ratio) - begin
        if piece.any():
            planes = np.ascontiguousarray(piece.T)
            long = time_stretch(planes, room.sample_rate, 1 / ratio, semitones).T
        else:
            long = np.zeros((last + seam, room.channels), np.float32)
        long = np.pad(long, ((0, max(last + seam + slack - len(long), 0)), (0, 0)))
        shift = 0
        if going is not None:
            shift = _likest(going, long[first - slack : first + slack + seam]) - slack
            place = slice(first + shift, first + shift + seam)
            long[place] = _crossed(going, long[place])
        yield long[first + shift : last + shift]
        going = long[last + shift : last + shift + seam].copy()


def _pieces(
    chunks: Chunks, channels: int, core: int, margin: int
) -> Iterator[tuple[int, int, NDArray[np.float32]]]:
    """Give where each core starts, how many samples it has, and it with a margin on both sides."""
    before = np.zeros((margin, channels), np.float32)
    now: NDArray[np.float32] | None = None
    start = 0
    for coming in blocks(chunks, core, channels):
        if now is not None:
            yield start, core, _surrounded(before, now, coming, margin)
            before, start = now[-margin:], start + core
        now = coming
    if now is not None:
        yield start, len(now), _surrounded(before, now, now[:0], margin)


def _surrounded(
    before: NDArray[np.float32],
    now: NDArray[np.float32],
    after: NDArray[np.float32],
    margin: int,
) -> NDArray[np.float32]:
    missing = margin - len(after[:margin])
    silence = np.zeros((missing, now.shape[1]), np.float32)
    return np.concatenate([before, now, after[:margin], silence])


def _likest(going: NDArray[np.float32], coming: NDArray[np.float32]) -> int:
    """Return where in ``coming`` the sound is most like ``going``; the middle for silence."""
    places = len(coming) - len(going) + 1
    middle = places // 2
    if not going.any() or not coming.any():
        return middle
    windows = np.lib.stride_tricks.sliding_window_view(coming, len(going), axis=0)
    products = np.einsum("pcs,sc->p", windows, going)
    powers = np.einsum("pcs,pcs->p", windows, windows)
    likeness = products / np.sqrt(np.maximum(powers, 1e-20))
    return int(likeness.argmax()) if likeness.max() > 0 else middle


def _crossed(going: NDArray[np.float32], coming: NDArray[np.float32]) -> NDArray[np.float32]:
    rise = rising(len(going))[:, None]
    powers = np.sqrt((going.astype(np.float64) ** 2).sum() * (coming.astype(np.float64) ** 2).sum())
    alike = max(float((going * coming).sum()) / powers, 0.0) if powers else 1.0
    level = np.sqrt(rise**2 + (1 - rise) ** 2 + 2 * alike * rise * (1 - rise))
    crossed: NDArray[np.float32] = ((going * (1 - rise) + coming * rise) / level).astype(np.float32)
    return crossed
