"""Find out what a film contains: its streams, their formats, and when they start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.sidedata.sidedata import Type
from av.stream import Disposition
from av.video.frame import VideoFrame

from frame2sound.errors import FilmError
from frame2sound.film.decoding.audio_format import channel_names
from frame2sound.film.decoding.ffmpeg_input import Packet
from frame2sound.film.decoding.image_sequence import image_files, is_image_sequence
from frame2sound.film.decoding.media_source import hardware_device, is_animated_webp, open_media
from frame2sound.film.decoding.options import DEFAULT_DECODE_OPTIONS, DecodeOptions
from frame2sound.film.decoding.tone_mapping import hdr_transfer
from frame2sound.film.decoding.transparency import ignores_alpha
from frame2sound.film.limits import DEFAULT_LIMITS, Limits

NO_VIDEO = -1
"""Index of the video stream of a file that has sound alone."""

ANIMATED_IMAGE_DEMUXERS = ("gif", "apng", "webp", "webp_anim", "awebp")
"""FFmpeg's demuxers of animated images."""

DEMUXERS_WITH_EXACT_DURATION = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi")
"""Containers whose declared duration is reliable; others estimate it from the bit rate."""

MAX_SNAPPED_TIME_BASE = Fraction(1, 1000)
"""Timestamps in ticks up to this long, Matroska's milliseconds, are snapped to the frame grid."""

MIN_FULL_RATE = 1000
"""Lowest rate in Hz at which a film's sound is kept as it is heard."""


def _unknown_side_data(kind: type[Type], value: object) -> Type:
    return kind.SEI_UNREGISTERED


# PyAV 18.1 returns no side data of a frame at all if it does not know one kind, such as EXIF.
Type._missing_ = classmethod(_unknown_side_data)  # type: ignore[method-assign, assignment]


@dataclass(frozen=True)
class Streams:
    """The selected streams of a film, by its header and its first frame.

    Attributes
    ----------
    path : Path
    video_index, audio_index : int
        Indices of the selected streams in the container; ``audio_index`` is None without audio,
        ``video_index`` is `NO_VIDEO` if sound alone is accepted.
    start_seconds : Fraction
        Presentation time of the first frame by the container's clock. It is time 0 of the film in
        the rest of the program.
    fps : Fraction
        Nominal frame rate. Used only to snap times that the container has rounded, and for the
        duration of a last frame without one. Of an animated image it may be the rate of its ticks.
    time_base : Fraction
        Seconds per tick of the video stream.
    width, height : int
        Size of the first frame as stored.
    quarter_turns, mirrored : int, bool
        See `orientation`.
    video_codec : str
    audio_sample_rate, audio_channels : int
        0 without audio.
    notes : tuple of str
        What a person should know about the film.
    declared_seconds : float, optional
        Duration that the container declares.
    declared_audio_end_seconds : Fraction, optional
        Declared end of the audio, from the film's start; None where it would be an estimate.
    sequence_fps : Fraction, optional
        Frame rate that was given for numbered pictures.
    ignore_alpha : bool
        Whether the alpha channel has no meaning.
    pixel_aspect : Fraction
        Width of a pixel as it is shown, divided by its height, before quarter turns.
    is_animated_image : bool
        Whether each picture has a delay of its own, as in GIF, and none is repeated.
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
    pixel_aspect: Fraction = Fraction(1)
    is_animated_image: bool = False

    def open(
        self, hwaccel: HWAccel | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> InputContainer:
        """Open the film again; see `open_media`."""
        return open_media(self.path, self.sequence_fps, hwaccel=hwaccel, limits=limits)

    def open_with_hardware(self, device: str, limits: Limits = DEFAULT_LIMITS) -> InputContainer:
        """Open the film again so that a device decodes its video if it knows the codec.

        Devices give the same pictures as FFmpeg, as H.264 and similar codecs define every pixel.

        Raises
        ------
        FilmError
            There is no such device, or it does not open.
        """
        hwaccel = hardware_device(device)
        try:
            return self.open(hwaccel, limits=limits)
        except FilmError as error:
            raise FilmError(
                f"the decoding device {device} does not open here ({error.__cause__}); leave out "
                "`hardware`, or repair its driver"
            ) from error

    def full_sound_format(self, max_rate: int) -> tuple[int, int]:
        """Return rate in Hz and channels, 1 or 2, in which to keep the film's sound as it is heard.

        The rate is the film's own, at most ``max_rate``, and one that FLAC can hold in each frame.
        """
        rate = min(max(self.audio_sample_rate, MIN_FULL_RATE), max_rate)
        rate -= rate % 10 if rate > 0xFFFF else 0
        return rate, 1 if self.audio_channels == 1 else 2

    def is_video(self, packet: Packet) -> bool:
        """Return whether a packet belongs to the selected video stream."""
        return bool(packet.stream.type == "video" and packet.stream.index == self.video_index)

    def is_audio(self, packet: Packet) -> bool:
        """Return whether a packet belongs to the selected audio stream."""
        return bool(packet.stream.type == "audio" and packet.stream.index == self.audio_index)

    @cached_property
    def _snaps_to_frame_grid(self) -> bool:
        """Whether the container has rounded the times of frames, and finely enough to tell."""
        exact = (1 / self.fps / self.time_base).denominator == 1
        return (
            not exact
            and self.time_base <= MAX_SNAPPED_TIME_BASE
            and self.fps * self.time_base * 4 <= 1
        )

    def to_seconds(self, pts: int) -> Fraction:
        """Return a presentation time in seconds from the film's start, with rounding undone.

        A container with ticks of a millisecond stores frame k of a 30 fps film up to half a tick
        away from k / 30. A time within one tick of a multiple of the frame duration (the first
        frame is rounded, too) becomes that multiple.
        """
        seconds = self.to_unsnapped_seconds(pts)
        if not self._snaps_to_frame_grid:
            return seconds
        on_grid = round(seconds * self.fps) / self.fps
        return on_grid if abs(on_grid - seconds) <= self.time_base else seconds

    def to_unsnapped_seconds(self, pts: int) -> Fraction:
        """Return a presentation time in seconds from the film's start, as stored."""
        return pts * self.time_base - self.start_seconds


