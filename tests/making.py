"""Films made at test time, whose pictures and sounds the tests know to the sample."""

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
class Look:
    """How a picture is stored."""

    codec: str = "mjpeg"
    pixels: str = "yuvj420p"
    options: dict[str, str] = field(default_factory=dict)


H264 = Look("libx264", "yuv420p", {"preset": "ultrafast", "crf": "10"})
H264_REORDERED = Look("libx264", "yuv420p", {"preset": "veryfast", "bf": "3", "g": "30"})
VP8 = Look("libvpx", "yuv420p", {"deadline": "realtime", "cpu-used": "8"})


@dataclass(frozen=True)
class Audio:
    """A sound: ``samples`` of shape ``(n,)`` or ``(channels, n)``, the first at ``start``."""

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
    tick: Fraction | None = None,
    look: Look = Look(),
    audio: Audio | None = None,
) -> Path:
    """Write a film of grey or RGB pictures, picture and sound interleaved; return its path.

    Each picture is shown from its time to the next; ``times`` holds one more than there are
    pictures. Without them, picture ``i`` is shown at ``i / fps``. Times are written in ticks.
    """
    pictures = iter(pictures)
    first = next(pictures)
    tick = 1 / fps if tick is None else tick
    with av.open(str(path), "w") as target:
        stream = target.add_stream(look.codec, rate=fps, options=dict(look.options))
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = look.pixels
        stream.codec_context.time_base = tick
        voice = None if audio is None else _Voice(target, audio)
        pen = _Stamps(stream, tick) if look.codec == "mjpeg" else _Encoder(stream, tick)
        target.start_encoding()
        for index, picture in enumerate(_chain(first, pictures)):
            begin, end = _shown(index, fps, times)
            if voice is not None:
                voice.until(begin, target)
            target.mux(pen.draw(picture, round(begin / tick), round(end / tick)))
        target.mux(pen.finish())
        if voice is not None:
            voice.until(None, target)
    return path


def greys(levels: Iterable[int], size: tuple[int, int] = (64, 64)) -> Iterator[NDArray[np.uint8]]:
    """Yield evenly grey pictures, RGB, of a width and height."""
    known: dict[int, NDArray[np.uint8]] = {}
    for level in levels:
        if level not in known:
            known[level] = np.full((size[1], size[0], 3), level, np.uint8)
        yield known[level]


def combine(path: Path, *films: Path) -> Path:
    """Put the streams of several films into one, pictures first."""
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


def mark_rotation(path: Path, clockwise: int) -> Path:
    """Write a rotation mark into an MP4's first track header."""
    a, b = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[clockwise]
    return mark_matrix(path, (a, b, -b, a))


def mark_matrix(path: Path, turn: tuple[float, float, float, float]) -> Path:
    """Write a display matrix into an MP4's first track header (ISO 14496-12, 8.3.2).

    By ``(a, b, c, d)`` what lies at (p, q), rightwards and down, is shown at (ap + cq, bp + dq).
    """
    a, b, c, d = (round(value * 65_536) for value in turn)
    matrix = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # version 0: 40 bytes of flags, times and volume come first
    data[at : at + len(matrix)] = matrix
    path.write_bytes(data)
    return path


def heard(path: Path, stream: int = 0) -> tuple[NDArray[np.float32], int, Fraction]:
    """Decode a film's sound plainly; samples ``(channels, n)``, the rate, the first time stamp."""
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


def packets(path: Path) -> list[tuple[Fraction, bytes]]:
    """Return the picture's packets as they are stored: presentation time, and what is in them."""
    with av.open(str(path)) as source:
        video = source.streams.video[0]
        tick = Fraction(video.time_base)
        return [(packet.pts * tick, bytes(packet)) for packet in source.demux(video) if packet.size]


class _Stamps:
    """Writes motion JPEG; equal pictures are encoded once, so long films cost little."""

    def __init__(self, stream: av.VideoStream, tick: Fraction) -> None:
        self.stream, self.tick = stream, tick
        self._known: dict[int, tuple[NDArray[np.uint8], bytes]] = {}

    def draw(self, picture: NDArray[np.uint8], begin: int, end: int) -> av.Packet:
        if id(picture) not in self._known:
            self._known[id(picture)] = picture, self._encoded(picture)
        packet = av.Packet(self._known[id(picture)][1])
        packet.stream, packet.time_base = self.stream, self.tick
        packet.pts = packet.dts = begin
        packet.duration, packet.is_keyframe = end - begin, True
        return packet

    def finish(self) -> list[av.Packet]:
        return []

    def _encoded(self, picture: NDArray[np.uint8]) -> bytes:
        encoder = av.CodecContext.create("mjpeg", "w")
        encoder.height, encoder.width = picture.shape[:2]
        encoder.pix_fmt, encoder.time_base = self.stream.pix_fmt, self.tick
        frame = _frame(picture, self.stream.pix_fmt)
        frame.pts, frame.time_base = 0, self.tick
        (packet,) = [*encoder.encode(frame), *encoder.encode(None)]
        return bytes(packet)


class _Encoder:
    """Writes with an encoder that looks at neighbouring pictures."""

    def __init__(self, stream: av.VideoStream, tick: Fraction) -> None:
        self.stream, self.tick = stream, tick
        self._durations: dict[int, int] = {}

    def draw(self, picture: NDArray[np.uint8], begin: int, end: int) -> list[av.Packet]:
        frame = _frame(picture, self.stream.pix_fmt)
        frame.pts, frame.time_base = begin, self.tick
        self._durations[begin] = end - begin
        return self._timed(self.stream.encode(frame))

    def finish(self) -> list[av.Packet]:
        return self._timed(self.stream.encode(None))

    def _timed(self, packets: list[av.Packet]) -> list[av.Packet]:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, packet.duration)
        return packets


class _Voice:
    """Writes a sound piece by piece, no farther than it is asked to."""

    def __init__(self, target: av.container.OutputContainer, audio: Audio) -> None:
        self.audio = audio
        self.stream = target.add_stream(audio.codec, rate=audio.sample_rate, layout=audio.layout)
        self._planes = np.atleast_2d(audio.samples)
        self._said = 0

    def until(self, time: Fraction | None, target: av.container.OutputContainer) -> None:
        rate, length = self.audio.sample_rate, self._planes.shape[1]
        end = length if time is None else min(length, round((time - self.audio.start) * rate))
        if time is None or end - self._said >= rate // 2:
            while self._said < end:
                stop = min(self._said + rate // 2, end)
                target.mux(self.stream.encode(self._piece(self._said, stop)))
                self._said = stop
        if time is None:
            target.mux(self.stream.encode(None))

    def _piece(self, begin: int, stop: int) -> av.AudioFrame:
        name = self.stream.codec_context.format.name
        if len(self._planes) > 7:
            name = name.removesuffix("p")  # PyAV 18.1 crashes on eight planes
        planes = _stored(self._planes[:, begin:stop], name)
        if not name.endswith("p"):
            planes = planes.T.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(planes), name, self.audio.layout)
        frame.sample_rate, frame.time_base = self.audio.sample_rate, Fraction(1, self.stream.rate)
        frame.pts = begin + round(self.audio.start * self.audio.sample_rate)
        return frame


def _stored(planes: NDArray[np.generic], name: str) -> NDArray[np.generic]:
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


def _shown(
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
