"""Run effects on streams of chunks ``(n, channels)``; the length does not change.

Pedalboard's plugins get blocks of one length, because their output may depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, tee
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pedalboard import Plugin

    from frame2sound.rendering.audio_spool import AudioSpool

Chunks = Iterable[NDArray[np.float32]]
ChunkIterator = Iterator[NDArray[np.float32]]

BLOCK_SAMPLES = 4096


@dataclass(frozen=True)
class EffectContext:
    """What effects need to know.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    channels : int
    spool_folder : Path
        For temporary files.
    keep_length : bool
        Whether the sound stays as long as it is.
    original : AudioSpool or None
        The sound before all effects: complete once the last of it has come through.
    """

    sample_rate: int
    channels: int
    spool_folder: Path
    keep_length: bool = True
    original: AudioSpool | None = None


def run_plugin(plugin: Plugin, chunks: Chunks, context: EffectContext) -> ChunkIterator:
    """Yield the output of a plugin without latency, in constant memory."""
    for block in reblock(chunks, BLOCK_SAMPLES, context.channels):
        planes = np.zeros((context.channels, BLOCK_SAMPLES), np.float32)
        planes[:, : len(block)] = block.T
        played = plugin.process(planes, context.sample_rate, buffer_size=BLOCK_SAMPLES, reset=False)
        yield played[:, : len(block)].T


def run_filter(
    sections: NDArray[np.float64], chunks: Chunks, context: EffectContext
) -> ChunkIterator:
    """Yield the output of a filter of second-order sections, shape ``(sections, 6)``."""
    from scipy.signal import sosfilt

    state = np.zeros((len(sections), 2, context.channels))
    for chunk in chunks:
        if len(chunk):
            out, state = sosfilt(sections, chunk.astype(np.float64), axis=0, zi=state)
            yield out.astype(np.float32)


def reblock(chunks: Chunks, length: int, channels: int) -> ChunkIterator:
    """Yield chunks of ``length`` samples; the last has the rest."""
    pending, count = [np.empty((0, channels), np.float32)], 0
    for chunk in chunks:
        pending.append(chunk)
        count += len(chunk)
        if count >= length:
            sound = np.concatenate(pending)
            complete = count - count % length
            yield from (sound[start : start + length] for start in range(0, complete, length))
            pending, count = [sound[complete:].copy()], count - complete
    if count:
        yield np.concatenate(pending)


def fit_length(chunks: Chunks, length: int, channels: int) -> ChunkIterator:
    """Cut or pad sound to ``length`` samples."""
    missing = length
    for chunk in chunks:
        yield chunk[:missing]
        missing -= len(chunk)
        if missing <= 0:
            return
    while missing > 0:
        yield np.zeros((min(missing, BLOCK_SAMPLES), channels), np.float32)
        missing -= BLOCK_SAMPLES


def append_silence(chunks: Chunks, samples: int, channels: int) -> ChunkIterator:
    """Yield sound, if there is any, and then so much silence."""
    chunk = None
    for chunk in chunks:
        yield chunk
    if chunk is not None:
        yield from fit_length((), samples, channels)


def process_groups(
    chunks: Chunks, channels: int, process: Callable[[Chunks], Chunks]
) -> ChunkIterator:
    """Yield chunks ``(n, groups * channels)`` of which each group went through a step of its own.

    ``process`` is called once a group, with chunks ``(m, channels)``, and returns such. What it has
    read and the other groups have not is held in memory.
    """
    iterator = iter(chunks)
    first = next(iterator, None)
    if first is None:
        return
    copies = tee(chain([first], iterator), first.shape[1] // channels)
    groups = [
        process(_columns(copy, slice(at * channels, (at + 1) * channels)))
        for at, copy in enumerate(copies)
    ]
    for parts in zip(*groups, strict=True):
        yield np.concatenate(parts, axis=1)


def _columns(chunks: Chunks, columns: slice) -> ChunkIterator:
    for chunk in chunks:
        yield chunk[:, columns]
