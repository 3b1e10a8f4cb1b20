"""Correct the timestamps of packets: jumps in joined films, and delays of animated images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from frame2sound.film.decoding.ffmpeg_input import Packet
from frame2sound.film.decoding.media_source import (
    DEFAULT_DELAY_SECONDS,
    MAX_IGNORED_DELAY_SECONDS,
)
from frame2sound.film.decoding.probe import ANIMATED_IMAGE_DEMUXERS, Streams

MAX_BACKWARD_SECONDS = Fraction(1, 10)
"""Decoding times that go back by less are jitter."""

MAX_FORWARD_SECONDS = Fraction(10)
"""Decoding times that go ahead by less are a gap."""

MAX_HELD_SECONDS, MAX_HELD_PACKETS = Fraction(3), 4096
"""How long audio that jumped is held until the video jumps, too."""

JOIN_TOLERANCE_SECONDS = Fraction(1, 2)
"""Damage that a demuxer reports this close to a join is caused by the join."""

AFTER_JOIN_MARK = "joined"
"""`Packet.opaque` of the first audio packet after a join, whose timestamp must be honoured."""

INDEXED_DEMUXERS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
"""Containers whose timestamps are reliable: their edits and gaps are intended."""

BROADCAST_DEMUXERS = ("mpegts", "mpeg")
"""Containers whose clocks may be reset at any moment (ISO/IEC 13818-1, 2.4.3.5)."""


@dataclass
class _StreamClock:
    """The position of one stream, and the offset added to its timestamps."""

    time_base: Fraction
    offset_seconds: Fraction = Fraction(0)
    section: int = 0
    last_dts_seconds: Fraction | None = None
    next_dts_seconds: Fraction = Fraction(0)
    end_seconds: Fraction = Fraction(0)

    def is_discontinuous(self, packet: Packet, *, clock_may_reset: bool) -> bool:
        """Return whether a packet's time does not follow the previous one."""
        if self.last_dts_seconds is None or packet.dts is None:
            return False
        time = packet.dts * self.time_base
        return time < self.last_dts_seconds - MAX_BACKWARD_SECONDS or (
            clock_may_reset and time > self.next_dts_seconds + MAX_FORWARD_SECONDS
        )

    def shift_packet(self, packet: Packet, default_duration: Fraction) -> None:
        """Advance the clock by a packet, and add the offset to its timestamps."""
        duration = packet.duration * self.time_base if packet.duration else default_duration
        if packet.dts is not None:
            self.last_dts_seconds = packet.dts * self.time_base
            self.next_dts_seconds = self.last_dts_seconds + duration
        if packet.pts is not None:
            self.end_seconds = max(
                self.end_seconds, packet.pts * self.time_base + self.offset_seconds + duration
            )
        ticks = round(self.offset_seconds / self.time_base)
        if ticks:
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks


