"""A window of one second for each frame of a film that is drawn to a sound."""

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
    kept = np.concatenate([kept, np.zeros(RATE, np.float32)])
    while sample_at(frame / fps, RATE) < total:
        begin = _begin(frame, fps)
        yield kept[begin - first : begin - first + RATE]
        frame += 1


def _begin(frame: int, fps: Fraction) -> int:
    """Return the first sample of the second around the middle of a frame."""
    return sample_at((frame + Fraction(1, 2)) / fps, RATE) - RATE // 2
