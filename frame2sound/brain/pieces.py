"""Pieces of films' sound, kept in 16 bits where that is all they have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.decoding.downmix import Downmixer
from frame2sound.sound.resampler import resample

Samples = NDArray[np.float32]

MAX_INTEGER = 32767
"""The highest sample in 16 bits; full scale is one more."""

BLOCK_SAMPLES = 1 << 19
"""Samples that are converted at once."""


@dataclass(frozen=True)
class Piece:
    """A stretch of a film's sound without gaps; ``piece[begin:end]`` is float32 sound.

    Attributes
    ----------
    film : str
        The film's name in its library.
    start_sample : int
        The sample of the film at which the piece begins.
    data : float32 or int16 array (n,) or (n, 2)
        Mono, or left and right.
    full_scale : float
        What 32768 stands for if the data are integers.
    """

    film: str
    start_sample: int
    data: Samples | NDArray[np.int16]
    full_scale: float = 1.0

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: slice | NDArray[np.int64]) -> Samples:
        part = self.data[index]
        if part.dtype == np.int16:
            return part.astype(np.float32) * np.float32(self.full_scale / (MAX_INTEGER + 1))
        return part.astype(np.float32, copy=False)

    @property
    def samples(self) -> Samples:
        """All of the sound, converted on each access."""
        return self[:]

    @property
    def channels(self) -> int:
        """One or two."""
        return self.data.ndim

    def blocks(self, length: int = BLOCK_SAMPLES) -> Iterator[Samples]:
        """Yield the sound in parts of a length; the last may be shorter."""
        for begin in range(0, len(self), length):
            yield self[begin : begin + length]


def quantise(
    blocks: Iterable[Samples], length: int, channels: int
) -> tuple[NDArray[np.int16], float]:
    """Return the first ``length`` samples of a sound in 16 bits, and what 32768 stands for.

    That is 1, or doubled until no peak is above it. Where blocks are missing, there is silence.

    Parameters
    ----------
    blocks : iterable of float32 arrays (n,) or (n, 2)
    """
    data = np.zeros((length,) if channels == 1 else (length, channels), np.int16)
    full_scale, at = 1.0, 0
    for block in blocks:
        part = block[: length - at]
        peak = float(np.abs(part).max(initial=0))
        while peak > full_scale:
            data[:at] >>= 1
            full_scale *= 2
        integers = np.rint(part * np.float32((MAX_INTEGER + 1) / full_scale))
        data[at : at + len(part)] = integers.clip(-MAX_INTEGER, MAX_INTEGER)
        at += len(part)
    return data, full_scale


def mono_piece(piece: Piece, sample_rate: int, new_rate: int) -> Piece:
    """Return a piece as brains learn from it: one channel, at the rate of their clock.

    The channel is the mean of both, or the louder one where they cancel.
    """
    if piece.channels == 1 and sample_rate == new_rate:
        return piece
    first = piece.start_sample
    begin = -(-first * new_rate // sample_rate)
    end = max((first + len(piece) - 1) * new_rate // sample_rate + 1, begin)
    mono = _downmix(piece, sample_rate) if piece.channels == 2 else piece.blocks()
    samples: Iterable[Samples] = mono
    if sample_rate != new_rate:
        samples = resample(mono, (sample_rate, new_rate), first, begin, end)
    return Piece(piece.film, begin, *quantise(samples, end - begin, 1))


def _downmix(piece: Piece, sample_rate: int) -> Iterator[Samples]:
    downmixer = Downmixer(["FL", "FR"], 1, sample_rate)
    for block in piece.blocks():
        yield downmixer.process(np.ascontiguousarray(block.T))[0]
    yield downmixer.flush()[0]
