"""Delivery: what is written, and how a raw soundtrack is finished into it."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from errno import EIO, ENOSPC
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from frame2sound.errors import SoundtrackError
from frame2sound.film.containers import SoundCodec
from frame2sound.film.reader import FilmReader
from frame2sound.film.soundtrack_writer import write_soundtrack
from frame2sound.rendering import finishing
from frame2sound.rendering.effects import Chain
from frame2sound.rendering.normalisation import (
    MOST_HELD_DOWN,
    MOST_LIFT_DB,
    TOLERANCE,
    Level,
    level_for,
)
from frame2sound.rendering.pipeline import ahead
from frame2sound.rendering.soundtrack import Soundtrack
from frame2sound.rendering.spool import Spool
from frame2sound.sound.limiter import CEILING_DB, HEADROOM_DB, HELD_DOWN_DB
from frame2sound.sound.loudness import LOWEST_RATE
from frame2sound.sound.peaks import PeakMeter

LOUDNESS = -70.0, 0.0
"""LUFS that may be asked for; below, the measure hears nothing (ITU-R BS.1770)."""

LONGEST_FADE = 60.0

MOST_ROOM_DB = -20.0
"""Lossy codecs add to the peaks; they are given room for it, but no more than this."""

SMALLEST_SAID_DB = 0.1
"""What the limiter takes is said from here on."""


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
    loudness_lufs : float, optional
        Integrated loudness of all that is heard, before fades; -70 to 0.
    fade_in_seconds, fade_out_seconds : float
        0 to 60.
    effects : Chain, optional
        Played on the soundtrack, not on the film's own sound.

    Raises
    ------
    SoundtrackError
        A value is out of its range.
    """

    codec: str | None = None
    wav: bool = False
    gain_db: float = 0.0
    keep_original_db: float | None = None
    overwrite: bool = False
    loudness_lufs: float | None = None
    fade_in_seconds: float = 0.0
    fade_out_seconds: float = 0.0
    effects: Chain | None = None

    def __post_init__(self) -> None:
        low, high = LOUDNESS
        if self.loudness_lufs is not None and not low <= self.loudness_lufs <= high:
            raise SoundtrackError(
                f"got --loudness {self.loudness_lufs:g}, expected {low:g} to {high:g} LUFS"
            )
        fades = {"--fade-in": self.fade_in_seconds, "--fade-out": self.fade_out_seconds}
        for option, seconds in fades.items():
            if not 0 <= seconds <= LONGEST_FADE:
                raise SoundtrackError(f"got {option} {seconds:g}, expected 0 to {LONGEST_FADE:g} s")


