"""Reading a film as one stream of timed frames and timed sound; memory does not grow with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from frame2sound.errors import DamagedFilmError, FilmError
from frame2sound.film.picture import grey
from frame2sound.film.streams import Streams, find_streams, open_film, picture_stream
from frame2sound.film.track import Sound, Track

DECLARES_ITS_LENGTH = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi")
"""Containers whose stated duration can be believed; others only guess it from the bit rate."""

TRUNCATED = 1.0
"""Seconds by which a film may end before its stated duration and still be whole."""


@dataclass(frozen=True)
class Frame:
    """A picture, ``(64, 64)`` uint8, on screen from ``time`` up to ``until`` seconds."""

    time: Fraction
    until: Fraction
    picture: NDArray[np.uint8]


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

    Attributes
    ----------
    streams : Streams
    notes : list of str
        What a person should know about the reading, complete when it has ended.

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
    ) -> None:
        self.streams: Streams = find_streams(path, video_stream, audio_stream)
        self.notes = list(self.streams.notes)
        self.allow_damaged = allow_damaged
        self.sample_rate = sample_rate
        self.channels = channels
        self._damaged_at: list[Fraction] = []
        if sample_rate is not None and self.streams.audio is None:
            raise FilmError(f"{path} has no audio stream; expected a film with sound to learn from")

    def __iter__(self) -> Iterator[Frame | Sound]:
        """Yield frames and sound as they are decoded, each kind in order of time."""
        track = None
        if self.sample_rate is not None:
            track = Track(self.sample_rate, self.streams.start, self.channels)
        return self._read(_Pictures(self.streams), track)

    def frames(self) -> Iterator[Frame]:
        """Yield the picture alone."""
        for event in self._read(_Pictures(self.streams), None):
            assert isinstance(event, Frame)
            yield event

    def sounds(self) -> Iterator[Sound]:
        """Yield the sound alone; the picture is not decoded."""
        assert self.sample_rate is not None
        track = Track(self.sample_rate, self.streams.start, self.channels)
        for event in self._read(None, track):
            assert isinstance(event, Sound)
            yield event

    def _read(self, pictures: _Pictures | None, track: Track | None) -> Iterator[Frame | Sound]:
        with open_film(self.streams.path) as container:
            video = picture_stream(container, self.streams)
            # VP8's frame threads hide damage.
            video.thread_type = "SLICE" if self.streams.video_codec == "vp8" else "AUTO"
            end = Fraction(0)
            for packet in self._packets(container):
                end = max(end, _packet_end(packet))
                try:
                    if packet.stream.index == self.streams.video and pictures is not None:
                        yield from self._pictures(packet, pictures)
                    elif packet.stream.index == self.streams.audio and track is not None:
                        yield from self._sounds(packet, track)
                except av.FFmpegError:
                    self._damage(end)
            if track is not None:
                yield from track.flush()
            if pictures is not None:
                yield from pictures.last()
            self._check_length(container, end)
        self._note_damage()

    def _packets(self, container: InputContainer) -> Iterator[av.Packet[Any]]:
        packets = container.demux()
        last = Fraction(0)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError:
                self._damage(last)
                return
            if packet.is_corrupt:
                self._damage(_packet_end(packet))
            last = max(last, _packet_end(packet))
            yield packet

    def _pictures(self, packet: av.Packet[av.VideoStream], pictures: _Pictures) -> Iterator[Frame]:
        for frame in packet.decode():
            if frame.is_corrupt:
                self._damage(_seconds(frame))
            yield from pictures.feed(frame)

    def _sounds(self, packet: av.Packet[av.AudioStream], track: Track) -> Iterator[Sound]:
        for frame in packet.decode():
            try:
                yield from track.feed(frame)
            except ValueError:
                self._damage(_seconds(frame))

    def _check_length(self, container: InputContainer, end: Fraction) -> None:
        if container.format.name not in DECLARES_ITS_LENGTH or not container.duration:
            return
        # All three count their duration from 0, also when the first timestamp is later.
        stated = Fraction(container.duration, av.time_base)
        if end < stated - Fraction(TRUNCATED):
            self._damage(end, f"ends at {float(end):.2f} s of the {float(stated):.2f} s it states")

    def _damage(self, at: Fraction, what: str | None = None) -> None:
        seconds = max(at - self.streams.start, Fraction(0))
        if not self.allow_damaged:
            what = what or f"cannot be decoded at {float(seconds):.2f} s"
            raise DamagedFilmError(
                f"{self.streams.path} is damaged: it {what}; "
                "copy it again, or use what can be read with --allow-damaged"
            )
        self._damaged_at.append(seconds)

    def _note_damage(self) -> None:
        if self._damaged_at:
            first, last = float(min(self._damaged_at)), float(max(self._damaged_at))
            self.notes.append(f"damaged from {first:.2f} s to {last:.2f} s; used what decodes")


class _Pictures:
    """Turns decoded frames into `Frame`s, each held back until its end is known."""

    def __init__(self, streams: Streams) -> None:
        self.streams = streams
        self._held: Frame | None = None

    def feed(self, frame: av.VideoFrame) -> Iterator[Frame]:
        held = self._held
        if frame.pts is not None:
            time = self.streams.time(frame.pts)
        else:
            time = Fraction(0) if held is None else held.until
        if held is not None and time > held.time:
            yield replace(held, until=time)
        elif held is not None:
            time = held.time
        time = max(time, Fraction(0))
        until = time + 1 / self.streams.fps
        if frame.duration and frame.pts is not None:
            until = max(self.streams.time(frame.pts + frame.duration), time + self.streams.tick)
        self._held = Frame(time, until, grey(frame, self.streams.quarter_turns))

    def last(self) -> Iterator[Frame]:
        if self._held is not None:
            yield self._held


def _seconds(frame: av.VideoFrame | av.AudioFrame) -> Fraction:
    return Fraction(0) if frame.pts is None else frame.pts * Fraction(frame.time_base or 0)


def _packet_end(packet: av.Packet[Any]) -> Fraction:
    if packet.pts is None:
        return Fraction(0)
    return (packet.pts + (packet.duration or 0)) * Fraction(packet.time_base)
