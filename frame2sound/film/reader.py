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
from frame2sound.film.continuity import Continuity
from frame2sound.film.delays import as_browsers_show
from frame2sound.film.frames import Frame as Frame
from frame2sound.film.frames import FrameTimer
from frame2sound.film.hardware import open_on
from frame2sound.film.hearing import Aside, Ear
from frame2sound.film.layouts import channel_names
from frame2sound.film.limits import USUAL, Limits
from frame2sound.film.picture import Lens
from frame2sound.film.second_film import second_film
from frame2sound.film.segments import (
    LEAST_PACKETS,
    MOST_BYTES,
    MOST_WAITING,
    SPARE_THREADS,
    MakeLens,
    Packet,
    Segments,
    Straight,
    UnsteadyError,
)
from frame2sound.film.streams import Streams, find_streams, picture_stream
from frame2sound.film.track import WILDEST, Sound, Track, over_full_scale
from frame2sound.film.transparency import decoder_of

DECLARES_ITS_LENGTH = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi")
"""Containers whose stated duration can be believed; others only guess it from the bit rate."""

TRUNCATED = 1.0
"""Seconds by which a film may end before its stated duration and still be whole."""

Timed: TypeAlias = "Iterator[tuple[Packet, float]]"
"""Packets, each with the latest end of all so far in seconds, by the container's clock."""


