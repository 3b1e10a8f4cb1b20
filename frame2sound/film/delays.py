"""How long the pictures of animated images are shown: as browsers show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, TypeAlias

import av

ANIMATED_IMAGES = ("gif", "apng", "webp", "webp_anim", "awebp")
"""The demuxers, as FFmpeg names them."""

TOO_SHORT, INSTEAD = Fraction(1, 100), Fraction(1, 10)
"""Seconds up to which a delay is not meant, and those that browsers take instead.

Firefox, Chrome and Safari do so. FFmpeg 8.1 has options for this of its GIF demuxer, but its parser
of GIF overrides them.
"""

Packet: TypeAlias = "av.Packet[Any]"


def as_browsers_show(container_format: str, packets: Iterable[Packet]) -> Iterator[Packet]:
    """Yield a film's packets; those of animated images with the delays that browsers take."""
    if container_format not in ANIMATED_IMAGES:
        yield from packets
        return
    late = Fraction(0)
    for packet in packets:
        tick = packet.time_base
        if packet.size and packet.pts is not None and tick:
            shift = round(late / tick)
            packet.pts += shift
            if packet.dts is not None:
                packet.dts += shift
            shown = (packet.duration or 0) * tick
            if shown <= TOO_SHORT:
                packet.duration = round(INSTEAD / tick)
                late += INSTEAD - shown
        yield packet
