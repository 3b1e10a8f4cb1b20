"""A film's picture decoded at several places at once, from key frame to key frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeAlias

import av
import numpy as np
from numpy.typing import NDArray

from frame2sound.film.decoding.frame_resizer import FrameResizer
from frame2sound.film.decoding.transparency import alpha_aware_decoder

MIN_SEGMENT_PACKETS = 96
"""A segment ends with the first key frame after so many packets: where two meet, one frame is
decoded twice."""

MAX_QUEUED, MAX_QUEUED_BYTES = 2048, 24 * 2**20
"""Packets and pictures that wait for a decoder or to be taken, and what the packets weigh."""

BATCH_PIXELS = 4_000_000
"""Decoded pixels that are shrunk in one go, while the processor's caches hold what does it."""

NO_PTS = -(2**63)

POLL_SECONDS = 0.1
"""Seconds after which it is looked again whether there is still too much waiting."""

Packet: TypeAlias = "av.Packet[Any]"
ResizerFactory = Callable[[], FrameResizer]


class DecodedFrame(NamedTuple):
    """A decoded picture, small, with its time and duration in ticks, 0 where there is none."""

    pts: int | None
    duration: int
    picture: NDArray[np.uint8]
    damaged: bool


class NonDeterministicDecodeError(Exception):
    """What is decoded would depend on how the work is shared out among threads.

    Attributes
    ----------
    damaged : bool
        The film is damaged, so that also one decoder's threads would guess differently.
    """

    def __init__(self, damaged: bool = False) -> None:
        super().__init__()
        self.damaged = damaged


SPARE_THREADS = 4
"""More threads, which go on while a frame is being shrunk."""


class SequentialDecoder:
    """Decodes packet after packet, in so many of FFmpeg's own threads."""

    def __init__(
        self, stream: av.VideoStream, make_resizer: ResizerFactory, thread_count: int
    ) -> None:
        self._decoder = alpha_aware_decoder(stream)
        _set_threads(self._decoder, thread_count)
        self._resizer = make_resizer()

    def decode(self, packet: Packet) -> Iterator[DecodedFrame]:
        """Yield what is decoded."""
        for frame in self._decoder.decode(packet):
            yield _to_decoded_frame(frame, self._resizer)

    def flush(self) -> Iterator[DecodedFrame]:
        """Yield nothing: the last packets of a stream are empty, and bring out what is left."""
        return iter(())

    def close(self) -> None:
        """Do nothing."""


@dataclass(eq=False)
class _Segment:
    """Packets from one key frame up to the next and a little more: see `Segments`."""

    start_pts: int
    end_pts: int | None = None
    packets: SimpleQueue[Packet | None] = field(default_factory=SimpleQueue)
    decoded: SimpleQueue[DecodedFrame | None] = field(default_factory=SimpleQueue)
    error: NonDeterministicDecodeError | None = None
    future: Future[None] = field(default_factory=Future)
    bytes_queued: int = 0
    bytes_decoded: int = 0
    last_pts: int = NO_PTS

    def add_packet(self, packet: Packet) -> None:
        self.bytes_queued += packet.size
        self.packets.put(packet)

    def resize_frames(self, frames: list[av.VideoFrame], resizer: FrameResizer) -> None:
        """Make shots of frames that are decoded."""
        for frame in frames:
            if frame.pts is not None and frame.pts < self.start_pts:
                continue
            if frame.pts is None or frame.pts <= self.last_pts or frame.is_corrupt:
                raise NonDeterministicDecodeError(frame.is_corrupt)
            self.last_pts = frame.pts
            self.decoded.put(_to_decoded_frame(frame, resizer))

    @property
    def queue_length(self) -> int:
        return self.packets.qsize() + self.decoded.qsize()


