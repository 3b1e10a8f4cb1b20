"""Read pieces of films' sound for a corpus, as it is heard where the library holds that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.corpus import MAX_SAMPLE_RATE
from frame2sound.brain.pieces import BLOCK_SAMPLES, Piece, quantise
from frame2sound.clock import sample_at
from frame2sound.library.film_loudness import with_gain
from frame2sound.library.store import PickledFilm
from frame2sound.sound.resampler import input_range, resample

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class SoundFormat:
    """The sample rate in Hz and the number of channels that all pieces of a corpus have."""

    sample_rate: int
    channels: int


def plain_format(film: PickledFilm) -> SoundFormat:
    """Return the format of what brains learn from."""
    return SoundFormat(film.card.sample_rate, 1)


def full_format(films: Iterable[PickledFilm]) -> SoundFormat:
    """Return the highest rate, at most 48 kHz but not below what is learned, and most channels."""
    films = list(films)
    sounds = [sound for film in films if (sound := film.full_sound) is not None]
    rate = min(max((sound.sample_rate for sound in sounds), default=0), MAX_SAMPLE_RATE)
    learned = max(film.card.sample_rate for film in films)
    return SoundFormat(
        max(rate, learned), min(max((sound.channels for sound in sounds), default=1), 2)
    )


def read_piece(
    film: PickledFilm, begin: int, end: int, sound_format: SoundFormat, gain_db: float = 0.0
) -> Piece:
    """Return a part of a film's sound in a format; with fewer channels, it is on both sides.

    Parameters
    ----------
    begin, end : int
        Samples of what brains learn from.
    """
    if sound_format == plain_format(film):
        return Piece(film.name, begin, with_gain(np.array(film.sound[begin:end]), gain_db))
    first, last = (
        sample_at(Fraction(at, film.card.sample_rate), sound_format.sample_rate)
        for at in (begin, end)
    )
    blocks = (
        with_gain(_as_channels(block, sound_format.channels), gain_db)
        for block in _read_blocks(film, first, last, sound_format.sample_rate)
    )
    return Piece(film.name, first, *quantise(blocks, last - first, sound_format.channels))


class _Sound(Protocol):
    """Sound of a film that is read part by part, as `PickledFilm.full_sound` is."""

    @property
    def sample_rate(self) -> int: ...

    @property
    def samples(self) -> int: ...

    def read(self, begin: int, end: int) -> Samples: ...


@dataclass(frozen=True)
class _LearnedSound:
    """What brains learn from, of a film whose full sound the library does not hold."""

    film: PickledFilm

    @property
    def sample_rate(self) -> int:
        return self.film.card.sample_rate

    @property
    def samples(self) -> int:
        return self.film.card.samples

    def read(self, begin: int, end: int) -> Samples:
        return self.film.sound[begin:end, None]


def _read_blocks(film: PickledFilm, begin: int, end: int, sample_rate: int) -> Iterator[Samples]:
    """Return the blocks ``(n, channels)`` of a part of a film's sound at a sample rate."""
    sound: _Sound = film.full_sound or _LearnedSound(film)
    rates = sound.sample_rate, sample_rate
    if sound.sample_rate == sample_rate:
        return _blocks(sound, begin, end)
    first, last = input_range(begin, end, rates)
    first = max(min(first, sound.samples), 0)
    return resample(_blocks(sound, first, last), rates, first, begin, end)


def _blocks(sound: _Sound, begin: int, end: int) -> Iterator[Samples]:
    """Yield at least one block of a part of a sound; the part may reach beyond its end."""
    begin, end = min(begin, sound.samples), min(end, sound.samples)
    for at in range(begin, max(end, begin + 1), BLOCK_SAMPLES):
        yield sound.read(at, min(at + BLOCK_SAMPLES, end))


def _as_channels(block: Samples, channels: int) -> Samples:
    return block[:, 0] if channels == 1 else np.repeat(block, channels // block.shape[1], axis=1)
