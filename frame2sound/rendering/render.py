"""The whole of rendering: an animation in, the same animation sounding out."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from errno import EIO, ENOSPC
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from frame2sound.brain.brain import Sounding
from frame2sound.brain.spectra import PolarSpectra, RealSpectra
from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import sample_at
from frame2sound.errors import SoundtrackError
from frame2sound.film.containers import CONTAINERS, SoundCodec, sound_codec
from frame2sound.film.muxer import DRAWN_ANEW, write_soundtrack
from frame2sound.film.reader import FilmReader
from frame2sound.film.streams import Streams
from frame2sound.rendering import finishing
from frame2sound.rendering.granular import Granular
from frame2sound.rendering.schedule import Hindle, OnTime
from frame2sound.rendering.soundtrack import Join, Plain, Renderer, Soundtrack
from frame2sound.rendering.spectral import PolarAdd, SpectralAdd
from frame2sound.safe import refuse_existing, whole_file
from frame2sound.sound.limiter import CEILING_DB, HEADROOM_DB
from frame2sound.sound.overlap import OverlapAdd
from frame2sound.sound.peaks import PeakMeter
from frame2sound.sound.phase import strategy
from frame2sound.sound.stft import Stft

Mode = Literal["overlap-add", "granular"]

MOST_ROOM_DB = -20.0
"""Lossy codecs add to the peaks; they are given room for it, but no more than this."""

MIRRORED_OVERLAP = 0.15
"""Share of a frame over which blocks without a lead cross, on their own mirrored beginning."""


@dataclass(frozen=True)
class Style:
    """How a brain's blocks become sound.

    Attributes
    ----------
    mode : {"overlap-add", "granular"}
    window : {"hann", "none"}
        How blocks join; ``none`` is the hard cut.
    overlap_seconds : float, optional
        How long they cross before each frame; by default all of the brain's lead.
    grains : {"on-time", "hindle"}
        The schedule of ``granular``.
    seed : int
        Of the grains.
    """

    mode: Mode = "overlap-add"
    window: Literal["hann", "none"] = "hann"
    overlap_seconds: float | None = None
    grains: Literal["on-time", "hindle"] = "on-time"
    seed: int = 0
    phase: str = "running"

    def renderer(self, brain: Sounding) -> Renderer:
        """Build a renderer for a brain's blocks."""
        join = self._join(brain)
        if self.mode == "overlap-add":
            return Plain(join)
        schedule = Hindle() if self.grains == "hindle" else OnTime()
        return Granular(join, brain.clock, schedule, self.seed)

    def _join(self, brain: Sounding) -> Join:
        target = brain.target
        if isinstance(target, PcmBlocks | RealSpectra):
            return OverlapAdd(target.lead, self._overlap(brain))
        window_length = target.recipe.window_length
        stft = Stft(window_length, window_length // 4, target.recipe.window)
        if isinstance(target, PolarSpectra):
            return PolarAdd(target, stft)
        return SpectralAdd(target, stft, strategy(self.phase, stft, self.seed))

    def _overlap(self, brain: Sounding) -> int:
        if self.window == "none":
            return 0
        if self.overlap_seconds is not None:
            frame = float(1 / brain.clock.fps)
            if not 0 <= self.overlap_seconds < frame:
                raise SoundtrackError(
                    f"got --overlap {self.overlap_seconds} s, expected 0 to less than a frame "
                    f"({frame:.4f} s)"
                )
            return sample_at(Fraction(self.overlap_seconds), brain.clock.sample_rate)
        return brain.target.lead or int(MIRRORED_OVERLAP * brain.clock.slice_length)


@dataclass(frozen=True)
class Delivery:
    """What is written, and with what in it.

    Attributes
    ----------
    codec : str, optional
        One of `frame2sound.film.containers.CODECS`; by default the container's best.
    wav : bool
        Write the sound alone.
    gain_db : float
        Level of the soundtrack.
    keep_original_db : float, optional
        Level at which the film's own sound stays; it then sets sample rate and channels.
    overwrite : bool
    """

    codec: str | None = None
    wav: bool = False
    gain_db: float = 0.0
    keep_original_db: float | None = None
    overwrite: bool = False


@dataclass(frozen=True)
class Rendered:
    """What was written: where, how long, its rate, true peak, what a person should know."""

    path: Path
    seconds: float
    sample_rate: int
    peak_db: float
    notes: tuple[str, ...]


def default_output(animation: Path, folder: Path, wav: bool) -> Path:
    """Return a name for an animation with its soundtrack: its own ending where that can sound."""
    ending = animation.suffix.lower()
    if wav:
        ending = ".wav"
    elif ending == ".gif":
        ending = ".mp4"
    elif ending not in CONTAINERS:
        ending = ".mkv"
    return folder / f"{animation.stem}-sounding{ending}"


def render(
    animation: FilmReader,
    brain: Sounding,
    out: Path,
    style: Style = Style(),
    delivery: Delivery = Delivery(),
    progress: Callable[[float], None] = lambda seconds: None,
) -> Rendered:
    """Give an animation the soundtrack that a brain hears in it.

    Raises
    ------
    SoundtrackError
        The output exists, cannot hold this picture or sound, or cannot be written.
    FilmError, BrainError
        The animation cannot be read; the brain's output is not sound.
    """
    refuse_existing(out, SoundtrackError, overwrite=delivery.overwrite)
    if out.exists() and out.samefile(animation.streams.path):
        raise SoundtrackError(f"{out} is the animation itself; choose another name")
    wav = delivery.wav or out.suffix.lower() == ".wav"
    if wav and out.suffix.lower() != ".wav":
        raise SoundtrackError(f"got --wav and {out.name}, expected a name that ends in .wav")
    codec = None if wav else sound_codec(out, delivery.codec)
    own = _own_sound(animation, delivery, codec)
    room_db = 0.0
    with whole_file(out, SoundtrackError, overwrite=delivery.overwrite) as partial:
        while True:
            soundtrack = Soundtrack(animation, brain, style.renderer(brain), progress)
            finish = Finish(brain.clock.sample_rate, own, delivery, codec, room_db)
            peak_db = finish.write(soundtrack, partial)
            if peak_db <= CEILING_DB or room_db < MOST_ROOM_DB:
                break
            room_db -= peak_db - CEILING_DB + HEADROOM_DB
    notes = (*animation.notes, *_notes(animation.streams, delivery, wav))
    return Rendered(out, float(soundtrack.seconds), finish.to_rate, peak_db, notes)


def _own_sound(
    animation: FilmReader, delivery: Delivery, codec: SoundCodec | None
) -> FilmReader | None:
    streams = animation.streams
    if delivery.keep_original_db is None or streams.audio is None:
        return None
    return FilmReader(
        streams.path,
        streams.audio_rate if codec is None else codec.sample_rate(streams.audio_rate),
        channels=min(streams.audio_channels, 2),
        allow_damaged=animation.allow_damaged,
    )


@dataclass(frozen=True)
class Finish:
    """One way of making a raw soundtrack a file."""

    rate: int
    own: FilmReader | None
    delivery: Delivery
    codec: SoundCodec | None
    room_db: float = 0.0

    @property
    def to_rate(self) -> int:
        """The sample rate that is written: the film's own when its sound is kept."""
        if self.own is not None:
            assert self.own.sample_rate is not None
            return self.own.sample_rate
        return self.rate if self.codec is None else self.codec.sample_rate(self.rate)

    @property
    def channels(self) -> int:
        """One, or two when the film's own stereo sound is kept."""
        return 1 if self.own is None else self.own.channels

    def write(self, soundtrack: Soundtrack, out: Path) -> float:
        """Write the soundtrack and, unless the sound is wanted alone, the picture.

        Returns the highest true peak in dBTP, as it will be decoded.
        """
        sound = self._steps(soundtrack)
        if self.codec is None:
            return _write_wav(sound, self.to_rate, self.channels, out)
        streams = soundtrack.animation.streams
        return write_soundtrack(streams, sound, self.to_rate, self.channels, self.codec, out)

    def _steps(self, soundtrack: Soundtrack) -> Iterator[NDArray[np.float32]]:
        sound: finishing.Chunks = finishing.remove_direct_current(soundtrack, self.rate)
        sound = finishing.amplify(sound, self.delivery.gain_db)
        sound = finishing.resample(sound, self.rate, self.to_rate)
        if self.own is not None and self.delivery.keep_original_db is not None:
            kept = self.delivery.keep_original_db
            sound = finishing.mix(sound, self.own.sounds(), kept, self.channels)
        sound = finishing.limit(sound, self.to_rate)
        sound = finishing.amplify(sound, self.room_db)
        return finishing.fit(sound, self.to_rate, lambda: soundtrack.seconds)


def _write_wav(
    sound: Iterator[NDArray[np.float32]], sample_rate: int, channels: int, path: Path
) -> float:
    meter = PeakMeter(channels)
    try:
        with soundfile.SoundFile(
            path, "w", sample_rate, channels, subtype="PCM_24", format="WAV"
        ) as file:
            for chunk in sound:
                file.write(chunk)
                meter.hear(np.atleast_2d(chunk.T))
    except soundfile.LibsndfileError as error:
        full = shutil.disk_usage(path.parent).free < 1 << 20
        raise OSError(ENOSPC if full else EIO, str(error)) from error
    meter.finish()
    return meter.peak_db


def _notes(streams: Streams, delivery: Delivery, wav: bool) -> Iterator[str]:
    if streams.video_codec in DRAWN_ANEW and not wav:
        yield f"the picture was {streams.video_codec}, which cannot sound; encoded as H.264"
        if streams.width % 2 or streams.height % 2:
            yield "padded by one pixel to an even size"
    if streams.audio is not None:
        kept = delivery.keep_original_db
        if kept is not None:
            yield f"its own sound was kept at {kept:g} dB"
        elif not wav:
            yield "its own sound was replaced; --keep-original 0dB keeps it"
    elif delivery.keep_original_db is not None:
        yield "it has no sound of its own to keep"
