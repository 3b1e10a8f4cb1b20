"""Reading a film as one stream of timed frames and timed sound; memory does not grow with it."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from enum import Enum
from errno import EINVAL
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import av
from av.container import InputContainer

from frame2sound.errors import DamagedFilmError, FilmError
from frame2sound.film.decoding.audio_aligner import (
    MAX_PEAK,
    AudioAligner,
    AudioChunk,
    format_excess_db,
)
from frame2sound.film.decoding.audio_decoder import AudioDecoder, ThreadedAudioDecoder
from frame2sound.film.decoding.audio_format import channel_names
from frame2sound.film.decoding.discontinuity import DiscontinuityCorrector
from frame2sound.film.decoding.frame_delays import apply_browser_delays
from frame2sound.film.decoding.frame_resizer import FrameResizer
from frame2sound.film.decoding.frame_timing import Frame as Frame
from frame2sound.film.decoding.frame_timing import FrameTimer
from frame2sound.film.decoding.hardware import open_with_hardware
from frame2sound.film.decoding.parallel_decoder import (
    MAX_QUEUED,
    MAX_QUEUED_BYTES,
    MIN_SEGMENT_PACKETS,
    SPARE_THREADS,
    NonDeterministicDecodeError,
    Packet,
    ParallelDecoder,
    ResizerFactory,
    SequentialDecoder,
)
from frame2sound.film.decoding.probe import Streams, probe_streams, selected_video_stream
from frame2sound.film.decoding.second_film import find_second_film
from frame2sound.film.decoding.transparency import alpha_aware_decoder
from frame2sound.film.limits import DEFAULT_LIMITS, Limits

DEMUXERS_WITH_EXACT_DURATION = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi")
"""Containers whose stated duration can be believed; others only guess it from the bit rate."""

TRUNCATION_TOLERANCE_SECONDS = 1.0
"""Seconds by which a film may end before its stated duration and still be whole."""

TimedPackets: TypeAlias = "Iterator[tuple[Packet, float]]"
"""Packets, each with the latest end of all so far in seconds, by the container's clock."""


class DecodeStrategy(Enum):
    """How a film is decoded: in parts side by side, by one decoder's threads, or by one thread."""

    PARALLEL = 1
    SEQUENTIAL = 2
    SINGLE_THREADED = 3


