"""A film's sound decoded, where it is read or beside the picture."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeAlias

import av
from av.audio.frame import AudioFrame

from frame2sound.film.continuity import JOINED
from frame2sound.film.track import Sound, TooLoudError, Track, over_full_scale

TOGETHER, TOGETHER_BYTES = 512, 2**20
"""Packets that are decoded in one go, beside the picture: many, as threads that take turns every
few microseconds delay each other."""

Packet: TypeAlias = "av.Packet[av.AudioStream]"


class Ear:
    """Decodes packet after packet, and places what they hold on a track.

    Parameters
    ----------
    track : Track
    damaged : function
        Called with the time of what cannot be decoded, in seconds by the container's clock, and
        what is wrong with it if that is known.
    """

    def __init__(self, track: Track, damaged: Callable[[float, str | None], None]) -> None:
        self._track, self._damaged = track, damaged

    def hear(self, packet: Packet, end: float) -> Iterator[Sound]:
        """Yield what is ready, after a packet that is read at time ``end``."""
        if packet.opaque == JOINED:
            self._track.lose()
        try:
            for frame in packet.decode():
                try:
                    yield from self._track.feed(frame)
                except TooLoudError as error:
                    self._too_loud(packet, _time(frame), error.peak)
                except ValueError:
                    self._damaged(_time(frame), None)
        except av.FFmpegError:
            self._track.lose()
            self._damaged(end, None)

    def finish(self) -> Iterator[Sound]:
        """Yield the rest."""
        return self._track.flush()

    def _too_loud(self, packet: Packet, time: float, peak: float) -> None:
        """Take note of a peak if it was recorded; decoders of lossy sound invent some."""
        if packet.stream.codec.lossless:
            self._track.peak = max(self._track.peak, peak)
        else:
            self._damaged(
                time,
                f"has sound {over_full_scale(peak)} over full scale at {time:.2f} s, unless it was "
                "made so (then lower it by as much)",
            )


class Aside:
    """Hears with an `Ear` in other threads, many packets at a time, in their order.

    What the ear raises there is raised here, when it is its turn.
    """

    def __init__(self, ear: Ear, threads: ThreadPoolExecutor) -> None:
        self._ear, self._threads = ear, threads
        self._packets: list[tuple[Packet, float]] = []
        self._weight = 0
        self._heard: deque[Future[list[Sound]]] = deque()
        self._last: Future[list[Sound]] | None = None

    def hear(self, packet: Packet, end: float) -> Iterator[Sound]:
        """Take a packet; yield what is ready."""
        self._packets.append((packet, end))
        self._weight += packet.size
        if len(self._packets) >= TOGETHER or self._weight >= TOGETHER_BYTES:
            self._give()
        while self._heard and self._heard[0].done():
            yield from self._heard.popleft().result()

    def finish(self) -> Iterator[Sound]:
        """Yield the rest."""
        self._give()
        for heard in self._heard:
            yield from heard.result()
        yield from self._ear.finish()

    def _give(self) -> None:
        self._last = self._threads.submit(self._hear, self._packets, self._last)
        self._heard.append(self._last)
        self._packets, self._weight = [], 0

    def _hear(
        self, packets: list[tuple[Packet, float]], before: Future[list[Sound]] | None
    ) -> list[Sound]:
        if before is not None:
            wait([before])  # it was given to the threads earlier, so one of them has it
        return [sound for packet, end in packets for sound in self._ear.hear(packet, end)]


def _time(frame: AudioFrame) -> float:
    return float((frame.pts or 0) * (frame.time_base or 0))