@dataclass
class Finish:
    """One way of making a raw soundtrack a file.

    Attributes
    ----------
    rate : int
        Of the raw soundtrack.
    own : FilmReader, optional
        Gives the film's own sound, if it is to be kept.
    codec : SoundCodec, optional
        None for sound alone.
    room_db : float
        By how much the level is lowered for what a lossy codec adds to the peaks; at most 0.
    level : Level, optional
        What became of the loudness that was asked for; known when all is written.
    picture_notes : tuple of str
        What became of the picture; known when all is written.
    """

    rate: int
    own: FilmReader | None
    delivery: Delivery
    codec: SoundCodec | None
    room_db: float = 0.0
    level: Level | None = None
    picture_notes: tuple[str, ...] = ()

    @property
    def to_rate(self) -> int:
        """The sample rate that is written: the film's own when its sound is kept."""
        if self.own is not None:
            assert self.own.sample_rate is not None
            return self.own.sample_rate
        return self.rate if self.codec is None else self.codec.sample_rate(self.rate)

    @property
    def _lossy(self) -> bool:
        return self.codec is not None and not self.codec.lossless

    def channels(self, of_soundtrack: int) -> int:
        """How many are written: two where the soundtrack or the film's kept sound has two."""
        return max(of_soundtrack, 1 if self.own is None else self.own.channels)

    @property
    def loudness(self) -> float | None:
        """The loudness reached, where one was asked for; minus infinity for silence."""
        return None if self.level is None else self.level.after + self.room_db

    def write(self, soundtrack: Soundtrack, out: Path) -> float:
        """Write the soundtrack and, unless the sound is wanted alone, the picture.

        What is written is lowered, and written again from a spool, until no peak that a lossy
        codec made is above the ceiling; the film is seen once.

        Returns the highest true peak in dBTP, as it will be decoded.
        """
        with Spool(out.parent) as spool:
            peak_db = self._write(soundtrack, spool, out)
            while self._lossy and peak_db > CEILING_DB and self.room_db >= MOST_ROOM_DB:
                self.room_db -= peak_db - CEILING_DB + HEADROOM_DB
                peak_db = self._write(soundtrack, spool, out)
        return peak_db

    def _write(self, soundtrack: Soundtrack, spool: Spool, out: Path) -> float:
        channels = self.channels(soundtrack.renderer.channels)
        sound = ahead(self._steps(soundtrack, channels, spool, out.parent))
        if self.codec is None:
            return _write_wav(sound, self.to_rate, channels, out)
        streams = soundtrack.animation.streams
        limits = soundtrack.animation.limits
        written = write_soundtrack(streams, sound, self.to_rate, channels, self.codec, out, limits)
        self.picture_notes = written.notes
        return written.peak_db

    def _steps(
        self, soundtrack: Soundtrack, channels: int, spool: Spool, folder: Path
    ) -> Iterator[NDArray[np.float32]]:
        asked = self.delivery
        sound: finishing.Chunks
        sound = spool.read() if spool.length else self._mixed(soundtrack, channels, folder)
        if asked.loudness_lufs is not None:
            sound = self._to_loudness(sound, spool, asked.loudness_lufs)
        elif self._lossy and not spool.length:
            sound = spool.pass_on(sound)
        sound = finishing.limit(sound, self.to_rate)
        sound = finishing.amplify(sound, self.room_db)
        sound = finishing.fit(sound, self.to_rate, lambda: soundtrack.seconds)
        fades = asked.fade_in_seconds, asked.fade_out_seconds
        return finishing.fade(sound, self.to_rate, *fades) if any(fades) else iter(sound)

    def _mixed(self, soundtrack: Soundtrack, channels: int, folder: Path) -> finishing.Chunks:
        """Return the soundtrack with its effects, at the rate that is written, and own sound."""
        asked = self.delivery
        sound: finishing.Chunks = finishing.remove_direct_current(soundtrack, self.rate)
        if asked.effects is not None:
            own_channels = soundtrack.renderer.channels
            sound = asked.effects.apply(sound, self.rate, own_channels, folder)
        sound = finishing.amplify(sound, asked.gain_db)
        sound = finishing.resample(sound, self.rate, self.to_rate)
        if self.own is not None and asked.keep_original_db is not None:
            sound = finishing.mix(sound, self.own.sounds(), asked.keep_original_db, channels)
        return sound

    def _to_loudness(
        self, sound: finishing.Chunks, spool: Spool, target_lufs: float
    ) -> Iterator[NDArray[np.float32]]:
        """Bring sound to a loudness that it has when room for the codec was made."""
        if self.to_rate < LOWEST_RATE:
            raise SoundtrackError(
                f"got --loudness for sound at {self.to_rate} Hz, expected at least {LOWEST_RATE} "
                "Hz, below which loudness is not defined; leave it out"
            )
        return self._levelled(sound, spool, target_lufs - self.room_db)

    def _levelled(
        self, sound: finishing.Chunks, spool: Spool, target_lufs: float
    ) -> Iterator[NDArray[np.float32]]:
        if not spool.length:
            spool.write(sound)
        self.level = level_for(spool, self.to_rate, target_lufs)
        yield from finishing.amplify(spool.read(), self.level.gain_db)

    def notes(self) -> Iterator[str]:
        """Say what became of the picture, and of the loudness that was asked for."""
        yield from self.picture_notes
        wanted, reached = self.delivery.loudness_lufs, self.loudness
        if wanted is None or reached is None or self.level is None:
            return
        if reached == -math.inf:
            yield f"it is silent: nothing was brought to {wanted:g} LUFS"
            return
        said, lift = f"loudness {reached:.1f} LUFS", f"{self.level.gain_db:.0f} dB"
        apart = f"{abs(wanted - reached):.1f} dB {'short of' if reached < wanted else 'above'}"
        if abs(reached - wanted) <= TOLERANCE + 0.05:
            yield said
        elif self.level.gain_db >= MOST_LIFT_DB:
            yield f"{said}, {apart} {wanted:g}: it was lifted by {lift}, and more would lift noise"
        else:
            yield (
                f"{said}, {apart} {wanted:g}: its peaks do not allow more; the limiter would turn "
                f"down more than {MOST_HELD_DOWN:.0%} of the sound by more than {HELD_DOWN_DB:g} dB"
            )
        if self.level.limited_db >= SMALLEST_SAID_DB:
            yield f"the limiter takes up to {self.level.limited_db:.1f} dB off its peaks"


def _write_wav(
    sound: Iterator[NDArray[np.float32]], sample_rate: int, channels: int, path: Path
) -> float:
    meter = PeakMeter(channels)
    try:
        with soundfile.SoundFile(
            os.fsencode(path), "w", sample_rate, channels, subtype="PCM_24", format="WAV"
        ) as file:
            for chunk in sound:
                file.write(chunk)
                meter.hear(np.atleast_2d(chunk.T))
    except soundfile.LibsndfileError as error:
        full = shutil.disk_usage(path.parent).free < 1 << 20
        raise OSError(ENOSPC if full else EIO, str(error)) from error
    meter.finish()
    return meter.peak_db
