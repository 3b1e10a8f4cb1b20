"""Sounds to listen to, block by block: sound files, films, and films of a library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from frame2sound.carriers.sound_input import open_film_sound, open_sound
from frame2sound.errors import CarrierError, ListeningError
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.library.store import PickledFilm
from frame2sound.sound.sound_file import open_sound_file

Block = NDArray[np.float32]

_BLOCK_SAMPLES = 1 << 16
_MIN_BLOCK_SAMPLES = 1 << 15  # FFmpeg's own blocks are shorter, which costs time


@dataclass(frozen=True)
class SoundSource:
    """A sound that can be read once more.

    Attributes
    ----------
    name : str
    sample_rate : int
        In Hz.
    channels : int
        1 or 2.
    declared_seconds : float or None
        How long it is said to be; None if nothing is known.
    read : callable
        Returns the blocks, ``(n, channels)``; full scale is 1.
    notes : list of str
        What should be known of how it was read; complete once it is.
    """

    name: str
    sample_rate: int
    channels: int
    declared_seconds: float | None
    read: Callable[[], Iterator[Block]]
    notes: list[str] = field(default_factory=list)

    def blocks(self) -> Iterator[Block]:
        """Yield the sound in blocks ``(n, channels)``.

        Raises
        ------
        ListeningError
            It cannot be read, or samples are no finite numbers.
        """
        try:
            for block in _gathered(self.read()):
                if not np.isfinite(block).all():
                    raise ListeningError(
                        f"{self.name} holds samples that are not finite, expected numbers; mend it"
                    )
                yield block
        except CarrierError as error:
            raise ListeningError(str(error)) from error


def open_source(path: Path, *, allow_damaged: bool = False) -> SoundSource:
    """Return the sound of a file or a film; films are decoded in a subprocess.

    Raises
    ------
    ListeningError
        There is no such file, it cannot be read, or it has no sound.
    """
    if not path.exists():
        raise ListeningError(f"{path}: no such file; expected a sound, a film or a library")
    if not (path.is_file() or path.is_dir()):
        raise ListeningError(f"{path} is no regular file; expected a sound, a film or a library")
    try:
        if path.is_file() and _is_sound_file(path):
            sound = open_sound(path)
            seconds = sound.samples / sound.sample_rate
            return SoundSource(path.name, sound.sample_rate, sound.channels, seconds, sound.blocks)
        film = open_film_sound(path, DecodeOptions(allow_damaged=allow_damaged))
    except CarrierError as error:
        raise ListeningError(str(error)) from error
    return SoundSource(
        path.name, film.sample_rate, film.channels, film.declared_seconds, film.blocks, film.notes
    )


def film_source(film: PickledFilm) -> SoundSource:
    """Return the sound of a film of a library: what is learned of it, mono and memory-mapped."""
    rate, samples = film.card.sample_rate, film.card.samples

    def read() -> Iterator[Block]:
        sound = film.sound
        for first in range(0, len(sound), _BLOCK_SAMPLES):
            yield np.array(sound[first : first + _BLOCK_SAMPLES])[:, None]
        film.release_memory()

    return SoundSource(film.name, rate, 1, samples / rate, read)


def _is_sound_file(path: Path) -> bool:
    try:
        open_sound_file(path).close()
    except (soundfile.SoundFileError, OSError):
        return False
    return True


def _gathered(blocks: Iterator[Block]) -> Iterator[Block]:
    """Yield blocks of at least `_MIN_BLOCK_SAMPLES`, but for the last."""
    waiting: list[Block] = []
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= _MIN_BLOCK_SAMPLES:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)
