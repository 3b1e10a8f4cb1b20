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

from frame2sound.film.picture import Lens
from frame2sound.film.transparency import decoder_of

LEAST_PACKETS = 96
"""A segment ends with the first key frame after so many packets: where two meet, one frame is
decoded twice."""

MOST_WAITING, MOST_BYTES = 2048, 24 * 2**20
"""Packets and pictures that wait for a decoder or to be taken, and what the packets weigh."""

TOGETHER_PIXELS = 4_000_000
"""Decoded pixels that are shrunk in one go, while the processor's caches hold what does it."""

NEVER = -(2**63)

POLLED = 0.1
"""Seconds after which it is looked again whether there is still too much waiting."""

Packet: TypeAlias = "av.Packet[Any]"
MakeLens = Callable[[], Lens]


class Shot(NamedTuple):
    """A decoded picture, small, with its time and duration in ticks, 0 where there is none."""

    pts: int | None
    duration: int
    picture: NDArray[np.uint8]
    damaged: bool


class UnsteadyError(Exception):
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


class Straight:
    """Decodes packet after packet, in so many of FFmpeg's own threads."""

    def __init__(self, video: av.VideoStream, make_lens: MakeLens, threads: int) -> None:
        self._decoder = decoder_of(video)
        _quicken(self._decoder, threads)
        self._lens = make_lens()

    def feed(self, packet: Packet) -> Iterator[Shot]:
        """Yield what is decoded."""
        for frame in self._decoder.decode(packet):
            yield _shot(frame, self._lens)

    def finish(self) -> Iterator[Shot]:
        """Yield nothing: the last packets of a stream are empty, and bring out what is left."""
        return iter(())

    def close(self) -> None:
        """Do nothing."""


@dataclass(eq=False)
class _Segment:
    """Packets from one key frame up to the next and a little more: see `Segments`."""

    first: int
    end: int | None = None
    packets: SimpleQueue[Packet | None] = field(default_factory=SimpleQueue)
    shots: SimpleQueue[Shot | None] = field(default_factory=SimpleQueue)
    failed: UnsteadyError | None = None
    decoding: Future[None] = field(default_factory=Future)
    given: int = 0
    taken: int = 0
    shown: int = NEVER

    def give(self, packet: Packet) -> None:
        self.given += packet.size
        self.packets.put(packet)

    def shoot(self, frames: list[av.VideoFrame], lens: Lens) -> None:
        """Make shots of frames that are decoded."""
        for frame in frames:
            if frame.pts is not None and frame.pts < self.first:
                continue
            if frame.pts is None or frame.pts <= self.shown or frame.is_corrupt:
                raise UnsteadyError(frame.is_corrupt)
            self.shown = frame.pts
            self.shots.put(_shot(frame, lens))

    @property
    def waiting(self) -> int:
        return self.packets.qsize() + self.shots.qsize()


