"""Write small films for tests, whose frames and samples are known exactly."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class VideoEncoding:
    """How video is encoded."""

    codec: str = "mjpeg"
    pixel_format: str = "yuvj420p"
    options: dict[str, str] = field(default_factory=dict)


H264 = VideoEncoding("libx264", "yuv420p", {"preset": "ultrafast", "crf": "10"})
H264_REORDERED = VideoEncoding("libx264", "yuv420p", {"preset": "veryfast", "bf": "3", "g": "30"})
VP8_OPTIONS = {"deadline": "realtime", "cpu-used": "8", "threads": "1"}
"""Threads of libvpx that wait take twenty times as long as it takes to encode small pictures."""

VP8 = VideoEncoding("libvpx", "yuv420p", VP8_OPTIONS)


@dataclass(frozen=True)
class Audio:
    """Audio of shape ``(n,)`` or ``(channels, n)``, and how it is encoded; ``start`` in seconds."""

    samples: NDArray[np.generic]
    sample_rate: int = 48_000
    codec: str = "pcm_s16le"
    layout: str = "mono"
    start: Fraction = Fraction(0)


def make_film(
    path: Path,
    pictures: Iterable[NDArray[np.uint8]],
    *,
    fps: Fraction = Fraction(24),
    times: Sequence[Fraction] | None = None,
    time_base: Fraction | None = None,
    encoding: VideoEncoding = VideoEncoding(),
    audio: Audio | None = None,
) -> Path:
    """Write a film of grey or RGB pictures, with interleaved audio; return its path.

    ``times`` holds the time of each picture in seconds, and the end of the last one. Without it,
    picture ``i`` is displayed at ``i / fps``. Times are written in ticks of the time base.
    """
    pictures = iter(pictures)
    first = next(pictures)
    time_base = 1 / fps if time_base is None else time_base
    with av.open(str(path), "w") as target:
        stream = target.add_stream(encoding.codec, rate=fps, options=dict(encoding.options))
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = encoding.pixel_format
        stream.codec_context.time_base = time_base
        audio_writer = None if audio is None else _AudioWriter(target, audio)
        video_writer = (
            _MjpegWriter(stream, time_base)
            if encoding.codec == "mjpeg"
            else _EncoderWriter(stream, time_base)
        )
        target.start_encoding()
        for index, picture in enumerate(_chain(first, pictures)):
            begin, end = _display_times(index, fps, times)
            if audio_writer is not None:
                audio_writer.write_until(begin, target)
            target.mux(
                video_writer.encode(picture, round(begin / time_base), round(end / time_base))
            )
        target.mux(video_writer.flush())
        if audio_writer is not None:
            audio_writer.write_until(None, target)
    return path


def grey_pictures(
    levels: Iterable[int], size: tuple[int, int] = (64, 64)
) -> Iterator[NDArray[np.uint8]]:
    """Yield uniformly grey RGB pictures of a width and height."""
    known: dict[int, NDArray[np.uint8]] = {}
    for level in levels:
        if level not in known:
            known[level] = np.full((size[1], size[0], 3), level, np.uint8)
        yield known[level]


def merge_streams(path: Path, *films: Path) -> Path:
    """Write a film with the streams of several films, video first; return its path."""
    sources = [av.open(str(film)) for film in films]
    streams = [s for source in sources for s in source.streams.video]
    streams += [s for source in sources for s in source.streams.audio]
    with av.open(str(path), "w") as target:
        copies = {id(stream): target.add_stream_from_template(stream) for stream in streams}
        for source in sources:
            for packet in source.demux():
                if packet.size:
                    packet.stream = copies[id(packet.stream)]
                    target.mux(packet)
    for source in sources:
        source.close()
    return path


def write_rotation(path: Path, clockwise: int) -> Path:
    """Write the display matrix of a rotation into an MP4's first track header."""
    a, b = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[clockwise]
    return write_display_matrix(path, (a, b, -b, a))


def write_display_matrix(path: Path, matrix2x2: tuple[float, float, float, float]) -> Path:
    """Write a display matrix into an MP4's first track header (ISO 14496-12, 8.3.2).

    With ``(a, b, c, d)`` the point (p, q), right and down, is displayed at (ap + cq, bp + dq).
    """
    a, b, c, d = (round(value * 65_536) for value in matrix2x2)
    matrix = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # version 0: 40 bytes of flags, times and volume come first
    data[at : at + len(matrix)] = matrix
    path.write_bytes(data)
    return path


def decode_audio(path: Path, stream: int = 0) -> tuple[NDArray[np.float32], int, Fraction]:
    """Decode audio with FFmpeg; return samples ``(channels, n)``, sample rate, first timestamp."""
    with av.open(str(path)) as source:
        audio = source.streams.audio[stream]
        convert = av.AudioResampler("fltp")
        pieces, begin = [], None
        for frame in source.decode(audio):
            if begin is None:
                begin = frame.pts * Fraction(frame.time_base)
            pieces += [ready.to_ndarray() for ready in convert.resample(frame)]
        assert begin is not None
        return np.concatenate(pieces, axis=1), audio.sample_rate, begin


