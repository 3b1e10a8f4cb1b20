"""A film's picture encoded, where it cannot be copied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from numpy.typing import NDArray

from frame2sound.errors import SoundtrackError
from frame2sound.film.decoding.discontinuity import DiscontinuityCorrector
from frame2sound.film.decoding.frame_delays import apply_browser_delays
from frame2sound.film.decoding.frame_resizer import colour_matrix
from frame2sound.film.decoding.probe import Streams, selected_video_stream
from frame2sound.film.decoding.tone_mapping import hdr_transfer, tone_mapped_rgb
from frame2sound.film.decoding.transparency import alpha_plane, composite_over, plane_view

VIDEO_ENCODERS = {
    "h264": ("libx264", "H.264", {"crf": "12"}),
    "vp9": ("libvpx-vp9", "VP9", {"crf": "16", "deadline": "realtime", "cpu-used": "6"}),
}
"""By what FFmpeg calls a codec: its encoder, its name, and how it is used; the first that a
container holds is taken."""


class VideoEncoder:
    """Encodes a film's picture into a container, each frame shown when it was.

    Attributes
    ----------
    notes : tuple of str
        Why, and as what.

    Raises
    ------
    SoundtrackError
        The container can hold none of `CODECS`.
    """

    def __init__(
        self, streams: Streams, output: OutputContainer, reason: str, background: int = 0
    ) -> None:
        codec = next((kind for kind in VIDEO_ENCODERS if kind in output.supported_codecs), None)
        if codec is None:
            raise SoundtrackError(
                f"{reason}, and its container can hold no H.264 or VP9; write to .mkv"
            )
        encoder, name, options = VIDEO_ENCODERS[codec]
        turned = streams.quarter_turns % 2
        sides = (streams.height, streams.width) if turned else (streams.width, streams.height)
        self.notes: tuple[str, ...] = (f"{reason}; encoded as {name}",)
        if any(side % 2 for side in sides):
            self.notes += ("padded by one pixel to an even size",)
        self._streams, self._background = streams, background
        drawn = output.add_stream(encoder, rate=streams.fps, options=dict(options))
        assert isinstance(drawn, av.VideoStream)
        self._stream = drawn
        self._stream.width, self._stream.height = (side + side % 2 for side in sides)
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = streams.time_base
        if output.format.name == "avi":  # it counts frames, and cannot reorder them
            self._stream.codec_context.time_base = 1 / streams.fps
            self._stream.codec_context.max_b_frames = 0

    def packets(self, source: InputContainer) -> Iterator[av.Packet[av.VideoStream]]:
        """Yield the encoded picture, its first frame at time 0."""
        tick = self._stream.codec_context.time_base
        shown: dict[int | None, int] = {}
        last, end = -1, Fraction(0)
        for frame in _frames(source, self._streams):
            time, duration = end, 1 / self._streams.fps
            if frame.pts is not None:
                time = self._streams.to_seconds(frame.pts)
                duration = frame.duration * self._streams.time_base or duration
            even, end = self._to_encoder_frame(frame), time + duration
            even.pts, even.time_base = round(time / tick), tick
            if even.pts > last:
                last, shown[even.pts] = even.pts, round(duration / tick)
                yield from _with_durations(self._stream.encode(even), shown)
        yield from _with_durations(self._stream.encode(None), shown)

    def _to_encoder_frame(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return a frame upright, its edges repeated up to the size that is encoded."""
        colours = _to_rgb(frame, self._background)
        if self._streams.mirrored:
            colours = colours[:, ::-1]
        colours = np.rot90(colours, self._streams.quarter_turns)
        room = zip((self._stream.height, self._stream.width), colours.shape, strict=False)
        padding = [(0, max(wanted - side, 0)) for wanted, side in room]
        padded = np.pad(colours, [*padding, (0, 0)], mode="edge")
        return av.VideoFrame.from_ndarray(np.ascontiguousarray(padded, np.uint8), "rgb24")


def _frames(source: InputContainer, streams: Streams) -> Iterator[av.VideoFrame]:
    continuity = DiscontinuityCorrector(streams, source.format.name)
    packets = apply_browser_delays(
        source.format.name, source.demux(selected_video_stream(source, streams))
    )
    for packet, _ in continuity(packets):
        with suppress(av.FFmpegError):  # the reader has told of damage
            yield from packet.decode()


def _to_rgb(frame: av.VideoFrame, background: int) -> NDArray[np.uint8]:
    """Return red, green and blue as seen: tone-mapped, transparent pictures over a ground."""
    matrix, transfer = colour_matrix(frame), hdr_transfer(frame)
    if transfer is None:
        rgb = frame.reformat(format="gbrp", src_colorspace=matrix, dst_colorspace=matrix, threads=1)
        planes = [plane_view(rgb, number) for number in (2, 0, 1)]
    else:
        planes = tone_mapped_rgb(frame, transfer, matrix)
    alpha = alpha_plane(frame, matrix)
    return np.stack([composite_over(plane, alpha, background) for plane in planes], axis=-1)


def _with_durations(
    packets: list[av.Packet[av.VideoStream]], durations: dict[int | None, int]
) -> Iterator[av.Packet[av.VideoStream]]:
    """Give each packet the time that its frame is shown, which the encoder takes for even."""
    for packet in packets:
        packet.duration = durations.pop(packet.pts, packet.duration or 0)
        yield packet
