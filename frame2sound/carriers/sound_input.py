"""The sound of a sound file or a film, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from frame2sound.errors import CarrierError, FilmError
from frame2sound.film.decoding.audio_chunks import GapFiller
from frame2sound.film.decoding.options import DEFAULT_DECODE_OPTIONS, DecodeOptions
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.sound.sound_file import open_sound_file

BLOCK_SAMPLES = 1 << 16

SUBTYPES_OF_16_BITS = ("PCM_16", "PCM_S8", "PCM_U8")
"""Kinds of samples, as libsndfile names them, that 16 bits hold."""

LAYOUTS = {3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""How more than two channels are arranged, as FFmpeg takes it by default."""

Block = NDArray[np.float32]


@dataclass(frozen=True)
class SoundInput:
    """A sound that can be read more than once.

    Attributes
    ----------
    path : Path
    sample_rate : int
        In Hz.
    channels : int
        1 or 2.
    samples : int
        Of each channel.
    is_film : bool
    is_16_bit : bool
        Whether 16 bits hold every sample.
    """

    path: Path
    sample_rate: int
    channels: int
    samples: int
    is_film: bool
    is_16_bit: bool = False

    def blocks(self) -> Iterator[Block]:
        """Yield the sound in blocks ``(n, channels)``; full scale is 1."""
        return open_film_sound(self.path).blocks() if self.is_film else _file_blocks(self.path)


def open_sound(path: Path) -> SoundInput:
    """Return the sound of a file; more than two channels are mixed down to stereo by FFmpeg.

    Raises
    ------
    CarrierError
        It cannot be read, or has no sound.
    """
    try:
        with open_sound_file(path) as file:
            return _describe(path, file)
    except (soundfile.SoundFileError, OSError):
        return _open_film(path)


def _describe(path: Path, file: soundfile.SoundFile) -> SoundInput:
    if file.channels > 2 and file.channels not in LAYOUTS:
        raise CarrierError(f"{path} has {file.channels} channels, expected 1 to 8; mix it down")
    if not file.frames:
        raise CarrierError(f"{path} has no samples; expected a sound")
    is_16_bit = file.subtype in SUBTYPES_OF_16_BITS and file.channels <= 2
    return SoundInput(path, file.samplerate, min(file.channels, 2), file.frames, False, is_16_bit)


def _file_blocks(path: Path) -> Iterator[Block]:
    """Yield the samples of a sound file; refuse those that are no numbers, as those of a film."""
    try:
        with open_sound_file(path) as file:
            blocks = _finite(path, file.blocks(BLOCK_SAMPLES, dtype="float32", always_2d=True))
            if file.channels <= 2:
                yield from blocks
            else:
                yield from _mixed_down(blocks, file.samplerate, file.channels)
    except soundfile.SoundFileError as error:
        raise CarrierError(f"{path} is damaged ({error}); mend or convert it") from error


def _finite(path: Path, blocks: Iterator[Block]) -> Iterator[Block]:
    for block in blocks:
        if not np.isfinite(block).all():
            raise CarrierError(
                f"{path} holds samples that are not finite, expected numbers; mend it"
            )
        yield block


def _mixed_down(blocks: Iterator[Block], rate: int, channels: int) -> Iterator[Block]:
    """Yield stereo as FFmpeg mixes it: so are the films that have more channels."""
    import av

    mixer = av.AudioResampler("flt", "stereo", rate)
    for block in blocks:
        flat = np.ascontiguousarray(block, np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(flat, "flt", LAYOUTS[channels])
        frame.sample_rate = rate
        for mixed in mixer.resample(frame):
            yield mixed.to_ndarray().reshape(-1, 2).astype(np.float32, copy=False)


def _open_film(path: Path) -> SoundInput:
    try:
        film = open_film_sound(path)
        samples = sum(len(block) for block in film.blocks())
    except FilmError as error:
        raise CarrierError(str(error)) from error
    if not samples:
        raise CarrierError(f"{path} has no samples; expected a sound")
    return SoundInput(path, film.sample_rate, film.channels, samples, is_film=True)


@dataclass(frozen=True)
class FilmSound:
    """The sound of a film, as it is heard: mono or stereo, at the film's own rate.

    Attributes
    ----------
    path : Path
    sample_rate : int
        In Hz.
    channels : int
        1 or 2.
    declared_seconds : float or None
        How long the container says that the film is.
    options : DecodeOptions
    notes : list of str
        What should be known of how it was read; complete once it is.
    """

    path: Path
    sample_rate: int
    channels: int
    declared_seconds: float | None
    options: DecodeOptions
    notes: list[str] = field(default_factory=list, compare=False)

    def blocks(self) -> Iterator[Block]:
        """Yield the sound in blocks ``(n, channels)``, decoded in a subprocess; full scale is 1."""
        reader = SubprocessFilmReader(
            self.path, self.sample_rate, self.options, channels=self.channels
        )
        filler = GapFiller()
        for chunk in reader.audio_chunks():
            for block in filler.process(chunk):
                yield block.reshape(-1, self.channels)
        self.notes[:] = reader.notes


def open_film_sound(path: Path, options: DecodeOptions = DEFAULT_DECODE_OPTIONS) -> FilmSound:
    """Return the sound of a film, or of a file of sound alone; nothing of it is decoded yet.

    Raises
    ------
    CarrierError
        The film has no sound.
    FilmError
        It cannot be read.
    """
    options = replace(options, allow_sound_alone=True)
    streams = SubprocessFilmReader(path, options=options).streams
    if not streams.audio_sample_rate:
        raise CarrierError(f"{path} has no sound; expected a sound file or a film with sound")
    rate, channels = streams.full_sound_format(streams.audio_sample_rate)
    return FilmSound(path, rate, channels, streams.declared_seconds, options)
