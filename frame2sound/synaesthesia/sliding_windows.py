"""Windows of one second: for each frame of a film that is drawn to a sound, or around a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import sample_at
from frame2sound.synaesthesia.sound_windows import RATE

Samples = NDArray[np.float32]


def sliding_windows(blocks: Iterable[Samples], fps: Fraction) -> Iterator[Samples]:
    """Yield the second of sound around the middle of each frame, as long as the sound lasts.

    Before and after the sound is silence. Only what windows need is kept in memory.

    Parameters
    ----------
    blocks : iterable of float32 arrays (n,)
        The sound at 22050 Hz, block by block.
    fps : Fraction
        Frames per second.

    Yields
    ------
    float32 array (22050,)
    """
    half = RATE // 2
    kept, first, frame = np.zeros(half, np.float32), -half, 0
    total = 0
    for block in blocks:
        total += len(block)
        kept = np.concatenate([kept, block])
        while (begin := _begin(frame, fps)) + RATE <= first + len(kept):
            kept, first = kept[begin - first :], begin
            yield kept[:RATE]
            frame += 1
    while sample_at(frame / fps, RATE) < total:
        rest = kept[_begin(frame, fps) - first :][:RATE]
        yield np.pad(rest, (0, RATE - len(rest)))
        frame += 1


def second_around(blocks: Iterable[Samples], seconds: Fraction) -> Samples:
    """Return the second of a sound around a time, ``(22050,)``; outside of it is silence.

    Parameters
    ----------
    blocks : iterable of float32 arrays (n,)
        The sound at 22050 Hz, block by block; it is read no further than needed.
    seconds : Fraction
    """
    begin, first = sample_at(seconds, RATE) - RATE // 2, 0
    window = np.zeros(RATE, np.float32)
    for block in blocks:
        low, high = max(begin, first), min(begin + RATE, first + len(block))
        if low < high:
            window[low - begin : high - begin] = block[low - first : high - first]
        first += len(block)
        if first >= begin + RATE:
            break
    return window


def _begin(frame: int, fps: Fraction) -> int:
    """Return the first sample of the second around the middle of a frame."""
    return sample_at((frame + Fraction(1, 2)) / fps, RATE) - RATE // 2
