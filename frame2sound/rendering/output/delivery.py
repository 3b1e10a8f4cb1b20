"""The output file: its settings, and the processing from a raw soundtrack to it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import sample_at
from frame2sound.errors import SoundtrackError
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.encoding.containers import DELIVERY_SAMPLE_RATE, AudioCodec
from frame2sound.film.encoding.excerpt import Excerpt
from frame2sound.film.encoding.soundtrack_writer import write_soundtrack
from frame2sound.prefetch import prefetch
from frame2sound.rendering.audio_spool import AudioSpool
from frame2sound.rendering.output import finishing
from frame2sound.rendering.output.normalisation import (
    MAX_GAIN_DB,
    MAX_LIMITED_SHARE,
    TOLERANCE_LU,
    NormalisationResult,
    find_gain,
)
from frame2sound.rendering.soundtrack import Soundtrack
from frame2sound.sound.limiter import CEILING_DB, HEADROOM_DB, LIMITED_DB, Limiter
from frame2sound.sound.loudness import MIN_SAMPLE_RATE
from frame2sound.sound.true_peak import TruePeakMeter
from frame2sound.sound.wav_file import open_wav
from frame2sound.sound.waveform import WaveformRecorder

if TYPE_CHECKING:
    from frame2sound.rendering.effects import EffectChain

LOUDNESS_RANGE_LUFS = -70.0, 0.0
"""Allowed target loudness; quieter blocks are not measured (ITU-R BS.1770)."""

MAX_FADE_SECONDS = 60.0

SAMPLE_RATE_RANGE_HZ = 8_000, 192_000

MIN_CODEC_GAIN_DB = -20.0
"""The lowest gain that makes room for the peaks that a lossy codec adds."""

MIN_REPORTED_DB = 0.1
"""The smallest gain reduction of the limiter that is reported."""


@dataclass(frozen=True)
class Delivery:
    """The settings of the output.

    Attributes
    ----------
    codec : str, optional
        One of `frame2sound.film.encoding.containers.CODECS`; by default the container's best.
    wav : bool
        Write only the sound.
    gain_db : float
        Level of the soundtrack.
    keep_original_db : float, optional
        Level of the film's own sound, if it is kept; it then sets the channels.
    overwrite : bool
    loudness_lufs : float, optional
        Target integrated loudness of the whole, before fades; -70 to 0.
    fade_in_seconds, fade_out_seconds : float
        0 to 60.
    effects : EffectChain, optional
        Applied to the soundtrack, not to the film's own sound.
    sample_rate : int, optional
        Of the output, in Hz, 8000 to 192 000. By default that of the film's own sound if it is
        kept; else 48 000 for films, and the soundtrack's for sound alone.

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
    effects: EffectChain | None = None
    sample_rate: int | None = None

    def __post_init__(self) -> None:
        low, high = LOUDNESS_RANGE_LUFS
        if self.loudness_lufs is not None and not low <= self.loudness_lufs <= high:
            raise SoundtrackError(
                f"got `loudness` {self.loudness_lufs:g}, expected {low:g} to {high:g} LUFS"
            )
        low_hz, high_hz = SAMPLE_RATE_RANGE_HZ
        if self.sample_rate is not None and not low_hz <= self.sample_rate <= high_hz:
            raise SoundtrackError(
                f"got `sample_rate` {self.sample_rate}, expected {low_hz} to {high_hz} Hz"
            )
        fades = {"fade_in": self.fade_in_seconds, "fade_out": self.fade_out_seconds}
        for name, seconds in fades.items():
            if not 0 <= seconds <= MAX_FADE_SECONDS:
                raise SoundtrackError(
                    f"got `{name}` {seconds:g}, expected 0 to {MAX_FADE_SECONDS:g} s"
                )