class ParallelDecoder:
    """Decodes a film's segments side by side, one thread each; gives their pictures in order.

    A segment begins with a key frame. The one before it goes on until it has shown that same frame,
    for two reasons: pictures that come after the key frame but are shown before it may need what
    was before; and the two decoders can be asked whether they see the same.

    Parameters
    ----------
    make_decoder : function
        Makes a decoder of the film's picture, one for each thread.
    make_lens : function
        Makes what shrinks frames, one for each thread.
    threads : ThreadPoolExecutor
    count : int
        How many threads it has: so many segments are decoded at a time.

    Raises
    ------
    UnsteadyError
        While shots are taken: packets without times, anything damaged, or decoders that differ
        where segments meet. Of a segment with damage nothing was given, unless it is so long that
        it could not wait.
    """

    def __init__(
        self,
        make_decoder: Callable[[], av.VideoCodecContext],
        make_resizer: ResizerFactory,
        executor: ThreadPoolExecutor,
        thread_count: int,
    ) -> None:
        self._executor = executor
        self._idle_decoders = deque(
            (_single_threaded(make_decoder()), make_resizer()) for _ in range(thread_count)
        )
        self._segments: deque[_Segment] = deque()
        self._ending: _Segment | None = None
        self._current: _Segment | None = None
        self._packet_count = self._max_pts = 0
        self._boundary_frame: DecodedFrame | None = None
        self._stopped = False

    def decode(self, packet: Packet) -> Iterator[DecodedFrame]:
        """Take the film's next packet; yield shots that are ready, and wait if too few are."""
        if not packet.size:
            return
        if packet.pts is None:
            raise NonDeterministicDecodeError
        self._route_packet(packet, packet.pts)
        while self._is_queue_full():
            yield from self._next_frame(POLL_SECONDS)
        while self._segments and self._segments[0].future.done():
            yield from self._next_frame()

    def flush(self) -> Iterator[DecodedFrame]:
        """Yield the rest."""
        for segment in (self._ending, self._current):
            if segment is not None:
                segment.packets.put(None)
        while self._segments:
            wait([self._segments[0].future])
            yield from self._next_frame()

    def close(self) -> None:
        """Let the threads go."""
        self._stopped = True
        for segment in self._segments:
            segment.packets.put(None)
            segment.future.cancel()
        wait([segment.future for segment in self._segments])

    def _route_packet(self, packet: Packet, pts: int) -> None:
        """Give a packet to the segments that need it."""
        current = self._current
        if current is None or (packet.is_keyframe and self._packet_count >= MIN_SEGMENT_PACKETS):
            if current is not None:
                if self._ending is not None or pts <= self._max_pts:
                    raise NonDeterministicDecodeError
                current.end_pts, self._ending = pts, current
            self._current = self._start_segment(pts)
            self._packet_count = 0
        assert self._current is not None
        self._current.add_packet(packet)
        self._packet_count += 1
        self._max_pts = max(self._max_pts, pts)
        if self._ending is not None:
            if pts <= self._current.start_pts:
                self._ending.add_packet(packet)
            else:
                self._ending.packets.put(None)
                self._ending = None
        elif pts < self._current.start_pts:
            raise NonDeterministicDecodeError

    def _is_queue_full(self) -> bool:
        waiting = sum(segment.queue_length for segment in self._segments)
        weight = sum(segment.bytes_queued - segment.bytes_decoded for segment in self._segments)
        return waiting > MAX_QUEUED or weight > MAX_QUEUED_BYTES

    def _start_segment(self, first: int) -> _Segment:
        segment = _Segment(first)
        self._segments.append(segment)
        segment.future = self._executor.submit(self._decode_segment, segment)
        return segment

    def _next_frame(self, timeout: float | None = None) -> Iterator[DecodedFrame]:
        """Yield the next shot, or go on to the next segment."""
        segment = self._segments[0]
        if segment.error is not None:
            raise segment.error
        try:
            shot = segment.decoded.get(timeout=timeout)
        except Empty:
            return
        if shot is None:
            self._segments.popleft()
            if segment.end_pts != (
                None if self._boundary_frame is None else self._boundary_frame.pts
            ):
                raise NonDeterministicDecodeError
        elif self._boundary_frame is not None and segment.start_pts == self._boundary_frame.pts:
            if (
                shot.pts != self._boundary_frame.pts
                or (shot.picture != self._boundary_frame.picture).any()
            ):
                raise NonDeterministicDecodeError
            self._boundary_frame = None
            yield shot
        elif shot.pts == segment.end_pts:
            self._boundary_frame = shot
        elif self._boundary_frame is None and (
            segment.end_pts is None or (shot.pts or 0) < segment.end_pts
        ):
            yield shot
        else:
            raise NonDeterministicDecodeError

    def _decode_segment(self, segment: _Segment) -> None:
        """Decode a segment, in a thread."""
        decoder, lens = self._idle_decoders.popleft()
        frames: list[av.VideoFrame] = []
        try:
            while not self._stopped:
                packet = segment.packets.get()
                segment.bytes_decoded += 0 if packet is None else packet.size
                frames += decoder.decode(packet)
                if packet is None or _pixel_count(frames) >= BATCH_PIXELS:
                    segment.resize_frames(frames, lens)
                    frames.clear()
                if packet is None:
                    break
        except av.FFmpegError:
            segment.error = NonDeterministicDecodeError(damaged=True)
        except NonDeterministicDecodeError as error:
            segment.error = error
        decoder.flush_buffers()
        self._idle_decoders.append((decoder, lens))
        segment.decoded.put(None)


def _single_threaded(decoder: av.VideoCodecContext) -> av.VideoCodecContext:
    """Return a decoder as one thread uses it."""
    _set_threads(decoder, 1)
    return decoder


def _set_threads(decoder: av.VideoCodecContext, threads: int) -> None:
    """Give a decoder threads of its own; VP8's hides damage unless two share a frame."""
    hides = decoder.codec.canonical_name == "vp8"
    decoder.thread_type = "SLICE" if hides else "AUTO"
    decoder.thread_count = max(threads, 2) if hides else threads


def _to_decoded_frame(frame: av.VideoFrame, resizer: FrameResizer) -> DecodedFrame:
    return DecodedFrame(frame.pts, frame.duration or 0, resizer(frame), frame.is_corrupt)


def _pixel_count(frames: list[av.VideoFrame]) -> int:
    return len(frames) * frames[0].width * frames[0].height if frames else 0
