"""Timed audio, and how it becomes one array without gaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_SILENT_BLOCK = 48_000
"""Samples of silence that are returned at once."""


@dataclass(frozen=True)
class AudioChunk:
    """Decoded audio that begins at a sample of the film.

    Attributes
    ----------
    start_sample : int
        Sample of the film at which the chunk begins.
    samples : float32 array
        Shape ``(n,)`` for one channel, ``(n, 2)`` for two.
    full : bool
        Whether it is of the full sound, which `FilmReader` gives beside that at its sample rate.
    """

    start_sample: int
    samples: NDArray[np.float32]
    full: bool = False


class GapFiller:
    """Turns chunks in order of time into consecutive blocks, with silence in the gaps.

    Samples that a chunk shares with earlier ones are cut.

    Attributes
    ----------
    sample_count : int
        Samples returned so far.
    """

    def __init__(self) -> None:
        self.sample_count = 0

    def process(self, chunk: AudioChunk) -> Iterator[NDArray[np.float32]]:
        """Yield the silence before a chunk, and the chunk."""
        samples = chunk.samples[max(self.sample_count - chunk.start_sample, 0) :]
        if len(samples):
            yield from self.pad(chunk.start_sample, samples.shape[1:])
            self.sample_count += len(samples)
            yield samples

    def pad(self, end_sample: int, channels: tuple[int, ...] = ()) -> Iterator[NDArray[np.float32]]:
        """Yield silence up to a sample of the film, in blocks of shape ``(n, *channels)``."""
        while self.sample_count < end_sample:
            block = np.zeros(
                (min(end_sample - self.sample_count, MAX_SILENT_BLOCK), *channels), np.float32
            )
            self.sample_count += len(block)
            yield block


def collect_samples(
    chunks: Iterable[AudioChunk], stop_sample: int | None = None
) -> NDArray[np.float32]:
    """Return chunks as one array from sample 0 of the film, with silence in the gaps.

    Parameters
    ----------
    stop_sample : int, optional
        Read no further chunk once this many samples are there; the array may be longer.

    Examples
    --------
    >>> chunk = AudioChunk(2, np.ones(3, np.float32))
    >>> collect_samples([chunk]).tolist()
    [0.0, 0.0, 1.0, 1.0, 1.0]
    """
    filler = GapFiller()
    blocks: list[NDArray[np.float32]] = []
    for chunk in chunks:
        blocks += filler.process(chunk)
        if stop_sample is not None and filler.sample_count >= stop_sample:
            break
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def pad_or_trim(samples: NDArray[np.float32], sample_count: int) -> NDArray[np.float32]:
    """Return ``sample_count`` samples: those given, cut or followed by silence."""
    fitted = np.zeros(sample_count, np.float32)
    fitted[: len(samples)] = samples[:sample_count]
    return fitted