class Segments:
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
        make_lens: MakeLens,
        threads: ThreadPoolExecutor,
        count: int,
    ) -> None:
        self._threads = threads
        self._idle = deque((_single(make_decoder()), make_lens()) for _ in range(count))
        self._segments: deque[_Segment] = deque()
        self._ending: _Segment | None = None
        self._current: _Segment | None = None
        self._count = self._latest = 0
        self._seam: Shot | None = None
        self._stopped = False

    def feed(self, packet: Packet) -> Iterator[Shot]:
        """Take the film's next packet; yield shots that are ready, and wait if too few are."""
        if not packet.size:
            return
        if packet.pts is None:
            raise UnsteadyError
        self._place(packet, packet.pts)
        while self._too_much():
            yield from self._next(POLLED)
        while self._segments and self._segments[0].decoding.done():
            yield from self._next()

    def finish(self) -> Iterator[Shot]:
        """Yield the rest."""
        for segment in (self._ending, self._current):
            if segment is not None:
                segment.packets.put(None)
        while self._segments:
            wait([self._segments[0].decoding])
            yield from self._next()

    def close(self) -> None:
        """Let the threads go."""
        self._stopped = True
        for segment in self._segments:
            segment.packets.put(None)
            segment.decoding.cancel()
        wait([segment.decoding for segment in self._segments])

    def _place(self, packet: Packet, pts: int) -> None:
        """Give a packet to the segments that need it."""
        current = self._current
        if current is None or (packet.is_keyframe and self._count >= LEAST_PACKETS):
            if current is not None:
                if self._ending is not None or pts <= self._latest:
                    raise UnsteadyError
                current.end, self._ending = pts, current
            self._current = self._begin(pts)
            self._count = 0
        assert self._current is not None
        self._current.give(packet)
        self._count += 1
        self._latest = max(self._latest, pts)
        if self._ending is not None:
            if pts <= self._current.first:
                self._ending.give(packet)
            else:
                self._ending.packets.put(None)
                self._ending = None
        elif pts < self._current.first:
            raise UnsteadyError

    def _too_much(self) -> bool:
        waiting = sum(segment.waiting for segment in self._segments)
        weight = sum(segment.given - segment.taken for segment in self._segments)
        return waiting > MOST_WAITING or weight > MOST_BYTES

    def _begin(self, first: int) -> _Segment:
        segment = _Segment(first)
        self._segments.append(segment)
        segment.decoding = self._threads.submit(self._decode, segment)
        return segment

    def _next(self, timeout: float | None = None) -> Iterator[Shot]:
        """Yield the next shot, or go on to the next segment."""
        segment = self._segments[0]
        if segment.failed is not None:
            raise segment.failed
        try:
            shot = segment.shots.get(timeout=timeout)
        except Empty:
            return
        if shot is None:
            self._segments.popleft()
            if segment.end != (None if self._seam is None else self._seam.pts):
                raise UnsteadyError
        elif self._seam is not None and segment.first == self._seam.pts:
            if shot.pts != self._seam.pts or (shot.picture != self._seam.picture).any():
                raise UnsteadyError
            self._seam = None
            yield shot
        elif shot.pts == segment.end:
            self._seam = shot
        elif self._seam is None and (segment.end is None or (shot.pts or 0) < segment.end):
            yield shot
        else:
            raise UnsteadyError

    def _decode(self, segment: _Segment) -> None:
        """Decode a segment, in a thread."""
        decoder, lens = self._idle.popleft()
        frames: list[av.VideoFrame] = []
        try:
            while not self._stopped:
                packet = segment.packets.get()
                segment.taken += 0 if packet is None else packet.size
                frames += decoder.decode(packet)
                if packet is None or _pixels(frames) >= TOGETHER_PIXELS:
                    segment.shoot(frames, lens)
                    frames.clear()
                if packet is None:
                    break
        except av.FFmpegError:
            segment.failed = UnsteadyError(damaged=True)
        except UnsteadyError as error:
            segment.failed = error
        decoder.flush_buffers()
        self._idle.append((decoder, lens))
        segment.shots.put(None)


def _single(decoder: av.VideoCodecContext) -> av.VideoCodecContext:
    """Return a decoder as one thread uses it."""
    _quicken(decoder, 1)
    return decoder


def _quicken(decoder: av.VideoCodecContext, threads: int) -> None:
    """Give a decoder threads of its own; VP8's hides damage unless two share a frame."""
    hides = decoder.codec.canonical_name == "vp8"
    decoder.thread_type = "SLICE" if hides else "AUTO"
    decoder.thread_count = max(threads, 2) if hides else threads


def _shot(frame: av.VideoFrame, lens: Lens) -> Shot:
    return Shot(frame.pts, frame.duration or 0, lens(frame), frame.is_corrupt)


def _pixels(frames: list[av.VideoFrame]) -> int:
    return len(frames) * frames[0].width * frames[0].height if frames else 0
