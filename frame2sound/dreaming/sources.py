"""The films' sound to dream of: as it is heard, and in one channel as tokens are made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.corpus import MAX_SAMPLE_RATE
from frame2sound.brain.pieces import Piece, mono_piece, quantise
from frame2sound.carriers.sound_input import SoundInput, open_sound
from frame2sound.dreaming.tokens import HOP, RATE
from frame2sound.errors import DreamError, Frame2SoundError
from frame2sound.library.calibration import is_calibration
from frame2sound.library.checksums import hash_file
from frame2sound.library.corpus_sound import SoundFormat, full_format, read_piece
from frame2sound.library.folders import LIBRARY_FILE
from frame2sound.library.store import Library
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.sound.resampler import resample
from frame2sound.synaesthesia.sounds import find_sounds, mono_sound

MAX_SECONDS = 3600.0
"""Of more sound, the beginning of each film is used, so that this much is used in all."""


SEED_SECONDS = 6
"""How much is kept of the end of a sound to go on from."""


@dataclass(frozen=True)
class Source:
    """The sound of one film, or of a sound file.

    Attributes
    ----------
    name : str
    digest : str
        The SHA-256 of the file.
    piece : Piece
        As it is heard, from sample 0 on.
    mono : float32 array (n,)
        The same at 22050 Hz.
    begin_seconds : float
        Where it begins in the film.
    """

    name: str
    digest: str
    piece: Piece
    mono: NDArray[np.float32]
    begin_seconds: float


@dataclass(frozen=True)
class Sources:
    """The sounds to dream of, all in one format.

    Attributes
    ----------
    films : tuple of Source
    format : SoundFormat
    total_seconds : float
        Of all sound that there is, of which at most an hour is used.
    """

    films: tuple[Source, ...]
    format: SoundFormat
    total_seconds: float

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the films."""
        return tuple(film.name for film in self.films)

    @property
    def seconds(self) -> float:
        """Of the sound that is used."""
        return sum(len(film.piece) for film in self.films) / self.format.sample_rate


def load_sources(path: Path, on_progress: ProgressCallback = ignore_progress) -> Sources:
    """Return the sound of a library, of a folder of sounds and films, or of one file.

    Raises
    ------
    DreamError
        There is no sound, or a file cannot be read.
    """
    try:
        if (path / LIBRARY_FILE).exists():
            return _library_sources(path, on_progress)
        return _file_sources(find_sounds([path]), on_progress)
    except DreamError:
        raise
    except (Frame2SoundError, OSError) as error:
        raise DreamError(str(error)) from error


def _library_sources(path: Path, on_progress: ProgressCallback) -> Sources:
    library = Library.open(path)
    films = [film for film in library.films() if not is_calibration(film)]
    if not films:
        raise DreamError(library.no_films_message())
    sound_format, rate = full_format(films), library.sample_rate
    lengths = [end - begin for begin, end in (film.card.audio_range for film in films)]
    share = min(MAX_SECONDS * rate / max(sum(lengths), 1), 1.0)
    sources = []
    for done, (film, length) in enumerate(zip(films, lengths, strict=True)):
        begin = film.card.audio_range[0]
        piece = read_piece(film, begin, begin + int(length * share), sound_format)
        sources.append(
            _source(film.name, film.card.digest, piece, sound_format.sample_rate, begin / rate)
        )
        on_progress("sound", done + 1, len(films), "")
    return Sources(tuple(sources), sound_format, sum(lengths) / rate)


def _file_sources(paths: list[Path], on_progress: ProgressCallback) -> Sources:
    sounds = [open_sound(path) for path in paths]
    rate = min(max(max(sound.sample_rate for sound in sounds), RATE), MAX_SAMPLE_RATE)
    sound_format = SoundFormat(rate, max(sound.channels for sound in sounds))
    total = sum(sound.samples / sound.sample_rate for sound in sounds)
    share = min(MAX_SECONDS / max(total, 1e-9), 1.0)
    sources = []
    for done, sound in enumerate(sounds):
        count = int(sound.samples * share * rate / sound.sample_rate)
        data = quantise(_blocks(sound, sound_format, count), count, sound_format.channels)
        piece = Piece(sound.path.name, 0, *data)
        digest = hash_file(sound.path, follow_links=True)
        sources.append(_source(sound.path.name, digest, piece, rate, 0.0))
        on_progress("sound", done + 1, len(sounds), "")
    return Sources(tuple(sources), sound_format, total)


def _blocks(
    sound: SoundInput, sound_format: SoundFormat, count: int
) -> Iterator[NDArray[np.float32]]:
    """Yield a sound in a format."""
    blocks = sound.blocks()
    if sound.sample_rate != sound_format.sample_rate:
        blocks = resample(blocks, (sound.sample_rate, sound_format.sample_rate), 0, 0, count)
    for block in blocks:
        wide = np.repeat(block, sound_format.channels // block.shape[1], axis=1)
        yield wide if sound_format.channels == 2 else wide[:, 0]


def _source(name: str, digest: str, piece: Piece, rate: int, begin_seconds: float) -> Source:
    piece = replace(piece, start_sample=0)
    mono = mono_piece(piece, rate, RATE).samples
    return Source(name, digest, piece, mono, begin_seconds)


def read_seed(path: Path) -> NDArray[np.float32]:
    """Return the last seconds of a sound to go on from, mixed to one channel at 22050 Hz.

    What is left out are whole tokens, so that the others are the same as of the whole sound.

    Raises
    ------
    DreamError
        It cannot be read.
    """
    try:
        end = np.zeros(0, np.float32)
        for block in mono_sound(open_sound(path)):
            end = np.concatenate([end, block])
            end = end[max(len(end) - SEED_SECONDS * RATE, 0) // HOP * HOP :]
        return end
    except (Frame2SoundError, OSError) as error:
        raise DreamError(str(error)) from error
