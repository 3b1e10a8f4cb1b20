"""Decode video packets, sequentially or in parallel segments from key frame to key frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from frame2sound.film.decoding.ffmpeg_input import Packet
from frame2sound.film.decoding.frame_resizer import FrameResizer
from frame2sound.film.decoding.transparency import alpha_aware_decoder

MIN_SEGMENT_PACKETS = 96
"""A segment ends at the first key frame after so many packets.

Two adjoining segments both decode the frame at which they meet.
"""

MAX_QUEUED, MAX_QUEUED_BYTES = 2048, 24 * 2**20
"""Limits on the packets and frames in all queues, and on the bytes of the packets."""

BATCH_PIXELS = 4_000_000
"""Decoded pixels that are resized in one batch, which makes better use of CPU caches."""

NO_PTS = -(2**63)

POLL_SECONDS = 0.1
"""Interval at which it is checked whether the queues are still full."""

ResizerFactory = Callable[[], FrameResizer]


class DecodedFrame(NamedTuple):
    """A decoded and resized picture; time and duration are in ticks, 0 for no duration."""

    pts: int | None
    duration: int
    picture: NDArray[np.uint8]
    damaged: bool


class NonDeterministicDecodeError(Exception):
    """The decoded pictures would depend on how threads share the work.

    Attributes
    ----------
    damaged : bool
        The film is damaged, so that even the threads of one decoder conceal damage differently.
    """

    def __init__(self, damaged: bool = False) -> None:
        super().__init__()
        self.damaged = damaged


SPARE_THREADS = 4
"""Extra decoding threads, which continue while a frame is being resized."""


class SequentialDecoder:
    """Decodes packets one by one, with a number of FFmpeg's own threads."""

    def __init__(
        self, stream: av.VideoStream, make_resizer: ResizerFactory, thread_count: int
    ) -> None:
        self._decoder = alpha_aware_decoder(stream)
        _set_threads(self._decoder, thread_count)
        self._resizer = make_resizer()

    def decode(self, packet: Packet) -> Iterator[DecodedFrame]:
        """Decode a packet; yield frames."""
        for frame in self._decoder.decode(packet):
            yield _to_decoded_frame(frame, self._resizer)

    def flush(self) -> Iterator[DecodedFrame]:
        """Yield nothing: the empty packets at the end of a stream have flushed the decoder."""
        return iter(())

    def close(self) -> None:
        """Do nothing."""


@dataclass(eq=False)
class _Segment:
    """Packets from one key frame up to the next and a little further; see `ParallelDecoder`."""

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
        """Resize and queue decoded frames."""
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
    """Decodes segments of a film in parallel, one thread each; yields their frames in order.

    A segment begins with a key frame. The segment before it continues until it has decoded that
    frame, too, for two reasons: frames that are stored after the key frame but displayed before it
    may refer to earlier frames; and both decoders must agree on the key frame.

    Parameters
    ----------
    make_decoder : function
        Returns a decoder of the film's video, one per thread.
    make_resizer : function
        Returns a `FrameResizer`, one per thread.
    executor : ThreadPoolExecutor
    thread_count : int
        Number of its threads, and of segments that are decoded at once.

    Raises
    ------
    NonDeterministicDecodeError
        From `decode` and `flush`, if packets have no times, anything is damaged, or decoders
        disagree where segments meet. No frames of a damaged segment were yielded, unless it was
        too long to be held.
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
        """Add the next packet; yield decoded frames. Waits while the queues are full."""
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
        """Yield the remaining frames."""
        for segment in (self._ending, self._current):
            if segment is not None:
                segment.packets.put(None)
        while self._segments:
            wait([self._segments[0].future])
            yield from self._next_frame()

    def close(self) -> None:
        """Stop the threads."""
        self._stopped = True
        for segment in self._segments:
            segment.packets.put(None)
            segment.future.cancel()
        wait([segment.future for segment in self._segments])

    def _route_packet(self, packet: Packet, pts: int) -> None:
        """Add a packet to the segments that need it."""
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
        count = sum(segment.queue_length for segment in self._segments)
        size = sum(segment.bytes_queued - segment.bytes_decoded for segment in self._segments)
        return count > MAX_QUEUED or size > MAX_QUEUED_BYTES

    def _start_segment(self, start_pts: int) -> _Segment:
        segment = _Segment(start_pts)
        self._segments.append(segment)
        segment.future = self._executor.submit(self._decode_segment, segment)
        return segment

    def _next_frame(self, timeout: float | None = None) -> Iterator[DecodedFrame]:
        """Yield the next frame of the first segment, or proceed to the next segment."""
        segment = self._segments[0]
        if segment.error is not None:
            raise segment.error
        try:
            frame = segment.decoded.get(timeout=timeout)
        except Empty:
            return
        boundary = self._boundary_frame
        if frame is None:
            self._segments.popleft()
            if segment.end_pts != (None if boundary is None else boundary.pts):
                raise NonDeterministicDecodeError
        elif boundary is not None and segment.start_pts == boundary.pts:
            if frame.pts != boundary.pts or (frame.picture != boundary.picture).any():
                raise NonDeterministicDecodeError
            self._boundary_frame = None
            yield frame
        elif frame.pts == segment.end_pts:
            self._boundary_frame = frame
        elif boundary is None and (segment.end_pts is None or (frame.pts or 0) < segment.end_pts):
            yield frame
        else:
            raise NonDeterministicDecodeError

    def _decode_segment(self, segment: _Segment) -> None:
        """Decode a segment, in a thread."""
        decoder, resizer = self._idle_decoders.popleft()
        frames: list[av.VideoFrame] = []
        try:
            while not self._stopped:
                packet = segment.packets.get()
                segment.bytes_decoded += 0 if packet is None else packet.size
                frames += decoder.decode(packet)
                if packet is None or _pixel_count(frames) >= BATCH_PIXELS:
                    segment.resize_frames(frames, resizer)
                    frames.clear()
                if packet is None:
                    break
        except av.FFmpegError:
            segment.error = NonDeterministicDecodeError(damaged=True)
        except NonDeterministicDecodeError as error:
            segment.error = error
        decoder.flush_buffers()
        self._idle_decoders.append((decoder, resizer))
        segment.decoded.put(None)


def _single_threaded(decoder: av.VideoCodecContext) -> av.VideoCodecContext:
    """Set a decoder to one thread; return it."""
    _set_threads(decoder, 1)
    return decoder


def _set_threads(decoder: av.VideoCodecContext, threads: int) -> None:
    """Set a decoder's threads; VP8 needs two that share a frame, or it hides damage."""
    hides_damage = decoder.codec.canonical_name == "vp8"
    decoder.thread_type = "SLICE" if hides_damage else "AUTO"
    decoder.thread_count = max(threads, 2) if hides_damage else threads


def _to_decoded_frame(frame: av.VideoFrame, resizer: FrameResizer) -> DecodedFrame:
    return DecodedFrame(frame.pts, frame.duration or 0, resizer(frame), frame.is_corrupt)


def _pixel_count(frames: list[av.VideoFrame]) -> int:
    return len(frames) * frames[0].width * frames[0].height if frames else 0
