"""Writing a film: its picture copied as it is, and a soundtrack beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from errno import EDQUOT, EFBIG, ENOSPC
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from numpy.typing import NDArray

from frame2sound.errors import SoundtrackError
from frame2sound.film.containers import SoundCodec
from frame2sound.film.delays import as_browsers_show
from frame2sound.film.streams import Streams, open_film, picture_stream
from frame2sound.film.voice import Voice, container_options

DRAWN_ANEW = ("gif", "apng")
"""Pictures that only their own container holds; they are encoded as H.264 instead of copied."""

CHUNK = 1 << 14
"""Most samples written between two looks at the picture."""


def write_soundtrack(
    streams: Streams,
    sound: Iterable[NDArray[np.float32]],
    sample_rate: int,
    channels: int,
    codec: SoundCodec,
    out: Path,
) -> float:
    """Write a film's picture and a soundtrack to ``out``.

    Both start at time 0. The picture's packets are copied; sound and picture are interleaved as
    they come, so memory stays small. Priming and padding of AAC and Opus are marked, so players
    neither start late nor add a tail.

    Parameters
    ----------
    sound : iterable of float32 arrays
        ``(n,)``, or ``(n, 2)`` for two channels, within full scale.

    Returns
    -------
    float
        The highest true peak in dBTP, as a player will decode it.

    Raises
    ------
    SoundtrackError
        The container cannot hold this picture.
    """
    options = container_options(out, sample_rate)
    with open_film(streams.path) as source, av.open(str(out), "w", options=options) as target:
        picture = _picture(source, streams, target)
        voice = Voice(target, codec, sample_rate, channels)
        _write_header(target, streams)
        written = Fraction(0)
        for chunk in sound:
            for begin in range(0, len(chunk), CHUNK):
                voice.say(chunk[begin : begin + CHUNK])
                written = Fraction(voice.position, sample_rate)
                _until(picture, written, target)
        voice.fall_silent()
        _until(picture, None, target)
        return voice.meter.peak_db


def _write_header(target: OutputContainer, streams: Streams) -> None:
    """Begin the file; some containers refuse a picture only now."""
    try:
        target.start_encoding()
    except av.FFmpegError as error:
        if isinstance(error, OSError):  # the disk, not the picture
            raise
        raise _cannot_hold(target, streams.video_codec) from error


def _cannot_hold(target: OutputContainer, kind: str) -> SoundtrackError:
    ending = Path(target.name).suffix
    return SoundtrackError(f"{ending} cannot hold a {kind} picture as it is; write to .mkv")


def _until(
    picture: Iterator[av.Packet[av.VideoStream]], time: Fraction | None, target: OutputContainer
) -> None:
    """Write the picture's packets up to a time in seconds, or all that are left."""
    for packet in picture:
        try:
            target.mux(packet)
        except av.FFmpegError as error:
            if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT, EFBIG):
                raise
            raise _cannot_hold(target, packet.stream.codec_context.name) from error
        if time is not None and _seconds(packet) > time:
            return


def _seconds(packet: av.Packet[av.VideoStream]) -> Fraction:
    return (packet.dts or 0) * Fraction(packet.time_base or 0)


def _picture(
    source: InputContainer, streams: Streams, target: OutputContainer
) -> Iterator[av.Packet[av.VideoStream]]:
    video = picture_stream(source, streams)
    if streams.video_codec in DRAWN_ANEW:
        return _encode(_frames(source, video), streams, _drawn(streams, target))
    kind = video.codec.canonical_name
    if kind not in target.supported_codecs:
        raise _cannot_hold(target, kind)
    return _copy(source, video, streams, target.add_stream_from_template(video, opaque=True))


def _frames(source: InputContainer, video: av.VideoStream) -> Iterator[av.VideoFrame]:
    for packet in as_browsers_show(source.format.name, source.demux(video)):
        yield from packet.decode()


def _copy(
    source: InputContainer, video: av.VideoStream, streams: Streams, copy: av.VideoStream
) -> Iterator[av.Packet[av.VideoStream]]:
    first = round(streams.start / streams.tick)
    for packet in source.demux(video):
        if not packet.size:
            continue
        if packet.dts is not None:
            packet.dts -= first
        if packet.pts is not None:
            packet.pts -= first
        packet.stream = copy
        yield packet


def _drawn(streams: Streams, target: OutputContainer) -> av.VideoStream:
    """Add a picture stream to draw anew; odd sizes are padded to even."""
    if "h264" not in target.supported_codecs:
        raise _cannot_hold(target, "drawn (H.264)")
    drawn = target.add_stream("libx264", rate=streams.fps, options={"crf": "12"})
    drawn.width, drawn.height = (side + side % 2 for side in (streams.width, streams.height))
    drawn.pix_fmt = "yuv420p"
    drawn.codec_context.time_base = streams.tick
    return drawn


def _encode(
    frames: Iterator[av.VideoFrame], streams: Streams, drawn: av.VideoStream
) -> Iterator[av.Packet[av.VideoStream]]:
    first = round(streams.start / streams.tick)
    shown: dict[int | None, int] = {}
    for frame in frames:
        even = _even(frame)
        even.pts, even.time_base = (frame.pts or 0) - first, streams.tick
        shown[even.pts] = frame.duration
        yield from _timed(drawn.encode(even), shown)
    yield from _timed(drawn.encode(None), shown)


def _timed(
    packets: list[av.Packet[av.VideoStream]], shown: dict[int | None, int]
) -> Iterator[av.Packet[av.VideoStream]]:
    """Give each packet the time that its frame is shown, which the encoder takes for even."""
    for packet in packets:
        packet.duration = shown.pop(packet.pts, packet.duration or 0)
        yield packet


def _even(frame: av.VideoFrame) -> av.VideoFrame:
    colours = frame.to_ndarray(format="rgb24")
    sides = [(0, side % 2) for side in colours.shape[:2]]
    padded = np.pad(colours, [*sides, (0, 0)], mode="edge").astype(np.uint8, copy=False)
    return av.VideoFrame.from_ndarray(padded, "rgb24")