def selected_video_stream(container: InputContainer, streams: Streams) -> av.VideoStream:
    """Return the selected video stream of an open film."""
    stream = container.streams[streams.video_index]
    assert isinstance(stream, av.VideoStream)
    return stream


def probe_streams(path: Path, options: DecodeOptions = DEFAULT_DECODE_OPTIONS) -> Streams:
    """Select the streams of a film, and decode its first frame to know when the film starts.

    Raises
    ------
    FilmError
        The film has no video, not so many streams, is beyond the limits, or nothing decodes.
    """
    limits = options.limits
    with open_media(path, options.fps, limits=limits) as container:
        video_streams = [s for s in container.streams.video if not _is_cover_art(s)]
        if not video_streams and options.allow_sound_alone and container.streams.audio:
            return _probe_sound(path, container, options)
        if not video_streams:
            covers = "only a cover picture" if container.streams.video else "only sound"
            raise FilmError(f"{path} has no moving picture ({covers}); expected a video stream")
        video: av.VideoStream = _select(video_streams, options.video_stream, path, "video")
        audio_streams = list(container.streams.audio)
        audio: av.AudioStream | None = None
        if options.audio_stream is not None or any(
            s.codec_context is not None for s in audio_streams
        ):
            audio = _select(audio_streams, options.audio_stream, path, "audio")
        context = video.codec_context
        limits.check_picture_size(path, context.width, context.height)
        first = _first_frame(container, video, path)
        limits.check_picture_size(path, first.width, first.height)
        time_base = Fraction(video.time_base or 0)
        start = Fraction(first.pts or 0) * time_base
        quarter_turns, mirrored = orientation(first)
        return Streams(
            path=path,
            video_index=video.index,
            audio_index=None if audio is None else audio.index,
            start_seconds=start,
            fps=Fraction(video.guessed_rate or video.average_rate or 25),
            time_base=time_base,
            width=first.width,
            height=first.height,
            quarter_turns=quarter_turns,
            video_codec=video.codec.canonical_name,
            audio_sample_rate=0 if audio is None else audio.sample_rate,
            audio_channels=0 if audio is None else len(channel_names(audio.codec_context)),
            notes=(
                *(image_files(path)[1] if is_image_sequence(path) else ()),
                *_selection_notes(video_streams, video, audio_streams, audio),
                *_picture_notes(first),
            ),
            declared_seconds=_declared_seconds(container),
            sequence_fps=options.fps,
            declared_audio_end_seconds=None
            if audio is None
            else _declared_audio_end(container, audio, start),
            mirrored=mirrored,
            ignore_alpha=ignores_alpha(container.format.name, video.codec.canonical_name),
            pixel_aspect=Fraction(video.sample_aspect_ratio or 1),
            is_animated_image=container.format.name in ANIMATED_IMAGE_DEMUXERS
            or is_animated_webp(path),
        )


