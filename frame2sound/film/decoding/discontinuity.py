"""One clock for films that were joined end to end, or whose timestamps jump."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

import av

from frame2sound.film.decoding.probe import Streams

MAX_BACKWARD_SECONDS = Fraction(1, 10)
"""Seconds by which decoding times may go back and mean nothing."""

MAX_FORWARD_SECONDS = Fraction(10)
"""Seconds by which they may go ahead and mean a gap."""

MAX_HELD_SECONDS, MAX_HELD_PACKETS = Fraction(3), 4096
"""How long sound that jumped waits for the picture to jump, too."""

JOIN_TOLERANCE_SECONDS = Fraction(1, 2)
"""Seconds before and after a join in which a demuxer's suspicion of damage is none."""

AFTER_JOIN_MARK = "joined"
"""The ``opaque`` of the first packet of sound after a join: its time counts, however near."""

INDEXED_DEMUXERS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
"""Containers whose timestamps do not start again: their edits and gaps are meant."""

BROADCAST_DEMUXERS = ("mpegts", "mpeg")
"""Containers whose clocks may be set anew at any moment (ISO/IEC 13818-1, 2.4.3.5)."""

Packet: TypeAlias = "av.Packet[Any]"


@dataclass
class _StreamClock:
    """One stream's: where it is, and what is added to it in seconds."""

    time_base: Fraction
    offset_seconds: Fraction = Fraction(0)
    section: int = 0
    last_dts_seconds: Fraction | None = None
    next_dts_seconds: Fraction = Fraction(0)
    end_seconds: Fraction = Fraction(0)

    def is_discontinuous(self, packet: Packet, *, clock_may_reset: bool) -> bool:
        """Whether a packet does not follow the last one."""
        if self.last_dts_seconds is None or packet.dts is None:
            return False
        time = packet.dts * self.time_base
        return time < self.last_dts_seconds - MAX_BACKWARD_SECONDS or (
            clock_may_reset and time > self.next_dts_seconds + MAX_FORWARD_SECONDS
        )

    def shift_packet(self, packet: Packet, default_duration: Fraction) -> None:
        """Take note of a packet, and move it."""
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
class DiscontinuityCorrector:
    """Moves packets so that where timestamps start again, or jump, the film goes on.

    The picture leads: what follows its jump is shown when what was before it ends, and the sound
    keeps its place beside it. Sound that jumps a moment earlier in the file waits; where the
    picture does not jump, a gap in the sound is a gap.

    Attributes
    ----------
    notes : list of str
        Where the film was joined.
    damaged_at_end : float, optional
        Damage that was told by no packet, as none followed; in seconds by the container's clock.
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
        """Yield packets, moved, and if something is damaged, where, in seconds by the container.

        Demuxers suspect damage where films are joined, as a packet's number does not follow the
        last one's; that is none. So it is told a moment later.
        """
        if self.demuxer in INDEXED_DEMUXERS:
            for packet in packets:
                end = float(((packet.pts or 0) + (packet.duration or 0)) * packet.time_base)
                yield packet, end if packet.is_corrupt else None
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
            clock.section, clock.offset_seconds = (
                self._video_clock.section,
                self._video_clock.offset_seconds,
            )
            packet.opaque = AFTER_JOIN_MARK
            yield packet
        elif jumps:
            self._held, self._held_since = [packet], self._video_clock.end_seconds
        else:
            yield packet

    def _join(self, clock: _StreamClock, packet: Packet) -> None:
        """Let the picture go on where it ended."""
        at = clock.end_seconds - self.streams.start_seconds
        stamp = packet.dts if packet.pts is None else packet.pts
        time = (stamp or 0) * clock.time_base
        ahead = time + clock.offset_seconds - clock.end_seconds
        clock.offset_seconds = clock.end_seconds - time
        self._suspected_damage, self._damage_ignored_until = (
            None,
            clock.end_seconds + JOIN_TOLERANCE_SECONDS,
        )
        if ahead > 0:
            self.notes.append(
                f"its timestamps jump ahead by {float(ahead):.2f} s at {float(at):.2f} s; "
                "the gap was closed"
            )
        else:
            self.notes.append(
                f"its timestamps start again at {float(at):.2f} s, as in joined films; "
                "what follows was laid after what was before"
            )

    def _release_held(self, picture: _StreamClock) -> Iterator[Packet]:
        """Yield sound that waited: beside the picture's new section, or where it said it is."""
        held, self._held = self._held, []
        if held:
            clock, held[0].opaque = self._clock(held[0]), AFTER_JOIN_MARK
            time = (held[0].dts or 0) * clock.time_base
            if clock.section < picture.section:
                clock.section, clock.offset_seconds = picture.section, picture.offset_seconds
            elif clock.last_dts_seconds is not None and time < clock.last_dts_seconds:
                clock.offset_seconds += clock.next_dts_seconds - time  # it alone started again
        yield from held

    def _has_held_too_long(self, picture: _StreamClock) -> bool:
        waited = picture.end_seconds - self._held_since
        return bool(self._held) and (
            waited > MAX_HELD_SECONDS or len(self._held) > MAX_HELD_PACKETS
        )

    def _shift_and_check(self, packet: Packet) -> Iterator[tuple[Packet, float | None]]:
        """Yield a packet, moved, with damage that is none of a join's."""
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
