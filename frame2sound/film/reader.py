"""Reading a film as one stream of timed frames and timed sound; memory does not grow with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from frame2sound.errors import DamagedFilmError, FilmError
from frame2sound.film import picture
from frame2sound.film.streams import Streams, find_streams, open_film, picture_stream
from frame2sound.film.track import Sound, Track

DECLARES_ITS_LENGTH = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi")
"""Containers whose stated duration can be believed; others only guess it from the bit rate."""

SPARE_THREADS = 4
"""Decoding threads beyond the processors; they go on while a frame is being shrunk."""

TRUNCATED = 1.0
"""Seconds by which a film may end before its stated duration and still be whole."""


@dataclass(frozen=True)
class Frame:
    """A picture on screen from ``time`` up to ``until`` seconds.

    It is uint8, ``(64, 64)`` grey or ``(64, 64, 3)`` in colour.
    """

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
        self._damaged_at: list[float] = []
        if sample_rate is not None and self.streams.audio is None:
            raise FilmError(f"{path} has no audio stream; expected a film with sound to learn from")

    def __iter__(self) -> Iterator[Frame | Sound]:
        """Yield frames, grey, and sound; see `events`."""
        return self.events()

    def events(self, *, colour: bool = False) -> Iterator[Frame | Sound]:
        """Yield frames and sound as they are decoded, each kind in order of time."""
        track = None
        if self.sample_rate is not None:
            track = Track(self.sample_rate, self.streams.start, self.channels)
        return self._read(_Pictures(self.streams, colour), track)

    def frames(self, *, colour: bool = False) -> Iterator[Frame]:
        """Yield the picture alone, grey or in ``colour``."""
        for event in self._read(_Pictures(self.streams, colour), None):
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
            video.codec_context.thread_count = (os.cpu_count() or 1) + SPARE_THREADS
            end = 0.0
            for packet, end in self._packets(container):
                try:
                    if packet.stream.index == self.streams.video and pictures is not None:
                        yield from self._pictures(packet, pictures)
                    elif packet.stream.index == self.streams.audio and track is not None:
                        yield from self._sounds(packet, track)
                except av.FFmpegError:
                    if packet.stream.index == self.streams.audio and track is not None:
                        track.lose()
                    self._damage(end)
            if track is not None:
                yield from track.flush()
            if pictures is not None:
                yield from pictures.last()
            self._check_length(container, end)
        self._note_damage()

    def _packets(self, container: InputContainer) -> Iterator[tuple[av.Packet[Any], float]]:
        """Yield packets, each with the latest end of all so far, by the container's clock."""
        packets = container.demux()
        ticks = {stream.index: float(stream.time_base or 0) for stream in container.streams}
        end = 0.0
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.FFmpegError:
                self._damage(end)
                return
            if packet.pts is not None:
                tick = ticks.get(packet.stream.index, 0.0)
                end = max(end, (packet.pts + (packet.duration or 0)) * tick)
            if packet.is_corrupt:
                self._damage(end)
            yield packet, end

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

    def _check_length(self, container: InputContainer, end: float) -> None:
        if container.format.name not in DECLARES_ITS_LENGTH or not container.duration:
            return
        # All three count their duration from 0, also when the first timestamp is later.
        stated = container.duration / av.time_base
        if end < stated - TRUNCATED:
            self._damage(end, f"ends at {end:.2f} s of the {stated:.2f} s it states")

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


class _Pictures:
    """Turns decoded frames into `Frame`s, each held back until its end is known."""

    def __init__(self, streams: Streams, colour: bool) -> None:
        self.streams = streams
        self._shrink = picture.colour if colour else picture.grey
        self._held: tuple[Fraction, NDArray[np.uint8]] | None = None
        self._end: int | None = None

    def feed(self, frame: av.VideoFrame) -> Iterator[Frame]:
        time = self._until() if frame.pts is None else self.streams.time(frame.pts)
        if self._held is None:
            time = max(time, Fraction(0))
        elif time > self._held[0]:
            yield Frame(self._held[0], time, self._held[1])
        else:
            time = self._held[0]
        known = frame.pts is not None and frame.duration
        self._end = frame.pts + frame.duration if known else None  # type: ignore[operator]
        self._held = time, self._shrink(frame, self.streams.quarter_turns)

    def last(self) -> Iterator[Frame]:
        if self._held is not None:
            yield Frame(self._held[0], self._until(), self._held[1])

    def _until(self) -> Fraction:
        """Return how long the held frame is shown if nothing follows it."""
        if self._held is None:
            return Fraction(0)
        if self._end is None:
            return self._held[0] + 1 / self.streams.fps
        return max(self.streams.time(self._end), self._held[0] + self.streams.tick)


def _seconds(frame: av.VideoFrame | av.AudioFrame) -> float:
    return float((frame.pts or 0) * (frame.time_base or 0))
