"""Process sounds whose channels lie beside each other, each group of channels by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, tee

import numpy as np
from numpy.typing import NDArray

Chunks = Iterable[NDArray[np.float32]]


def process_groups(
    chunks: Chunks, channels: int, process: Callable[[Chunks], Chunks]
) -> Iterator[NDArray[np.float32]]:
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


def _columns(chunks: Chunks, columns: slice) -> Iterator[NDArray[np.float32]]:
    for chunk in chunks:
        yield chunk[:, columns]
