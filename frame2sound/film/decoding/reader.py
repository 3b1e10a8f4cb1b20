"""Read a film as one stream of timed frames and timed audio, in constant memory."""

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

from frame2sound.errors import FilmError
from frame2sound.film.decoding.audio_aligner import MAX_PEAK, AudioAligner, format_excess_db
from frame2sound.film.decoding.audio_chunks import AudioChunk
from frame2sound.film.decoding.audio_decoder import AudioDecoder, ThreadedAudioDecoder
from frame2sound.film.decoding.audio_format import channel_names
from frame2sound.film.decoding.damage import DamageLog
from frame2sound.film.decoding.ffmpeg_input import Packet
from frame2sound.film.decoding.frame_resizer import FrameResizer
from frame2sound.film.decoding.frame_timing import Frame as Frame
from frame2sound.film.decoding.frame_timing import FrameTimer
from frame2sound.film.decoding.options import DEFAULT_DECODE_OPTIONS, DecodeOptions
from frame2sound.film.decoding.packet_timing import TimestampCorrector
from frame2sound.film.decoding.parallel_decoder import (
    MAX_QUEUED,
    MAX_QUEUED_BYTES,
    MIN_SEGMENT_PACKETS,
    SPARE_THREADS,
    NonDeterministicDecodeError,
    ParallelDecoder,
    ResizerFactory,
    SequentialDecoder,
)
from frame2sound.film.decoding.probe import Streams, probe_streams, selected_video_stream
from frame2sound.film.decoding.seeking import drop_before, seek_to_key_frame
from frame2sound.film.decoding.transparency import alpha_aware_decoder
from frame2sound.film.limits import Limits

TimedPackets: TypeAlias = "Iterator[tuple[Packet, float]]"
"""Packets, each with the latest end of all packets so far, in container seconds."""


class DecodeStrategy(Enum):
    """How a film is decoded: in parallel segments, by one decoder's threads, or by one thread."""

    PARALLEL = 1
    SEQUENTIAL = 2
    SINGLE_THREADED = 3