def _probe_sound(path: Path, container: InputContainer, options: DecodeOptions) -> Streams:
    """Return the streams of a file without moving picture; its sound begins at time 0."""
    audio: av.AudioStream = _select(
        list(container.streams.audio), options.audio_stream, path, "audio"
    )
    time_base = Fraction(audio.time_base or Fraction(1, 1_000_000))
    start = (audio.start_time or 0) * time_base
    return Streams(
        path=path,
        video_index=NO_VIDEO,
        audio_index=audio.index,
        start_seconds=start,
        fps=Fraction(1),
        time_base=time_base,
        width=0,
        height=0,
        quarter_turns=0,
        video_codec="",
        audio_sample_rate=audio.sample_rate,
        audio_channels=len(channel_names(audio.codec_context)),
        notes=(),
        declared_seconds=_declared_seconds(container),
        declared_audio_end_seconds=_declared_audio_end(container, audio, start),
    )


def orientation(frame: VideoFrame) -> tuple[int, bool]:
    """Return how a frame must be turned to be upright, by its display matrix.

    Returns
    -------
    quarter_turns : int
        0 to 3, counter-clockwise, after mirroring. Other angles are rounded to the nearest.
    mirrored : bool
        Whether left and right are exchanged first.
    """
    stored: Any = frame.side_data.get("DISPLAYMATRIX")
    if stored is None:
        return 0, False
    matrix = np.frombuffer(memoryview(stored), np.int32)
    # ISO 14496-12, 8.3.2: the point (p, q) is shown at (a p + c q, b p + d q).
    a, b, c, d = (float(matrix[place]) for place in (0, 1, 3, 4))
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    angle = np.arctan2(c - b, a + d)  # of the rotation that is nearest to the matrix
    return round(float(angle) / (np.pi / 2)) % 4, mirrored


def _declared_audio_end(
    container: InputContainer, stream: av.AudioStream, start: Fraction
) -> Fraction | None:
    is_exact = container.format.name in DEMUXERS_WITH_EXACT_DURATION
    if not is_exact or stream.duration is None or stream.time_base is None:
        return None
    return ((stream.start_time or 0) + stream.duration) * stream.time_base - start


def _is_cover_art(stream: av.stream.Stream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _select(streams: list, number: int | None, path: Path, kind: str):  # type: ignore[no-untyped-def, type-arg]
    """Return the stream of a number, else the default one, else the first."""
    stream = _by_number_or_default(streams, number, path, kind)
    if stream.codec_context is None:
        raise FilmError(
            f"{path}: its {kind} has an unknown codec, expected one that FFmpeg decodes; convert "
            "it, or copy it again if it is damaged"
        )
    return stream


def _by_number_or_default(streams: list, number: int | None, path: Path, kind: str):  # type: ignore[no-untyped-def, type-arg]
    if number is not None:
        if not 0 <= number < len(streams):
            raise FilmError(
                f"{path} has {len(streams)} {kind} streams, got `{kind}_stream` {number}; "
                f"expected 0 to {len(streams) - 1}"
                if streams
                else f"{path} has no {kind} stream, got `{kind}_stream` {number}; leave it out"
            )
        return streams[number]
    known = [s for s in streams if s.codec_context is not None] or streams
    return next((s for s in known if s.disposition & Disposition.default), known[0])


def _selection_notes(video_streams, video, audio_streams, audio) -> tuple[str, ...]:  # type: ignore[no-untyped-def]
    notes = []
    if len(video_streams) > 1:
        notes.append(f"used video stream {video_streams.index(video)} of {len(video_streams)}")
    if audio is None and audio_streams:
        notes.append("its audio has an unknown codec; it was left out")
    elif len(audio_streams) > 1:
        notes.append(f"used audio stream {audio_streams.index(audio)} of {len(audio_streams)}")
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
    remedy = "remove its encryption first" if encrypted else "copy it again"
    raise FilmError(f"{path}: the video cannot be decoded ({why}); {remedy}")


def _looks_encrypted(path: Path) -> bool:
    """Return whether an MP4 has boxes of encrypted samples or of keys (ISO 23001-7)."""
    with path.open("rb") as file:
        head = file.read(1 << 20)
    return any(mark in head for mark in (b"encv", b"enca", b"pssh", b"cenc", b"cbcs"))