@dataclass
class TimestampCorrector:
    """Shifts packets so that time continues where timestamps restart or jump.

    The video decides: the first frame after a jump follows the last one before it, and the audio
    is shifted by the same offset. Audio that jumps earlier in the file than the video is held;
    if the video does not jump, a gap in the audio remains a gap.

    Attributes
    ----------
    notes : list of str
        Where the timestamps were corrected.
    trailing_damage_seconds : float, optional
        Time of damage that was not yielded because the film ended, in container seconds.
    """

    streams: Streams
    demuxer: str
    notes: list[str] = field(default_factory=list)
    trailing_damage_seconds: float | None = None

    def __post_init__(self) -> None:
        self._clocks: dict[str, _StreamClock] = {}
        self._held: list[Packet] = []
        self._held_since = Fraction(0)
        self._suspected_damage: Fraction | None = None
        self._damage_ignored_until = Fraction(-1)

    def __call__(self, packets: Iterable[Packet]) -> Iterator[tuple[Packet, float | None]]:
        """Yield shifted packets, each with the time of damage in container seconds, or None.

        Demuxers report damage where films are joined, as packet numbers do not continue there.
        Therefore damage is yielded a moment later, when it is clear that there is no join.
        """
        packets = _apply_browser_delays(self.demuxer, packets)
        if self.demuxer in INDEXED_DEMUXERS:
            for packet in packets:
                if packet.is_corrupt:
                    ticks = (packet.pts or 0) + (packet.duration or 0)
                    yield packet, float(ticks * packet.time_base)
                else:
                    yield packet, None
            return
        for packet in packets:
            if not (self.streams.is_video(packet) or self.streams.is_audio(packet)):
                continue
            for ready in self._process(packet):
                yield from self._shift_and_check(ready)
        for packet in self._release_held(self._video_clock):
            yield from self._shift_and_check(packet)
        if self._suspected_damage is not None:
            self.trailing_damage_seconds = float(self._suspected_damage)

    def _process(self, packet: Packet) -> Iterator[Packet]:
        clock = self._clock(packet)
        jumps = clock.is_discontinuous(packet, clock_may_reset=self.demuxer in BROADCAST_DEMUXERS)
        if self.streams.is_video(packet):
            if jumps:
                self._join(clock, packet)
                clock.section += 1
            yield packet
            if jumps or self._has_held_too_long(clock):
                yield from self._release_held(clock)
        elif self._held:
            self._held.append(packet)
        elif jumps and clock.section < self._video_clock.section:
            clock.section = self._video_clock.section
            clock.offset_seconds = self._video_clock.offset_seconds
            packet.opaque = AFTER_JOIN_MARK
            yield packet
        elif jumps:
            self._held, self._held_since = [packet], self._video_clock.end_seconds
        else:
            yield packet

    def _join(self, clock: _StreamClock, packet: Packet) -> None:
        """Continue the video where it ended."""
        at = clock.end_seconds - self.streams.start_seconds
        stamp = packet.dts if packet.pts is None else packet.pts
        time = (stamp or 0) * clock.time_base
        ahead = time + clock.offset_seconds - clock.end_seconds
        clock.offset_seconds = clock.end_seconds - time
        self._suspected_damage = None
        self._damage_ignored_until = clock.end_seconds + JOIN_TOLERANCE_SECONDS
        if ahead > 0:
            self.notes.append(
                f"its timestamps jump ahead by {float(ahead):.2f} s at {float(at):.2f} s; "
                "the gap was closed"
            )
        else:
            self.notes.append(
                f"its timestamps start again at {float(at):.2f} s, as in joined films; "
                "the second film follows the first"
            )

    def _release_held(self, video: _StreamClock) -> Iterator[Packet]:
        """Yield held audio: shifted with the video, or in place if that did not jump."""
        held, self._held = self._held, []
        if held:
            clock, held[0].opaque = self._clock(held[0]), AFTER_JOIN_MARK
            time = (held[0].dts or 0) * clock.time_base
            if clock.section < video.section:
                clock.section, clock.offset_seconds = video.section, video.offset_seconds
            elif clock.last_dts_seconds is not None and time < clock.last_dts_seconds:
                clock.offset_seconds += clock.next_dts_seconds - time  # only the audio restarted
        yield from held

    def _has_held_too_long(self, video: _StreamClock) -> bool:
        held_seconds = video.end_seconds - self._held_since
        return bool(self._held) and (
            held_seconds > MAX_HELD_SECONDS or len(self._held) > MAX_HELD_PACKETS
        )

    def _shift_and_check(self, packet: Packet) -> Iterator[tuple[Packet, float | None]]:
        """Yield a shifted packet, with the time of damage that no join explains."""
        clock = self._clock(packet)
        clock.shift_packet(packet, 1 / self.streams.fps)
        if (
            packet.is_corrupt
            and self._suspected_damage is None
            and clock.end_seconds > self._damage_ignored_until
        ):
            self._suspected_damage = clock.end_seconds
        damaged = None
        if (
            self._suspected_damage is not None
            and clock.end_seconds > self._suspected_damage + JOIN_TOLERANCE_SECONDS
        ):
            damaged, self._suspected_damage = float(self._suspected_damage), None
        yield packet, damaged

    @property
    def _video_clock(self) -> _StreamClock:
        return self._clocks.setdefault("video", _StreamClock(self.streams.time_base))

    def _clock(self, packet: Packet) -> _StreamClock:
        tick = Fraction(packet.stream.time_base or packet.time_base or 1)
        return self._clocks.setdefault(packet.stream.type, _StreamClock(tick))


def _apply_browser_delays(demuxer: str, packets: Iterable[Packet]) -> Iterator[Packet]:
    """Yield packets, those of animated images with the delays that browsers use."""
    if demuxer not in ANIMATED_IMAGE_DEMUXERS:
        yield from packets
        return
    added = Fraction(0)
    for packet in packets:
        tick = packet.time_base
        if packet.size and packet.pts is not None and tick:
            shift = round(added / tick)
            packet.pts += shift
            if packet.dts is not None:
                packet.dts += shift
            delay = (packet.duration or 0) * tick
            if delay <= MAX_IGNORED_DELAY_SECONDS:
                packet.duration = round(DEFAULT_DELAY_SECONDS / tick)
                added += DEFAULT_DELAY_SECONDS - delay
        yield packet
