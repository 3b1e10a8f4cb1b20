"""How effects are played on sound that comes in chunks ``(n, channels)``, none longer or shorter.

Pedalboard's plugins are fed blocks of one length, since what they give may depend on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pedalboard import Plugin

Chunks = Iterable[NDArray[np.float32]]
ChunkIterator = Iterator[NDArray[np.float32]]

BLOCK_SAMPLES = 4096


@dataclass(frozen=True)
class EffectContext:
    """Where effects play: sample rate in Hz, channels, a folder for what is laid aside."""

    sample_rate: int
    channels: int
    spool_folder: Path


def run_plugin(plugin: Plugin, chunks: Chunks, context: EffectContext) -> ChunkIterator:
    """Play a plugin that delays nothing; memory does not grow."""
    for block in reblock(chunks, BLOCK_SAMPLES, context.channels):
        planes = np.zeros((context.channels, BLOCK_SAMPLES), np.float32)
        planes[:, : len(block)] = block.T
        played = plugin.process(planes, context.sample_rate, buffer_size=BLOCK_SAMPLES, reset=False)
        yield played[:, : len(block)].T


def run_filter(
    sections: NDArray[np.float64], chunks: Chunks, context: EffectContext
) -> ChunkIterator:
    """Play a filter of second-order sections, shape ``(sections, 6)``."""
    from scipy.signal import sosfilt

    state = np.zeros((len(sections), 2, context.channels))
    for chunk in chunks:
        if len(chunk):
            out, state = sosfilt(sections, chunk.astype(np.float64), axis=0, zi=state)
            yield out.astype(np.float32)


def reblock(chunks: Chunks, length: int, channels: int) -> ChunkIterator:
    """Cut chunks anew, each ``length`` samples long but the last, which holds what remains."""
    waiting, count = [np.empty((0, channels), np.float32)], 0
    for chunk in chunks:
        waiting.append(chunk)
        count += len(chunk)
        if count >= length:
            sound = np.concatenate(waiting)
            whole = count - count % length
            yield from (sound[start : start + length] for start in range(0, whole, length))
            waiting, count = [sound[whole:].copy()], count - whole
    if count:
        yield np.concatenate(waiting)


def fit_length(chunks: Chunks, length: int, channels: int) -> ChunkIterator:
    """Cut sound at ``length`` samples, or let silence follow it up to there."""
    missing = length
    for chunk in chunks:
        yield chunk[:missing]
        missing -= len(chunk)
        if missing <= 0:
            return
    while missing > 0:
        yield np.zeros((min(missing, BLOCK_SAMPLES), channels), np.float32)
        missing -= BLOCK_SAMPLES
