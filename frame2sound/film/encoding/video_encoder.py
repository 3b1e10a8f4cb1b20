"""Encode video: RGB pictures, or a film's video that cannot be copied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from numpy.typing import NDArray

from frame2sound.errors import SoundtrackError
from frame2sound.film.decoding.ffmpeg_input import Packet
from frame2sound.film.decoding.frame_resizer import rgb_planes
from frame2sound.film.decoding.packet_timing import TimestampCorrector
from frame2sound.film.decoding.probe import Streams, selected_video_stream
from frame2sound.film.decoding.seeking import seek_to_key_frame
from frame2sound.film.encoding.excerpt import WHOLE_PICTURE, Excerpt

VIDEO_ENCODERS = {
    "h264": ("libx264", "H.264", {"crf": "12"}),
    "vp9": ("libvpx-vp9", "VP9", {"crf": "16", "deadline": "realtime", "cpu-used": "6"}),
}
"""For each codec, by FFmpeg's name, its encoder, its display name, and the encoder's options.

The first codec that a container supports is used.
"""

VideoPackets = list["av.Packet[av.VideoStream]"]


class RgbEncoder:
    """Encodes RGB pictures into a new video stream of a container.

    Parameters
    ----------
    output : OutputContainer
    encoder : str
        FFmpeg's name of the encoder.
    size : (int, int)
        Width and height in pixels.
    frame_rate : Fraction
    options : dict of str
        Options of the encoder.
    time_base : Fraction, optional
        Seconds per tick of the pictures' times; one frame if not given.
    pixel_format : str
    """

    def __init__(
        self,
        output: OutputContainer,
        encoder: str,
        size: tuple[int, int],
        frame_rate: Fraction,
        options: dict[str, str],
        *,
        time_base: Fraction | None = None,
        pixel_format: str = "yuv420p",
    ) -> None:
        stream = output.add_stream(encoder, rate=frame_rate, options=dict(options))
        assert isinstance(stream, av.VideoStream)
        self.stream = stream
        self.time_base = time_base or 1 / frame_rate
        self.stream.width, self.stream.height = size
        self.stream.pix_fmt = pixel_format
        self.stream.codec_context.time_base = self.time_base

    def encode(self, picture: NDArray[np.uint8], pts: int) -> VideoPackets:
        """Encode a picture, ``(height, width, 3)``, displayed at a time in ticks."""
        frame = av.VideoFrame.from_ndarray(picture, "rgb24")
        frame.pts, frame.time_base = pts, self.time_base
        return self.stream.encode(frame)

    def flush(self) -> VideoPackets:
        """Return the remaining packets."""
        return self.stream.encode(None)


class VideoEncoder:
    """Encodes a film's video into a container; each frame keeps its time and duration.

    Parameters
    ----------
    streams : Streams
    output : OutputContainer
    reason : str
        Why the video cannot be copied.
    background : int
        Grey level, 0 (black) to 255, behind transparent pictures.
    excerpt : Excerpt
        The part that is encoded.

    Attributes
    ----------
    notes : tuple of str
        The reason, and the codec that is used.

    Raises
    ------
    SoundtrackError
        The container supports none of `VIDEO_ENCODERS`.
    """

    def __init__(
        self,
        streams: Streams,
        output: OutputContainer,
        reason: str,
        background: int = 0,
        excerpt: Excerpt = WHOLE_PICTURE,
    ) -> None:
        codec = next((kind for kind in VIDEO_ENCODERS if kind in output.supported_codecs), None)
        if codec is None:
            raise SoundtrackError(
                f"{reason}, and its container can hold no H.264 or VP9; write to .mkv"
            )
        encoder, name, options = VIDEO_ENCODERS[codec]
        sideways = streams.quarter_turns % 2
        sides = (streams.height, streams.width) if sideways else (streams.width, streams.height)
        self.notes: tuple[str, ...] = (f"{reason}; encoded as {name}",)
        if any(side % 2 for side in sides):
            self.notes += ("padded by one pixel to an even size",)
        self._streams, self._background, self._excerpt = streams, background, excerpt
        self._size = sides[0] + sides[0] % 2, sides[1] + sides[1] % 2
        is_avi = output.format.name == "avi"  # it counts frames, and cannot reorder them
        time_base = 1 / streams.fps if is_avi else streams.time_base
        self._encoder = RgbEncoder(
            output, encoder, self._size, streams.fps, options, time_base=time_base
        )
        if is_avi:
            self._encoder.stream.codec_context.max_b_frames = 0

    def packets(self, source: InputContainer) -> Iterator[av.Packet[av.VideoStream]]:
        """Yield the encoded video, its first frame at time 0."""
        tick = self._encoder.time_base
        durations: dict[int | None, int] = {}
        last_pts = -1
        frames = _timed_frames(source, self._streams, self._excerpt.start_seconds)
        for frame, time, duration in self._excerpt.cut(frames):
            pts = round(time / tick)
            if pts > last_pts:
                last_pts, durations[pts] = pts, round(duration / tick)
                packets = self._encoder.encode(self._upright_rgb(frame), pts)
                yield from _with_durations(packets, durations)
        yield from _with_durations(self._encoder.flush(), durations)

    def _upright_rgb(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        """Return a frame in RGB, upright, its edges repeated up to the encoded size."""
        planes = rgb_planes(frame, self._background, ignore_alpha=self._streams.ignore_alpha)
        picture = np.stack(planes, axis=-1)
        if self._streams.mirrored:
            picture = picture[:, ::-1]
        picture = np.rot90(picture, self._streams.quarter_turns)
        width, height = self._size
        missing = max(height - picture.shape[0], 0), max(width - picture.shape[1], 0)
        padded = np.pad(picture, [(0, missing[0]), (0, missing[1]), (0, 0)], mode="edge")
        return np.ascontiguousarray(padded, np.uint8)


def _timed_frames(
    source: InputContainer, streams: Streams, from_seconds: Fraction
) -> Iterator[tuple[av.VideoFrame, Fraction, Fraction]]:
    """Yield frames, at least from a time on, each with its own time and duration in seconds."""
    end = Fraction(0)
    for frame in _decode_frames(source, streams, from_seconds):
        time, duration = end, 1 / streams.fps
        if frame.pts is not None:
            time = streams.to_seconds(frame.pts)
            duration = frame.duration * streams.time_base or duration
        end = time + duration
        yield frame, time, duration


def _decode_frames(
    source: InputContainer, streams: Streams, from_seconds: Fraction
) -> Iterator[av.VideoFrame]:
    """Yield frames in the order of time; some may be left out before ``from_seconds``."""
    packets = source.demux(selected_video_stream(source, streams))
    if not from_seconds:
        yield from _decode_packets(source, streams, packets)
        return
    timed = ((packet, 0.0) for packet in packets)
    sought = seek_to_key_frame(streams, source, timed, from_seconds) or ()
    seen = False
    for frame in _decode_packets(source, streams, (packet for packet, _ in sought)):
        is_early = streams.to_seconds(frame.pts or 0) <= from_seconds
        if not seen and (frame.is_corrupt or not is_early):
            break  # the key frame was not whole: start at the beginning
        seen = True
        yield frame
    if not seen:
        with streams.open() as anew:
            yield from _decode_frames(anew, streams, Fraction(0))


def _decode_packets(
    source: InputContainer, streams: Streams, packets: Iterable[Packet]
) -> Iterator[av.VideoFrame]:
    corrector = TimestampCorrector(streams, source.format.name)
    for packet, _ in corrector(packets):
        with suppress(av.FFmpegError):  # the film's reader has reported damage
            yield from packet.decode()


def _with_durations(
    packets: VideoPackets, durations: dict[int | None, int]
) -> Iterator[av.Packet[av.VideoStream]]:
    """Yield packets with the durations of their frames, which encoders do not keep."""
    for packet in packets:
        packet.duration = durations.pop(packet.pts, packet.duration or 0)
        yield packet