class Way(Enum):
    """How a film is decoded: in parts side by side, by one decoder's threads, or by one thread."""

    PARTS = 1
    WHOLE = 2
    CAREFUL = 3


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
    ground : int
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
        limits: Limits = USUAL,
        threads: int | None = None,
        hardware: str | None = None,
        fps: Fraction | None = None,
        ground: int = 0,
    ) -> None:
        self.streams: Streams = find_streams(path, video_stream, audio_stream, limits, fps)
        self.limits = limits
        wide, high = self.streams.width, self.streams.height
        self.threads = limits.threads(threads or os.cpu_count() or 1, wide, high)
        self.hardware = hardware
        self.ground = ground
        self.reached = 0.0
        self.notes = list(self.streams.notes)
        self.allow_damaged = allow_damaged
        self.sample_rate = sample_rate
        self.channels = channels
        self._damaged_at: list[float] = []
        self._joins: list[str] = []
        self._track: Track | None = None
        if sample_rate is not None and self.streams.audio is None:
            remedy = "; lay its sound beside the pictures" if fps is not None else ""
            raise FilmError(
                f"{path} has no audio stream; expected a film with sound to learn from{remedy}"
            )

    def __iter__(self) -> Iterator[Frame | Sound]:
        """Yield frames, grey, and sound; see `events`."""
        return self.events()

    def events(self, *, colour: bool = False) -> Iterator[Frame | Sound]:
        """Yield frames and sound as they are decoded, each kind in order of time."""
        return self._read(colour, sounding=True)

    def frames(self, *, colour: bool = False) -> Iterator[Frame]:
        """Yield the picture alone, grey or in ``colour``."""
        for event in self._read(colour, sounding=False):
            assert isinstance(event, Frame)
            yield event

    def sounds(self) -> Iterator[Sound]:
        """Yield the sound alone; the picture is not decoded."""
        assert self.sample_rate is not None
        for event in self._read(None, sounding=True):
            assert isinstance(event, Sound)
            yield event

    def _read(self, colour: bool | None, *, sounding: bool) -> Iterator[Frame | Sound]:
        """Read the film, as fast as gives the same on every computer.

        In parts; where that is not steady, from there on in one go; and where there is damage, at
        which threads guess differently, with a single one. Without the picture where ``colour`` is
        None.
        """
        lens = None
        if colour is not None:
            marks = {
                name: getattr(self.streams, name)
                for name in ("quarter_turns", "mirrored", "opaque")
            }
            lens = partial(Lens, colour=colour, ground=self.ground, **marks)
        given: Counter[type] = Counter()
        way = Way.PARTS
        while True:
            seen = given.copy()
            try:
                for event in self._pass(lens, way, sounding=sounding):
                    seen[type(event)] -= 1
                    if seen[type(event)] < 0:
                        given[type(event)] += 1
                        yield event
                break
            except UnsteadyError as error:
                way = Way.CAREFUL if error.damaged else Way.WHOLE
                self._damaged_at.clear()
        self.notes += self._joins
        self._note_damage()
        if self._track is not None:
            self.notes += self._track.notes()

    def _pass(self, lens: MakeLens | None, way: Way, *, sounding: bool) -> Iterator[Frame | Sound]:
        """Read the film once, from its start."""
        with ExitStack() as open_now:
            container = open_now.enter_context(self._open(way))
            packets, end = self._packets(container), 0.0
            if way is Way.PARTS and (lens is None or self.hardware is not None):
                way = Way.WHOLE
            elif way is Way.PARTS:
                first, way = self._look_ahead(packets)
                packets = chain(first, packets)
            threads = ThreadPoolExecutor(self.threads, "film")
            open_now.callback(threads.shutdown, cancel_futures=True)
            timeline, ear, decoder = FrameTimer(self.streams, self.limits), None, None
            if sounding and self.sample_rate is not None:
                ear = self._ear(container, way, threads)
            if lens is not None:
                decoder = self._decoder(container, lens, way, threads)
                open_now.callback(decoder.close)
            for packet, end in packets:
                if self.streams.is_picture(packet) and decoder is not None:
                    yield from self._pictures(decoder, packet, end, timeline, way)
                elif self.streams.is_sound(packet) and ear is not None:
                    yield from ear.hear(packet, end)
            if decoder is not None:
                for shot in decoder.finish():
                    yield from timeline.feed(shot)
                yield from timeline.last()
            if ear is not None:
                yield from ear.finish()
                self._check_level()
            self._check_length(container, end)
            self._check_rest(container)

    def _open(self, way: Way) -> InputContainer:
        if self.hardware is None or way is Way.CAREFUL:
            return self.streams.open(limits=self.limits)
        container = open_on(self.hardware, self.streams)
        if not picture_stream(container, self.streams).codec_context.is_hwaccel:
            codec = self.streams.video_codec
            self.notes.append(f"{self.hardware} does not decode {codec} here; it was done without")
        return container

    def _look_ahead(self, packets: Timed) -> tuple[list[tuple[Packet, float]], Way]:
        """Read packets until it is known whether there is more than one segment soon."""
        first, weight, count = [], 0, 0
        for packet, end in packets:
            first.append((packet, end))
            weight += packet.size
            if self.streams.is_picture(packet):
                count += 1
                if packet.is_keyframe and count > LEAST_PACKETS:
                    return first, Way.PARTS
            if len(first) >= MOST_WAITING or weight >= MOST_BYTES:
                break
        return first, Way.WHOLE

    def _decoder(
        self,
        container: InputContainer,
        lens: MakeLens,
        way: Way,
        threads: ThreadPoolExecutor,
    ) -> Straight | Segments:
        if way is Way.PARTS:
            return Segments(
                partial(_picture_decoder, self.streams, self.limits), lens, threads, self.threads
            )
        picture = picture_stream(container, self.streams)
        alone = way is Way.CAREFUL or picture.codec_context.is_hwaccel
        return Straight(picture, lens, 1 if alone else self.threads + SPARE_THREADS)

    def _ear(self, container: InputContainer, way: Way, threads: ThreadPoolExecutor) -> Ear | Aside:
        assert self.sample_rate is not None
        assert self.streams.audio is not None
        sound = next(each for each in container.streams.audio if each.index == self.streams.audio)
        names = channel_names(sound.codec_context)
        self._track = Track(self.sample_rate, self.streams.start, self.channels, names)
        ear = Ear(self._track, partial(self._damage_seen, way))
        return Aside(ear, threads) if way is Way.PARTS else ear

    def _packets(self, container: InputContainer) -> Timed:
        """Yield a film's packets."""
        continuity = Continuity(self.streams, container.format.name)
        packets = continuity(as_browsers_show(container.format.name, container.demux()))
        ticks = {stream.index: float(stream.time_base or 0) for stream in container.streams}
        end = 0.0
        while True:
            try:
                packet, damaged = next(packets)
            except StopIteration:
                if continuity.damaged_at_end is not None:
                    self._damage(continuity.damaged_at_end)
                self._joins = continuity.notes
                return
            except av.FFmpegError:
                self._damage(end)
                return
            if packet.pts is not None:
                tick = ticks.get(packet.stream.index, 0.0)
                end = max(end, (packet.pts + (packet.duration or 0)) * tick)
                self.reached = end
            if damaged is not None:
                self._damage(damaged)
            if packet.size or packet.dts is None is packet.pts:  # else it brings nothing
                yield packet, end

    def _pictures(
        self,
        decoder: Straight | Segments,
        packet: Packet,
        end: float,
        timeline: FrameTimer,
        way: Way,
    ) -> Iterator[Frame]:
        try:
            for shot in decoder.feed(packet):
                if shot.damaged:
                    self._damage_seen(way, float((shot.pts or 0) * self.streams.tick))
                yield from timeline.feed(shot)
        except av.FFmpegError as error:
            what = None
            if error.errno == EINVAL:  # what decoders answer to a size beyond theirs
                what = (
                    f"has a picture at {end - float(self.streams.start):.2f} s that is larger than "
                    f"{self.limits.megapixels:g} megapixels or of no possible size"
                )
            self._damage_seen(way, end, what)

    def _damage_seen(self, way: Way, at: float, what: str | None = None) -> None:
        if way is not Way.CAREFUL:
            raise UnsteadyError(damaged=True)
        self._damage(at, what)

    def _check_level(self) -> None:
        if self._track is not None and self._track.peak:
            peak = over_full_scale(self._track.peak)
            raise FilmError(
                f"{self.streams.path} is not damaged, but its sound is {peak} over full scale, "
                f"expected {20 * math.log10(WILDEST):.0f} dB at most; lower it, as with "
                f"ffmpeg -i FILM -c:v copy -af volume=-{peak.replace(' ', '')} LOWERED"
            )

    def _check_length(self, container: InputContainer, end: float) -> None:
        if container.format.name not in DECLARES_ITS_LENGTH or not container.duration:
            return
        # All three count their duration from 0, also when the first timestamp is later.
        stated = container.duration / av.time_base
        if end < stated - TRUNCATED:
            self._damage(end, f"ends at {end:.2f} s of the {stated:.2f} s it states")

    def _check_rest(self, container: InputContainer) -> None:
        at = second_film(self.streams.path, container.format.name)
        if at is None:
            return
        if not self.allow_damaged:
            raise DamagedFilmError(
                f"{self.streams.path} holds a second film from byte {at} on, which cannot be read "
                "with the first; split it there, or use the first alone with --allow-damaged"
            )
        self._joins = [*self._joins, f"a second film from byte {at} on was left out"]

    def _damage(self, at: float, what: str | None = None) -> None:
        seconds = max(at - float(self.streams.start), 0.0)
        if not self.allow_damaged:
            what = what or f"cannot be decoded at {float(seconds):.2f} s"
            raise DamagedFilmError(
                f"{self.streams.path} is damaged: it {what}; "
                "copy it again, or use what can be read with --allow-damaged"
            )
        self._damaged_at.append(seconds)

    def _note_damage(self) -> None:
        if self._damaged_at:
            first, last = min(self._damaged_at), max(self._damaged_at)
            self.notes.append(f"damaged from {first:.2f} s to {last:.2f} s; used what decodes")


def _picture_decoder(streams: Streams, limits: Limits) -> av.VideoCodecContext:
    """Return a decoder of a film's picture.

    The film that it is taken from is let go: its index grows with its length, and no decoder needs
    it.
    """
    return decoder_of(picture_stream(streams.open(limits=limits), streams))
