"""One clock for films that were joined end to end, or whose timestamps jump."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

import av

from frame2sound.film.streams import Streams

BACK = Fraction(1, 10)
"""Seconds by which decoding times may go back and mean nothing."""

AHEAD = Fraction(10)
"""Seconds by which they may go ahead and mean a gap."""

HELD_SECONDS, HELD_PACKETS = Fraction(3), 4096
"""How long sound that jumped waits for the picture to jump, too."""

AROUND_A_JOIN = Fraction(1, 2)
"""Seconds before and after a join in which a demuxer's suspicion of damage is none."""

JOINED = "joined"
"""The ``opaque`` of the first packet of sound after a join: its time counts, however near."""

INDEXED = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
"""Containers whose timestamps do not start again: their edits and gaps are meant."""

BROADCAST = ("mpegts", "mpeg")
"""Containers whose clocks may be set anew at any moment (ISO/IEC 13818-1, 2.4.3.5)."""

Packet: TypeAlias = "av.Packet[Any]"


@dataclass
class _Clock:
    """One stream's: where it is, and what is added to it in seconds."""

    tick: Fraction
    shift: Fraction = Fraction(0)
    section: int = 0
    last: Fraction | None = None
    expected: Fraction = Fraction(0)
    end: Fraction = Fraction(0)

    def jumps(self, packet: Packet, *, may_set_anew: bool) -> bool:
        """Whether a packet does not follow the last one."""
        if self.last is None or packet.dts is None:
            return False
        time = packet.dts * self.tick
        return time < self.last - BACK or (may_set_anew and time > self.expected + AHEAD)

    def advance(self, packet: Packet, usual: Fraction) -> None:
        """Take note of a packet, and move it."""
        duration = packet.duration * self.tick if packet.duration else usual
        if packet.dts is not None:
            self.last = packet.dts * self.tick
            self.expected = self.last + duration
        if packet.pts is not None:
            self.end = max(self.end, packet.pts * self.tick + self.shift + duration)
        ticks = round(self.shift / self.tick)
        if ticks:
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks


@dataclass
class Continuity:
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
    container: str
    notes: list[str] = field(default_factory=list)
    damaged_at_end: float | None = None

    def __post_init__(self) -> None:
        self._clocks: dict[str, _Clock] = {}
        self._held: list[Packet] = []
        self._held_at = Fraction(0)
        self._suspected: Fraction | None = None
        self._forgiven = Fraction(-1)

    def __call__(self, packets: Iterable[Packet]) -> Iterator[tuple[Packet, float | None]]:
        """Yield packets, moved, and if something is damaged, where, in seconds by the container.

        Demuxers suspect damage where films are joined, as a packet's number does not follow the
        last one's; that is none. So it is told a moment later.
        """
        if self.container in INDEXED:
            for packet in packets:
                end = float(((packet.pts or 0) + (packet.duration or 0)) * packet.time_base)
                yield packet, end if packet.is_corrupt else None
            return
        for packet in packets:
            if not (self.streams.is_picture(packet) or self.streams.is_sound(packet)):
                continue
            for ready in self._feed(packet):
                yield from self._judged(ready)
        for packet in self._release(self._picture):
            yield from self._judged(packet)
        if self._suspected is not None:
            self.damaged_at_end = float(self._suspected)

    def _feed(self, packet: Packet) -> Iterator[Packet]:
        clock = self._clock(packet)
        jumps = clock.jumps(packet, may_set_anew=self.container in BROADCAST)
        if self.streams.is_picture(packet):
            if jumps:
                self._join(clock, packet)
                clock.section += 1
            yield packet
            if jumps or self._waited_enough(clock):
                yield from self._release(clock)
        elif self._held:
            self._held.append(packet)
        elif jumps and clock.section < self._picture.section:
            clock.section, clock.shift = self._picture.section, self._picture.shift
            packet.opaque = JOINED
            yield packet
        elif jumps:
            self._held, self._held_at = [packet], self._picture.end
        else:
            yield packet

    def _join(self, clock: _Clock, packet: Packet) -> None:
        """Let the picture go on where it ended."""
        at = clock.end - self.streams.start
        stamp = packet.dts if packet.pts is None else packet.pts
        time = (stamp or 0) * clock.tick
        ahead = time + clock.shift - clock.end
        clock.shift = clock.end - time
        self._suspected, self._forgiven = None, clock.end + AROUND_A_JOIN
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

    def _release(self, picture: _Clock) -> Iterator[Packet]:
        """Yield sound that waited: beside the picture's new section, or where it said it is."""
        held, self._held = self._held, []
        if held:
            clock, held[0].opaque = self._clock(held[0]), JOINED
            time = (held[0].dts or 0) * clock.tick
            if clock.section < picture.section:
                clock.section, clock.shift = picture.section, picture.shift
            elif clock.last is not None and time < clock.last:
                clock.shift += clock.expected - time  # it alone started again
        yield from held

    def _waited_enough(self, picture: _Clock) -> bool:
        waited = picture.end - self._held_at
        return bool(self._held) and (waited > HELD_SECONDS or len(self._held) > HELD_PACKETS)

    def _judged(self, packet: Packet) -> Iterator[tuple[Packet, float | None]]:
        """Yield a packet, moved, with damage that is none of a join's."""
        clock = self._clock(packet)
        clock.advance(packet, 1 / self.streams.fps)
        if packet.is_corrupt and self._suspected is None and clock.end > self._forgiven:
            self._suspected = clock.end
        damaged = None
        if self._suspected is not None and clock.end > self._suspected + AROUND_A_JOIN:
            damaged, self._suspected = float(self._suspected), None
        yield packet, damaged

    @property
    def _picture(self) -> _Clock:
        return self._clocks.setdefault("video", _Clock(self.streams.tick))

    def _clock(self, packet: Packet) -> _Clock:
        tick = Fraction(packet.stream.time_base or packet.time_base or 1)
        return self._clocks.setdefault(packet.stream.type, _Clock(tick))
