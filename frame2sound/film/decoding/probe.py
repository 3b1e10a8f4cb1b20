"""Choosing in a film: which picture and which sound, when they start, what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame

from frame2sound.errors import FilmError
from frame2sound.film.decoding.audio_format import channel_names
from frame2sound.film.decoding.frame_delays import ANIMATED_IMAGE_DEMUXERS
from frame2sound.film.decoding.image_sequence import image_files, is_image_sequence
from frame2sound.film.decoding.media_source import open_media
from frame2sound.film.decoding.orientation import orientation
from frame2sound.film.decoding.tone_mapping import hdr_transfer
from frame2sound.film.decoding.transparency import ignores_alpha
from frame2sound.film.limits import DEFAULT_LIMITS, Limits

MAX_SNAPPED_TIME_BASE = Fraction(1, 1000)
"""Time bases as coarse as Matroska's milliseconds are snapped to the frame grid, none coarser."""


@dataclass(frozen=True)
class Streams:
    """What a film holds, as its header and its first frame tell.

    ``start`` is the first frame's presentation time in seconds by the container's clock: time 0
    of the film in the rest of the program. ``fps`` is nominal and used only to snap times that the
    container has rounded and to know how long a last frame without a duration is shown.
    ``stated_seconds`` is how long the film says it is, ``stated_sound_end`` when it says that its
    sound ends, in seconds from its start, if it says so. ``pictures_fps`` is the frame rate that
    numbered pictures were given. ``quarter_turns`` and ``mirrored`` are those of `orientation`. Of
    an ``opaque`` film no alpha channel is looked at.
    """

    path: Path
    video_index: int
    audio_index: int | None
    start_seconds: Fraction
    fps: Fraction
    time_base: Fraction
    width: int
    height: int
    quarter_turns: int
    video_codec: str
    audio_sample_rate: int
    audio_channels: int
    notes: tuple[str, ...]
    declared_seconds: float | None = None
    declared_audio_end_seconds: Fraction | None = None
    sequence_fps: Fraction | None = None
    mirrored: bool = False
    ignore_alpha: bool = False

    def open(
        self, hwaccel: HWAccel | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> InputContainer:
        """Open the film again; see `open_source`."""
        return open_media(
            self.path, self.sequence_fps, hwaccel=hwaccel, max_pixels=limits.max_pixels
        )

    def is_video(self, packet: av.Packet[Any]) -> bool:
        """Whether a packet is of the chosen picture."""
        return bool(packet.stream.type == "video" and packet.stream.index == self.video_index)

    def is_audio(self, packet: av.Packet[Any]) -> bool:
        """Whether a packet is of the chosen sound."""
        return bool(packet.stream.type == "audio" and packet.stream.index == self.audio_index)

    @cached_property
    def _snaps_to_frame_grid(self) -> bool:
        """Whether times may be off the frame grid by rounding: few ticks are exact, many are."""
        exact = (1 / self.fps / self.time_base).denominator == 1
        return (
            not exact
            and self.time_base <= MAX_SNAPPED_TIME_BASE
            and self.fps * self.time_base * 4 <= 1
        )

    def to_seconds(self, pts: int) -> Fraction:
        """Return a presentation time in seconds from the film's start, free of rounding.

        A container that ticks in milliseconds stores frame k of a 30 fps film up to half a tick
        off k / 30; when a grid point of the nominal rate lies within one tick (the first frame's
        own error included), that point is meant.
        """
        seconds = self.to_unsnapped_seconds(pts)
        if not self._snaps_to_frame_grid:
            return seconds
        on_grid = round(seconds * self.fps) / self.fps
        return on_grid if abs(on_grid - seconds) <= self.time_base else seconds

    def to_unsnapped_seconds(self, pts: int) -> Fraction:
        """Return the same as the container counts it."""
        return pts * self.time_base - self.start_seconds


def selected_video_stream(container: InputContainer, streams: Streams) -> av.VideoStream:
    """Return the chosen picture of an open film."""
    stream = container.streams[streams.video_index]
    assert isinstance(stream, av.VideoStream)
    return stream


def probe_streams(
    path: Path,
    video_stream: int | None = None,
    audio_stream: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
    fps: Fraction | None = None,
) -> Streams:
    """Choose a picture and a sound, and decode the first frame to know when the film starts.

    Parameters
    ----------
    path : Path
    video_stream, audio_stream : int, optional
        Which picture and which sound, counted from 0 among their kind. Without it the stream
        marked as default, or else the first.
    limits : Limits
        Of the picture's size and the length that the film states.
    fps : Fraction, optional
        Frames a second of numbered pictures.

    Raises
    ------
    FilmError
        The film has no picture, not so many streams, is beyond the limits, or nothing decodes.
    """
    with open_media(path, fps, max_pixels=limits.max_pixels) as container:
        pictures = [s for s in container.streams.video if not _is_cover_art(s)]
        if not pictures:
            covers = "only a cover picture" if container.streams.video else "only sound"
            raise FilmError(f"{path} has no moving picture ({covers}); expected a video stream")
        sounds = list(container.streams.audio)
        video = _choose(pictures, video_stream, path, "video")
        heard = any(sound.codec_context is not None for sound in sounds)
        wanted = heard or audio_stream is not None
        audio = _choose(sounds, audio_stream, path, "audio") if wanted else None
        context = video.codec_context
        limits.check_picture_size(path, context.width, context.height)
        first = _first_frame(container, video, path)
        limits.check_picture_size(path, first.width, first.height)
        start = Fraction(first.pts or 0) * video.time_base
        quarter_turns, mirrored = orientation(first)
        return Streams(
            path=path,
            video_index=video.index,
            audio_index=None if audio is None else audio.index,
            start_seconds=start,
            fps=Fraction(video.guessed_rate or video.average_rate or 25),
            time_base=Fraction(video.time_base),
            width=first.width,
            height=first.height,
            quarter_turns=quarter_turns,
            video_codec=video.codec.canonical_name,
            audio_sample_rate=0 if audio is None else audio.sample_rate,
            audio_channels=0 if audio is None else len(channel_names(audio.codec_context)),
            notes=(
                *(image_files(path)[1] if is_image_sequence(path) else ()),
                *_choice_notes(path, pictures, video, sounds, audio),
                *_picture_notes(first),
            ),
            declared_seconds=_declared_seconds(container),
            sequence_fps=fps,
            declared_audio_end_seconds=None if audio is None else _declared_audio_end(audio, start),
            mirrored=mirrored,
            ignore_alpha=ignores_alpha(container.format.name, video.codec.canonical_name),
        )


def _declared_audio_end(stream: av.AudioStream, start: Fraction) -> Fraction | None:
    if stream.duration is None or stream.time_base is None:
        return None
    return ((stream.start_time or 0) + stream.duration) * stream.time_base - start


def _is_cover_art(stream: av.stream.Stream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _choose(streams: list, number: int | None, path: Path, kind: str):  # type: ignore[no-untyped-def, type-arg]
    chosen = _by_number_or_default(streams, number, path, kind)
    if chosen.codec_context is None:
        raise FilmError(
            f"{path}: its {kind} is of a kind that is not known here, expected one that FFmpeg "
            "decodes; convert it, or copy it again if it is damaged"
        )
    return chosen


def _by_number_or_default(streams: list, number: int | None, path: Path, kind: str):  # type: ignore[no-untyped-def, type-arg]
    if number is not None:
        if not 0 <= number < len(streams):
            raise FilmError(
                f"{path} has {len(streams)} {kind} streams, got --{kind}-stream {number}; "
                f"expected 0 to {len(streams) - 1}"
                if streams
                else f"{path} has no {kind} stream, got --{kind}-stream {number}"
            )
        return streams[number]
    known = [s for s in streams if s.codec_context is not None] or streams
    return next((s for s in known if s.disposition & Disposition.default), known[0])


def _choice_notes(path, video_streams, video, audio_streams, audio) -> tuple[str, ...]:  # type: ignore[no-untyped-def]
    notes = []
    if len(video_streams) > 1:
        notes.append(f"took picture {video_streams.index(video)} of {len(video_streams)}")
    if audio is None and audio_streams:
        notes.append("its sound is of a kind that is not known here; it was left out")
    elif len(audio_streams) > 1:
        notes.append(f"took sound {audio_streams.index(audio)} of {len(audio_streams)}")
    return tuple(notes)


def _declared_seconds(container: InputContainer) -> float | None:
    if not container.duration or container.format.name in ANIMATED_IMAGE_DEMUXERS:
        return None
    return container.duration / av.time_base


def _picture_notes(first: VideoFrame) -> Iterator[str]:
    transfer = hdr_transfer(first)
    if transfer is not None:
        yield f"HDR ({transfer}): tone-mapped to SDR"


def _first_frame(container: InputContainer, video: av.VideoStream, path: Path) -> VideoFrame:
    failures = 0
    for packet in container.demux(video):
        try:
            for frame in packet.decode():
                return frame
        except av.FFmpegError:
            failures += 1
            if failures > 100:
                break
    encrypted = path.is_file() and _looks_encrypted(path)
    why = "it is encrypted" if encrypted else "every frame is damaged" if failures else "no frames"
    remedy = "take its protection off first" if encrypted else "copy it again"
    raise FilmError(f"{path}: the picture cannot be decoded ({why}); {remedy}")


def _looks_encrypted(path: Path) -> bool:
    """Tell whether an MP4's sample descriptions or key boxes say encryption (ISO 23001-7)."""
    with path.open("rb") as file:
        head = file.read(1 << 20)
    return any(mark in head for mark in (b"encv", b"enca", b"pssh", b"cenc", b"cbcs"))