@dataclass
class OutputWriter:
    """Processes a raw soundtrack and writes it to a file.

    Attributes
    ----------
    sample_rate : int
        Of the raw soundtrack, in Hz.
    original : FilmReader, optional
        Gives the film's own sound, if it is kept.
    codec : AudioCodec, optional
        None for sound without a picture.
    codec_gain_db : float
        Gain that makes room for the peaks that a lossy codec adds; at most 0.
    normalisation : NormalisationResult, optional
        The result of loudness normalisation; known after writing.
    picture_notes : tuple of str
        Remarks about the picture; known after writing.
    raw_spool : AudioSpool, optional
        Keeps the raw soundtrack as it is read.
    waveform : WaveformRecorder, optional
        Finds the peaks of what is written, before it is encoded.
    """

    sample_rate: int
    original: FilmReader | None
    delivery: Delivery
    codec: AudioCodec | None
    codec_gain_db: float = 0.0
    normalisation: NormalisationResult | None = None
    picture_notes: tuple[str, ...] = ()
    raw_spool: AudioSpool | None = None
    waveform: WaveformRecorder | None = None

    @property
    def output_sample_rate(self) -> int:
        """The sample rate of the output; see `Delivery.sample_rate`."""
        if self.original is not None:
            assert self.original.sample_rate is not None
            return self.original.sample_rate
        if self.delivery.sample_rate is not None:
            return self.delivery.sample_rate
        if self.codec is None:
            return self.sample_rate
        return self.codec.supported_sample_rate(DELIVERY_SAMPLE_RATE)

    @property
    def _lossy(self) -> bool:
        return self.codec is not None and not self.codec.lossless

    def output_channels(self, soundtrack_channels: int) -> int:
        """Return the number of channels of the output: two if any of its sounds has two."""
        return max(soundtrack_channels, 1 if self.original is None else self.original.channels)

    @property
    def loudness_lufs(self) -> float | None:
        """The loudness after normalisation, if there is a target; minus infinity for silence."""
        return (
            None
            if self.normalisation is None
            else self.normalisation.output_lufs + self.codec_gain_db
        )

    def write(self, soundtrack: Soundtrack, out: Path) -> float:
        """Write the soundtrack and, with a codec, the picture.

        If a lossy codec raises a peak above the ceiling, the sound is written again from a spool
        at a lower level. The film is decoded once.

        Returns the highest true peak in dBTP, after decoding.
        """
        with AudioSpool(out.parent) as spool:
            peak_db = self._write(soundtrack, spool, out)
            while self._lossy and peak_db > CEILING_DB and self.codec_gain_db >= MIN_CODEC_GAIN_DB:
                self.codec_gain_db -= peak_db - CEILING_DB + HEADROOM_DB
                peak_db = self._write(soundtrack, spool, out)
        return peak_db

    def _write(self, soundtrack: Soundtrack, spool: AudioSpool, out: Path) -> float:
        channels = self.output_channels(soundtrack.renderer.channels)
        sound = self._steps(soundtrack, channels, spool, out.parent)
        sound = prefetch(sound if self.waveform is None else self.waveform.tee(sound))
        if self.codec is None:
            return _write_wav(sound, self.output_sample_rate, channels, out)
        streams, segment = soundtrack.animation.streams, soundtrack.segment
        written = write_soundtrack(
            streams,
            sound,
            self.output_sample_rate,
            channels,
            self.codec,
            out,
            soundtrack.animation.options.limits,
            soundtrack.animation.options.background,
            Excerpt(segment.start_seconds, segment.stop_seconds),
        )
        self.picture_notes = written.notes
        return written.true_peak_db

    def _steps(
        self, soundtrack: Soundtrack, channels: int, spool: AudioSpool, folder: Path
    ) -> Iterator[NDArray[np.float32]]:
        delivery = self.delivery
        sound: finishing.Chunks
        sound = spool.read() if spool.sample_count else self._process(soundtrack, channels, folder)
        if delivery.loudness_lufs is not None:
            if self.cuts_early(soundtrack) and not spool.sample_count:
                sound = self.cut(sound, soundtrack)
            sound = self._normalise(sound, spool, delivery.loudness_lufs)
        elif self._lossy and not spool.sample_count:
            sound = spool.tee(sound)
        return self.finish(sound, soundtrack)

    def finish(
        self, sound: finishing.Chunks, soundtrack: Soundtrack, deciding: int | None = None
    ) -> Iterator[NDArray[np.float32]]:
        """Return normalised sound limited, cut and faded.

        The gain of the limiter is that of the first ``deciding`` channels; by default of all.
        """
        limiter = Limiter(self.output_sample_rate, deciding=deciding)
        sound = finishing.limit(sound, self.output_sample_rate, limiter)
        sound = finishing.apply_gain(sound, self.codec_gain_db)
        sound = sound if self.cuts_early(soundtrack) else self.cut(sound, soundtrack)
        fades = self.delivery.fade_in_seconds, self.delivery.fade_out_seconds
        return finishing.fade(sound, self.output_sample_rate, *fades) if any(fades) else iter(sound)

    def _process(self, soundtrack: Soundtrack, channels: int, folder: Path) -> finishing.Chunks:
        """Return the soundtrack with effects, resampled and mixed with the original."""
        delivery = self.delivery
        origin = soundtrack.segment.origin_seconds
        raw = soundtrack if self.raw_spool is None else self.raw_spool.tee(soundtrack)
        sound: finishing.Chunks
        sound = finishing.remove_dc(raw, self.sample_rate, origin * self.sample_rate)
        if delivery.effects is not None:
            raw_channels = soundtrack.renderer.channels
            sound = delivery.effects.apply(sound, self.sample_rate, raw_channels, folder)
        sound = finishing.apply_gain(sound, delivery.gain_db)
        sound = finishing.resample(sound, self.sample_rate, self.output_sample_rate)
        if self.original is not None and delivery.keep_original_db is not None:
            sound = finishing.mix_original(
                sound,
                self.original.audio_chunks(),
                delivery.keep_original_db,
                channels,
                origin * self.output_sample_rate,
            )
        return sound

    def cuts_early(self, soundtrack: Soundtrack) -> bool:
        """Return whether a segment is cut before it is normalised, as the loudness is its own."""
        return self.delivery.loudness_lufs is not None and not soundtrack.segment.is_whole

    def cut(self, sound: finishing.Chunks, soundtrack: Soundtrack) -> finishing.Chunks:
        """Return the samples of the segment, without warm-up and cool-down."""
        rate, segment, stop = self.output_sample_rate, soundtrack.segment, None
        first = sample_at(segment.start_seconds, rate)
        sound = finishing.drop_first(sound, first - segment.origin_seconds * rate)
        if segment.stop_seconds is not None:
            stop = segment.stop_seconds
            sound = finishing.cut_at(sound, sample_at(stop, rate) - first)
        return finishing.fit_duration(sound, rate, lambda: stop or soundtrack.seconds, first)

    def _normalise(
        self, sound: finishing.Chunks, spool: AudioSpool, target_lufs: float
    ) -> Iterator[NDArray[np.float32]]:
        """Return sound with the target loudness after the gain for the codec."""
        if self.output_sample_rate < MIN_SAMPLE_RATE:
            raise SoundtrackError(
                f"got `loudness` for sound at {self.output_sample_rate} Hz, expected at least "
                f"{MIN_SAMPLE_RATE} Hz, below which loudness is not defined; leave it out"
            )
        return self._apply_normalisation(sound, spool, target_lufs - self.codec_gain_db)

    def _apply_normalisation(
        self, sound: finishing.Chunks, spool: AudioSpool, target_lufs: float
    ) -> Iterator[NDArray[np.float32]]:
        if not spool.sample_count:
            spool.write(sound)
        self.normalisation = find_gain(spool, self.output_sample_rate, target_lufs)
        yield from finishing.apply_gain(spool.read(), self.normalisation.gain_db)

    def notes(self) -> Iterator[str]:
        """Yield remarks about the picture and about the loudness."""
        yield from self.picture_notes
        target, reached = self.delivery.loudness_lufs, self.loudness_lufs
        if target is None or reached is None or self.normalisation is None:
            return
        if reached == -math.inf:
            yield (
                "the soundtrack is silent, below -70 LUFS or shorter than 0.4 s, so its loudness "
                f"is not defined; it was not brought to {target:g} LUFS"
            )
            return
        result = f"loudness {reached:.1f} LUFS"
        if abs(reached - target) <= TOLERANCE_LU + 0.05:
            yield result
        else:
            side = "short of" if reached < target else "above"
            yield f"{result}, {abs(target - reached):.1f} dB {side} {target:g}: {self._limit()}"
        if self.normalisation.max_reduction_db >= MIN_REPORTED_DB:
            reduction_db = self.normalisation.max_reduction_db
            yield f"the limiter takes up to {reduction_db:.1f} dB off its peaks"

    def _limit(self) -> str:
        """Return why the loudness that was asked for was not reached."""
        assert self.normalisation is not None
        gain_db = self.normalisation.gain_db
        if gain_db >= MAX_GAIN_DB:
            return f"it was raised by {gain_db:.0f} dB, and more would raise noise"
        return (
            "its peaks do not allow more; the limiter would turn down more than "
            f"{MAX_LIMITED_SHARE:.0%} of the sound by more than {LIMITED_DB:g} dB"
        )


def _write_wav(
    sound: Iterator[NDArray[np.float32]], sample_rate: int, channels: int, path: Path
) -> float:
    meter = TruePeakMeter(channels)
    with open_wav(path, sample_rate, channels, "PCM_24") as file:
        for chunk in sound:
            file.write(chunk)
            meter.update(chunk)
    meter.finish()
    return meter.true_peak_db