class FilmReader:
    """One film, read from its start to its end.

    Time 0 is the first frame. Sound that comes before it is cut; every `Sound` carries its place,
    and places that no `Sound` covers are silent.

    Parameters
    ----------
    path : Path
        Any container and codec that FFmpeg reads.
    sample_rate : int, optional
        Rate of the sound in Hz; without it only the picture is read.
    channels : int
        1 or 2 channels of sound.
    video_stream, audio_stream : int, optional
        Which of several, counted from 0 among their kind; else the default one.
    allow_damaged : bool
        Use what decodes of a truncated or corrupt film, and say so in `notes`.
    limits : Limits
        How large its pictures and how long it may be.
    threads : int, optional
        That decode; else as many as there are processors.
    hardware : str, optional
        What decodes the picture instead, as "cuda" or "videotoolbox".
    fps : Fraction, optional
        Frames a second of numbered pictures: a folder, or a name with ``%04d`` in it.
    background : int
        The grey, from 0 (black) to 255, on which transparent pictures lie.

    Attributes
    ----------
    streams : Streams
    notes : list of str
        What a person should know about the reading, complete when it has ended.
    reached : float
        How far the file was read, in seconds by the container's clock.

    Raises
    ------
    FilmError, DamagedFilmError
        On opening or while iterating.

    Examples
    --------
    >>> for event in FilmReader(Path("film.mp4"), sample_rate=22050):  # doctest: +SKIP
    ...     print(event)
    """

    def __init__(
        self,
        path: Path,
        sample_rate: int | None = None,
        *,
        channels: int = 1,
        video_stream: int | None = None,
        audio_stream: int | None = None,
        allow_damaged: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        threads: int | None = None,
        hardware: str | None = None,
        fps: Fraction | None = None,
        background: int = 0,
    ) -> None:
        self.streams: Streams = probe_streams(path, video_stream, audio_stream, limits, fps)
        self.limits = limits
        wide, high = self.streams.width, self.streams.height
        self.threads = limits.thread_count(threads or os.cpu_count() or 1, wide, high)
        self.hardware = hardware
        self.background = background
        self.position_seconds = 0.0
        self.notes = list(self.streams.notes)
        self.allow_damaged = allow_damaged
        self.sample_rate = sample_rate
        self.channels = channels
        self._damage_seconds: list[float] = []
        self._discontinuity_notes: list[str] = []
        self._audio_aligner: AudioAligner | None = None
        if sample_rate is not None and self.streams.audio_index is None:
            remedy = "; lay its sound beside the pictures" if fps is not None else ""
            raise FilmError(
                f"{path} has no audio stream; expected a film with sound to learn from{remedy}"
            )

    def __iter__(self) -> Iterator[Frame | AudioChunk]:
        """Yield frames, grey, and sound; see `events`."""
        return self.events()

    def events(self, *, colour: bool = False) -> Iterator[Frame | AudioChunk]:
        """Yield frames and sound as they are decoded, each kind in order of time."""
        return self._read(colour, with_audio=True)

    def frames(self, *, colour: bool = False) -> Iterator[Frame]:
        """Yield the picture alone, grey or in ``colour``."""
        for event in self._read(colour, with_audio=False):
            assert isinstance(event, Frame)
            yield event

    def audio_chunks(self) -> Iterator[AudioChunk]:
        """Yield the sound alone; the picture is not decoded."""
        assert self.sample_rate is not None
        for event in self._read(None, with_audio=True):
            assert isinstance(event, AudioChunk)
            yield event

    def _read(self, colour: bool | None, *, with_audio: bool) -> Iterator[Frame | AudioChunk]:
        """Read the film, as fast as gives the same on every computer.

        In parts; where that is not steady, from there on in one go; and where there is damage, at
        which threads guess differently, with a single one. Without the picture where ``colour`` is
        None.
        """
        lens = None
        if colour is not None:
            marks = {
                name: getattr(self.streams, name)
                for name in ("quarter_turns", "mirrored", "ignore_alpha")
            }
            lens = partial(FrameResizer, colour=colour, background=self.background, **marks)
        given: Counter[type] = Counter()
        way = DecodeStrategy.PARALLEL
        while True:
            seen = given.copy()
            try:
                for event in self._decode_once(lens, way, with_audio=with_audio):
                    seen[type(event)] -= 1
                    if seen[type(event)] < 0:
                        given[type(event)] += 1
                        yield event
                break
            except NonDeterministicDecodeError as error:
                way = DecodeStrategy.SINGLE_THREADED if error.damaged else DecodeStrategy.SEQUENTIAL
                self._damage_seconds.clear()
        self.notes += self._discontinuity_notes
        self._add_damage_note()
        if self._audio_aligner is not None:
            self.notes += self._audio_aligner.notes()

    def _decode_once(
        self, make_resizer: ResizerFactory | None, strategy: DecodeStrategy, *, with_audio: bool
    ) -> Iterator[Frame | AudioChunk]:
        """Read the film once, from its start."""
        with ExitStack() as open_now:
            container = open_now.enter_context(self._open(strategy))
            packets, end = self._demux(container), 0.0
            if strategy is DecodeStrategy.PARALLEL and (
                make_resizer is None or self.hardware is not None
            ):
                strategy = DecodeStrategy.SEQUENTIAL
            elif strategy is DecodeStrategy.PARALLEL:
                first, strategy = self._look_ahead(packets)
                packets = chain(first, packets)
            threads = ThreadPoolExecutor(self.threads, "film")
            open_now.callback(threads.shutdown, cancel_futures=True)
            timeline, ear, decoder = FrameTimer(self.streams, self.limits), None, None
            if with_audio and self.sample_rate is not None:
                ear = self._make_audio_decoder(container, strategy, threads)
            if make_resizer is not None:
                decoder = self._make_video_decoder(container, make_resizer, strategy, threads)
                open_now.callback(decoder.close)
            for packet, end in packets:
                if self.streams.is_video(packet) and decoder is not None:
                    yield from self._decode_frames(decoder, packet, end, timeline, strategy)
                elif self.streams.is_audio(packet) and ear is not None:
                    yield from ear.decode(packet, end)
            if decoder is not None:
                for shot in decoder.flush():
                    yield from timeline.add(shot)
                yield from timeline.flush()
            if ear is not None:
                yield from ear.flush()
                self._check_peak()
            self._check_truncation(container, end)
            self._check_second_film(container)

    def _open(self, strategy: DecodeStrategy) -> InputContainer:
        if self.hardware is None or strategy is DecodeStrategy.SINGLE_THREADED:
            return self.streams.open(limits=self.limits)
        container = open_with_hardware(self.hardware, self.streams)
        if not selected_video_stream(container, self.streams).codec_context.is_hwaccel:
            codec = self.streams.video_codec
            self.notes.append(f"{self.hardware} does not decode {codec} here; it was done without")
        return container

    def _look_ahead(
        self, packets: TimedPackets
    ) -> tuple[list[tuple[Packet, float]], DecodeStrategy]:
        """Read packets until it is known whether there is more than one segment soon."""
        first, weight, count = [], 0, 0
        for packet, end in packets:
            first.append((packet, end))
            weight += packet.size
            if self.streams.is_video(packet):
                count += 1
                if packet.is_keyframe and count > MIN_SEGMENT_PACKETS:
                    return first, DecodeStrategy.PARALLEL
            if len(first) >= MAX_QUEUED or weight >= MAX_QUEUED_BYTES:
                break
        return first, DecodeStrategy.SEQUENTIAL

    def _make_video_decoder(
        self,
        container: InputContainer,
        make_resizer: ResizerFactory,
        strategy: DecodeStrategy,
        executor: ThreadPoolExecutor,
    ) -> SequentialDecoder | ParallelDecoder:
        if strategy is DecodeStrategy.PARALLEL:
            return ParallelDecoder(
                partial(_open_video_decoder, self.streams, self.limits),
                make_resizer,
                executor,
                self.threads,
            )
        picture = selected_video_stream(container, self.streams)
        alone = strategy is DecodeStrategy.SINGLE_THREADED or picture.codec_context.is_hwaccel
        return SequentialDecoder(
            picture, make_resizer, 1 if alone else self.threads + SPARE_THREADS
        )

    def _make_audio_decoder(
        self, container: InputContainer, strategy: DecodeStrategy, executor: ThreadPoolExecutor
    ) -> AudioDecoder | ThreadedAudioDecoder:
        assert self.sample_rate is not None
        assert self.streams.audio_index is not None
        sound = next(
            each for each in container.streams.audio if each.index == self.streams.audio_index
        )
        names = channel_names(sound.codec_context)
        self._audio_aligner = AudioAligner(
            self.sample_rate, self.streams.start_seconds, self.channels, names
        )
        ear = AudioDecoder(self._audio_aligner, partial(self._on_damage, strategy))
        return ThreadedAudioDecoder(ear, executor) if strategy is DecodeStrategy.PARALLEL else ear

    def _demux(self, container: InputContainer) -> TimedPackets:
        """Yield a film's packets."""
        continuity = DiscontinuityCorrector(self.streams, container.format.name)
        packets = continuity(apply_browser_delays(container.format.name, container.demux()))
        ticks = {stream.index: float(stream.time_base or 0) for stream in container.streams}
        end = 0.0
        while True:
            try:
                packet, damaged = next(packets)
            except StopIteration:
                if continuity.trailing_damage_seconds is not None:
                    self._record_damage(continuity.trailing_damage_seconds)
                self._discontinuity_notes = continuity.notes
                return
            except av.FFmpegError:
                self._record_damage(end)
                return
            if packet.pts is not None:
                tick = ticks.get(packet.stream.index, 0.0)
                end = max(end, (packet.pts + (packet.duration or 0)) * tick)
                self.position_seconds = end
            if damaged is not None:
                self._record_damage(damaged)
            if packet.size or packet.dts is None is packet.pts:  # else it brings nothing
                yield packet, end

    def _decode_frames(
        self,
        decoder: SequentialDecoder | ParallelDecoder,
        packet: Packet,
        end: float,
        timer: FrameTimer,
        strategy: DecodeStrategy,
    ) -> Iterator[Frame]:
        try:
            for shot in decoder.decode(packet):
                if shot.damaged:
                    self._on_damage(strategy, float((shot.pts or 0) * self.streams.time_base))
                yield from timer.add(shot)
        except av.FFmpegError as error:
            what = None
            if error.errno == EINVAL:  # what decoders answer to a size beyond theirs
                what = (
                    f"has a picture at {end - float(self.streams.start_seconds):.2f} s that is larger than "
                    f"{self.limits.max_megapixels:g} megapixels or of no possible size"
                )
            self._on_damage(strategy, end, what)

    def _on_damage(
        self, strategy: DecodeStrategy, at_seconds: float, reason: str | None = None
    ) -> None:
        if strategy is not DecodeStrategy.SINGLE_THREADED:
            raise NonDeterministicDecodeError(damaged=True)
        self._record_damage(at_seconds, reason)

    def _check_peak(self) -> None:
        if self._audio_aligner is not None and self._audio_aligner.peak:
            peak = format_excess_db(self._audio_aligner.peak)
            raise FilmError(
                f"{self.streams.path} is not damaged, but its sound is {peak} over full scale, "
                f"expected {20 * math.log10(MAX_PEAK):.0f} dB at most; lower it, as with "
                f"ffmpeg -i FILM -c:v copy -af volume=-{peak.replace(' ', '')} LOWERED"
            )

    def _check_truncation(self, container: InputContainer, end: float) -> None:
        if container.format.name not in DEMUXERS_WITH_EXACT_DURATION or not container.duration:
            return
        # All three count their duration from 0, also when the first timestamp is later.
        stated = container.duration / av.time_base
        if end < stated - TRUNCATION_TOLERANCE_SECONDS:
            self._record_damage(end, f"ends at {end:.2f} s of the {stated:.2f} s it states")

    def _check_second_film(self, container: InputContainer) -> None:
        at = find_second_film(self.streams.path, container.format.name)
        if at is None:
            return
        if not self.allow_damaged:
            raise DamagedFilmError(
                f"{self.streams.path} holds a second film from byte {at} on, which cannot be read "
                "with the first; split it there, or use the first alone with --allow-damaged"
            )
        self._discontinuity_notes = [
            *self._discontinuity_notes,
            f"a second film from byte {at} on was left out",
        ]

    def _record_damage(self, at_seconds: float, reason: str | None = None) -> None:
        seconds = max(at_seconds - float(self.streams.start_seconds), 0.0)
        if not self.allow_damaged:
            reason = reason or f"cannot be decoded at {float(seconds):.2f} s"
            raise DamagedFilmError(
                f"{self.streams.path} is damaged: it {reason}; "
                "copy it again, or use what can be read with --allow-damaged"
            )
        self._damage_seconds.append(seconds)

    def _add_damage_note(self) -> None:
        if self._damage_seconds:
            first, last = min(self._damage_seconds), max(self._damage_seconds)
            self.notes.append(f"damaged from {first:.2f} s to {last:.2f} s; used what decodes")


def _open_video_decoder(streams: Streams, limits: Limits) -> av.VideoCodecContext:
    """Return a decoder of a film's picture.

    The film that it is taken from is let go: its index grows with its length, and no decoder needs
    it.
    """
    return alpha_aware_decoder(selected_video_stream(streams.open(limits=limits), streams))