class FilmReader:
    """Decodes a film from start to end into frames and audio.

    Time 0 is the first frame. Audio before it is cut. Each `AudioChunk` says at which sample it
    begins; where there is no chunk, the film is silent.

    Parameters
    ----------
    path : Path
        A film in any container and codec that FFmpeg reads, or numbered pictures.
    sample_rate : int, optional
        Sample rate of the audio in Hz; None to decode the video alone.
    options : DecodeOptions
    channels : int
        Number of audio channels, 1 or 2.
    full_rate : int
        If above 0, the sound as it is heard comes too, at this rate in Hz or the film's own if that
        is lower: chunks that are ``full``, with one channel for mono films, else two.

    Attributes
    ----------
    streams : Streams
    full_format : (int, int) or None
        Sample rate and channels of the full sound; None without.
    notes : list of str
        What a person should know about the film; complete once it is read.
    position_seconds : float
        How far the film is read, in container seconds.

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
        options: DecodeOptions = DEFAULT_DECODE_OPTIONS,
        *,
        channels: int = 1,
        full_rate: int = 0,
    ) -> None:
        self.streams: Streams = probe_streams(path, options)
        self.options = options
        self.thread_count = options.limits.thread_count(
            options.threads or os.cpu_count() or 1, self.streams.width, self.streams.height
        )
        self.sample_rate, self.channels, self.full_rate = sample_rate, channels, full_rate
        self.position_seconds = 0.0
        self.notes = list(self.streams.notes)
        self._damage = DamageLog(self.streams, options.allow_damaged)
        self._discontinuity_notes: list[str] = []
        self._audio_aligner: AudioAligner | None = None
        if sample_rate is not None and self.streams.audio_index is None:
            remedy = "; put its audio file next to the pictures" if options.fps is not None else ""
            raise FilmError(
                f"{path} has no audio stream; expected a film with sound to learn from{remedy}"
            )

    @property
    def full_format(self) -> tuple[int, int] | None:
        """Sample rate and channels of the full sound; None without."""
        return self.streams.full_sound_format(self.full_rate) if self.full_rate else None

    def __iter__(self) -> Iterator[Frame | AudioChunk]:
        """Yield grey frames and audio; see `events`."""
        return self.events()

    def events(self, *, colour: bool = False) -> Iterator[Frame | AudioChunk]:
        """Yield frames and audio as they are decoded, each kind in order of time."""
        return self.read(colour, with_audio=True)

    def frames(
        self, *, colour: bool = False, from_seconds: Fraction = Fraction(0)
    ) -> Iterator[Frame]:
        """Yield the frames alone, grey or in colour, from the one displayed at a time on."""
        for event in self.read(colour, with_audio=False, from_seconds=from_seconds):
            assert isinstance(event, Frame)
            yield event

    def audio_chunks(self) -> Iterator[AudioChunk]:
        """Yield the audio alone; the video is not decoded."""
        assert self.sample_rate is not None
        for event in self.read(None, with_audio=True):
            assert isinstance(event, AudioChunk)
            yield event

    def read(
        self, colour: bool | None, *, with_audio: bool, from_seconds: Fraction = Fraction(0)
    ) -> Iterator[Frame | AudioChunk]:
        """Decode the film, as fast as the result is the same on every computer.

        Segments are decoded in parallel. If that is not deterministic, the film is decoded again
        sequentially, and if it is damaged, by a single thread, as threads conceal damage in
        different ways. What was yielded before is not yielded again.

        Parameters
        ----------
        colour : bool, optional
            None to decode the audio alone.
        with_audio : bool
        from_seconds : Fraction
            Frames that end before are left out. Without audio, they are not decoded where the
            film can be sought.
        """
        make_resizer = None if colour is None else self._resizer_factory(colour)
        yielded: Counter[str] = Counter()
        strategy = DecodeStrategy.PARALLEL
        while True:
            to_skip = yielded.copy()
            try:
                decoded = self._decode_once(
                    make_resizer, strategy, with_audio=with_audio, from_seconds=from_seconds
                )
                sought = from_seconds > 0 and strategy is DecodeStrategy.PARALLEL
                for event in drop_before(decoded, from_seconds, sought=sought):
                    kind = _kind_of(event)
                    to_skip[kind] -= 1
                    if to_skip[kind] < 0:
                        yielded[kind] += 1
                        yield event
                break
            except NonDeterministicDecodeError as error:
                strategy = (
                    DecodeStrategy.SINGLE_THREADED if error.damaged else DecodeStrategy.SEQUENTIAL
                )
                self._damage.clear()
        self.notes += [*self._discontinuity_notes, *self._damage.notes()]
        if self._audio_aligner is not None:
            self.notes += self._audio_aligner.notes()

    def _resizer_factory(self, colour: bool) -> ResizerFactory:
        return partial(
            FrameResizer,
            colour=colour,
            quarter_turns=self.streams.quarter_turns,
            mirrored=self.streams.mirrored,
            background=self.options.background,
            ignore_alpha=self.streams.ignore_alpha,
        )

    def _decode_once(
        self,
        make_resizer: ResizerFactory | None,
        strategy: DecodeStrategy,
        *,
        with_audio: bool,
        from_seconds: Fraction = Fraction(0),
    ) -> Iterator[Frame | AudioChunk]:
        """Decode the film once, from its start, or from a key frame before ``from_seconds``."""
        with ExitStack() as resources:
            container = resources.enter_context(self._open(strategy))
            failures: list[FilmError] = []
            packets, end = _held_back(self._demux(container), failures), 0.0
            if strategy is DecodeStrategy.PARALLEL and from_seconds and not with_audio:
                sought = seek_to_key_frame(self.streams, container, packets, from_seconds)
                if sought is None:
                    container = resources.enter_context(self._open(strategy))
                packets = sought or _held_back(self._demux(container), failures)
            if strategy is DecodeStrategy.PARALLEL and (
                make_resizer is None or self.options.hardware is not None
            ):
                strategy = DecodeStrategy.SEQUENTIAL
            elif strategy is DecodeStrategy.PARALLEL:
                first_packets, strategy = self._look_ahead(packets)
                packets = chain(first_packets, packets)
            executor = ThreadPoolExecutor(self.thread_count, "film")
            resources.callback(executor.shutdown, cancel_futures=True)
            timer = FrameTimer(self.streams, self.options.limits)
            audio_decoder = decoder = None
            if with_audio and self.sample_rate is not None:
                audio_decoder = self._make_audio_decoder(container, strategy, executor)
            if make_resizer is not None:
                decoder = self._make_video_decoder(container, make_resizer, strategy, executor)
                resources.callback(decoder.close)
            for packet, end in packets:
                if self.streams.is_video(packet) and decoder is not None:
                    yield from self._decode_frames(decoder, packet, end, timer, strategy)
                elif self.streams.is_audio(packet) and audio_decoder is not None:
                    yield from audio_decoder.decode(packet, end)
            if audio_decoder is not None:
                audio_decoder.end()
            if decoder is not None:
                for decoded in decoder.flush():
                    yield from timer.add(decoded)
                    if audio_decoder is not None:
                        yield from audio_decoder.ready()
                yield from timer.flush()
            if audio_decoder is not None:
                yield from audio_decoder.flush()
                self._check_peak()
            if failures:
                raise failures[0]
            self._damage.check_truncation(container, end)
            self._damage.check_second_film(container)

    def _open(self, strategy: DecodeStrategy) -> InputContainer:
        hardware, limits = self.options.hardware, self.options.limits
        if hardware is None or strategy is DecodeStrategy.SINGLE_THREADED:
            return self.streams.open(limits=limits)
        container = self.streams.open_with_hardware(hardware, limits)
        if not selected_video_stream(container, self.streams).codec_context.is_hwaccel:
            codec = self.streams.video_codec
            self.notes.append(f"{hardware} does not decode {codec} here; decoded without it")
        return container

    def _look_ahead(
        self, packets: TimedPackets
    ) -> tuple[list[tuple[Packet, float]], DecodeStrategy]:
        """Read packets until it is known whether there is more than one segment soon."""
        first_packets, size, count = [], 0, 0
        for packet, end in packets:
            first_packets.append((packet, end))
            size += packet.size
            if self.streams.is_video(packet):
                count += 1
                if packet.is_keyframe and count > MIN_SEGMENT_PACKETS:
                    return first_packets, DecodeStrategy.PARALLEL
            if len(first_packets) >= MAX_QUEUED or size >= MAX_QUEUED_BYTES:
                break
        return first_packets, DecodeStrategy.SEQUENTIAL

    def _make_video_decoder(
        self,
        container: InputContainer,
        make_resizer: ResizerFactory,
        strategy: DecodeStrategy,
        executor: ThreadPoolExecutor,
    ) -> SequentialDecoder | ParallelDecoder:
        if strategy is DecodeStrategy.PARALLEL:
            return ParallelDecoder(
                partial(_open_video_decoder, self.streams, self.options.limits),
                make_resizer,
                executor,
                self.thread_count,
            )
        video = selected_video_stream(container, self.streams)
        one_thread = strategy is DecodeStrategy.SINGLE_THREADED or video.codec_context.is_hwaccel
        threads = 1 if one_thread else self.thread_count + SPARE_THREADS
        return SequentialDecoder(video, make_resizer, threads)

    def _make_audio_decoder(
        self, container: InputContainer, strategy: DecodeStrategy, executor: ThreadPoolExecutor
    ) -> AudioDecoder | ThreadedAudioDecoder:
        assert self.sample_rate is not None
        assert self.streams.audio_index is not None
        audio = next(s for s in container.streams.audio if s.index == self.streams.audio_index)
        start, names = self.streams.start_seconds, channel_names(audio.codec_context)
        full_aligner = None
        if self.full_format is not None:
            full_rate, full_channels = self.full_format
            full_aligner = AudioAligner(full_rate, start, full_channels, names)
        self._audio_aligner = AudioAligner(
            self.sample_rate, start, self.channels, names, full_aligner
        )
        decoder = AudioDecoder(self._audio_aligner, partial(self._on_damage, strategy))
        if strategy is DecodeStrategy.PARALLEL:
            return ThreadedAudioDecoder(decoder, executor)
        return decoder

    def _demux(self, container: InputContainer) -> TimedPackets:
        """Yield a film's packets with corrected timestamps."""
        corrector = TimestampCorrector(self.streams, container.format.name)
        packets = corrector(container.demux())
        ticks = {stream.index: float(stream.time_base or 0) for stream in container.streams}
        end = 0.0
        while True:
            try:
                packet, damaged = next(packets)
            except StopIteration:
                if corrector.trailing_damage_seconds is not None:
                    self._damage.record(corrector.trailing_damage_seconds)
                self._discontinuity_notes = corrector.notes
                return
            except av.FFmpegError:
                self._damage.record(end)
                return
            if packet.pts is not None:
                tick = ticks.get(packet.stream.index, 0.0)
                end = max(end, (packet.pts + (packet.duration or 0)) * tick)
                self.position_seconds = end
            if damaged is not None:
                self._damage.record(damaged)
            if packet.size or packet.dts is None is packet.pts:  # others contain nothing
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
            for decoded in decoder.decode(packet):
                if decoded.damaged:
                    time = float((decoded.pts or 0) * self.streams.time_base)
                    self._on_damage(strategy, time)
                yield from timer.add(decoded)
        except av.FFmpegError as error:
            reason = None
            if error.errno == EINVAL:  # the decoder's answer to a picture size beyond its limit
                at = end - float(self.streams.start_seconds)
                reason = (
                    f"has a picture at {at:.2f} s that is larger than "
                    f"{self.options.limits.max_megapixels:g} megapixels or of an impossible size"
                )
            self._on_damage(strategy, end, reason)

    def _on_damage(
        self, strategy: DecodeStrategy, at_seconds: float, reason: str | None = None
    ) -> None:
        if strategy is not DecodeStrategy.SINGLE_THREADED:
            raise NonDeterministicDecodeError(damaged=True)
        self._damage.record(at_seconds, reason)

    def _check_peak(self) -> None:
        if self._audio_aligner is not None and self._audio_aligner.peak:
            excess = format_excess_db(self._audio_aligner.peak)
            raise FilmError(
                f"{self.streams.path} is not damaged, but its sound is {excess} over full scale, "
                f"expected {20 * math.log10(MAX_PEAK):.0f} dB at most; lower it, as with "
                f"ffmpeg -i FILM -c:v copy -af volume=-{excess.replace(' ', '')} LOWERED"
            )


def _kind_of(event: Frame | AudioChunk) -> str:
    if isinstance(event, Frame):
        return "frame"
    return "full sound" if event.full else "sound"


def _open_video_decoder(streams: Streams, limits: Limits) -> av.VideoCodecContext:
    """Return a new decoder of a film's video.

    The container is not kept: decoders do not need it, and its index grows with the film.
    """
    return alpha_aware_decoder(selected_video_stream(streams.open(limits=limits), streams))


def _held_back(packets: TimedPackets, failures: list[FilmError]) -> TimedPackets:
    """Yield packets; an error ends them, and is kept until they are decoded."""
    try:
        yield from packets
    except FilmError as error:
        failures.append(error)