def video_packets(path: Path) -> list[tuple[Fraction, bytes]]:
    """Return the video's packets as stored: presentation times and contents."""
    with av.open(str(path)) as source:
        video = source.streams.video[0]
        tick = Fraction(video.time_base)
        return [(packet.pts * tick, bytes(packet)) for packet in source.demux(video) if packet.size]


class _MjpegWriter:
    """Encodes motion JPEG; equal pictures are encoded once, which makes long films fast."""

    def __init__(self, stream: av.VideoStream, tick: Fraction) -> None:
        self.stream, self.time_base = stream, tick
        self._packets: dict[int, tuple[NDArray[np.uint8], bytes]] = {}

    def encode(self, picture: NDArray[np.uint8], begin: int, end: int) -> av.Packet:
        if id(picture) not in self._packets:
            self._packets[id(picture)] = picture, self._encode(picture)
        packet = av.Packet(self._packets[id(picture)][1])
        packet.stream, packet.time_base = self.stream, self.time_base
        packet.pts = packet.dts = begin
        packet.duration, packet.is_keyframe = end - begin, True
        return packet

    def flush(self) -> list[av.Packet]:
        return []

    def _encode(self, picture: NDArray[np.uint8]) -> bytes:
        encoder = av.CodecContext.create("mjpeg", "w")
        encoder.height, encoder.width = picture.shape[:2]
        encoder.pix_fmt, encoder.time_base = self.stream.pix_fmt, self.time_base
        frame = _frame(picture, self.stream.pix_fmt)
        frame.pts, frame.time_base = 0, self.time_base
        (packet,) = [*encoder.encode(frame), *encoder.encode(None)]
        return bytes(packet)


class _EncoderWriter:
    """Encodes with a codec that uses neighbouring pictures."""

    def __init__(self, stream: av.VideoStream, tick: Fraction) -> None:
        self.stream, self.time_base = stream, tick
        self._durations: dict[int, int] = {}

    def encode(self, picture: NDArray[np.uint8], begin: int, end: int) -> list[av.Packet]:
        frame = _frame(picture, self.stream.pix_fmt)
        frame.pts, frame.time_base = begin, self.time_base
        self._durations[begin] = end - begin
        return self._set_durations(self.stream.encode(frame))

    def flush(self) -> list[av.Packet]:
        return self._set_durations(self.stream.encode(None))

    def _set_durations(self, packets: list[av.Packet]) -> list[av.Packet]:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, packet.duration)
        return packets


class _AudioWriter:
    """Encodes audio piece by piece, up to given times."""

    def __init__(self, target: av.container.OutputContainer, audio: Audio) -> None:
        self.audio = audio
        self.stream = target.add_stream(audio.codec, rate=audio.sample_rate, layout=audio.layout)
        self._planes = np.atleast_2d(audio.samples)
        self._written = 0

    def write_until(self, time: Fraction | None, target: av.container.OutputContainer) -> None:
        rate, length = self.audio.sample_rate, self._planes.shape[1]
        end = length if time is None else min(length, round((time - self.audio.start) * rate))
        if time is None or end - self._written >= rate // 2:
            while self._written < end:
                stop = min(self._written + rate // 2, end)
                target.mux(self.stream.encode(self._frame(self._written, stop)))
                self._written = stop
        if time is None:
            target.mux(self.stream.encode(None))

    def _frame(self, begin: int, stop: int) -> av.AudioFrame:
        name = self.stream.codec_context.format.name
        if len(self._planes) > 7:
            name = name.removesuffix("p")  # PyAV 18.1 crashes on eight planes
        planes = _convert_samples(self._planes[:, begin:stop], name)
        if not name.endswith("p"):
            planes = planes.T.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(planes), name, self.audio.layout)
        frame.sample_rate, frame.time_base = self.audio.sample_rate, Fraction(1, self.stream.rate)
        frame.pts = begin + round(self.audio.start * self.audio.sample_rate)
        return frame


def _convert_samples(planes: NDArray[np.generic], name: str) -> NDArray[np.generic]:
    if planes.dtype == np.int16 and name.startswith("s16"):
        return planes
    whole = planes / 32768 if planes.dtype == np.int16 else planes
    if name.startswith("flt"):
        return whole.astype(np.float32)
    if name.startswith("dbl"):
        return whole.astype(np.float64)
    if name.startswith("s16"):
        return np.round(whole * 32767).astype(np.int16)
    return np.round(whole.astype(np.float64) * 2147483647).astype(np.int32)


def _frame(picture: NDArray[np.uint8], pixels: str) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(picture, "gray" if picture.ndim == 2 else "rgb24")
    return frame.reformat(format=pixels, threads=1)  # with more, FFmpeg 8.1 may spoil 10 bits


def _display_times(
    index: int, fps: Fraction, times: Sequence[Fraction] | None
) -> tuple[Fraction, Fraction]:
    if times is None:
        return index / fps, (index + 1) / fps
    return times[index], times[index + 1]


def _chain(
    first: NDArray[np.uint8], rest: Iterator[NDArray[np.uint8]]
) -> Iterator[NDArray[np.uint8]]:
    yield first
    yield from rest
