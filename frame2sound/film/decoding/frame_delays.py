"""How long the pictures of animated images are shown: as browsers show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, TypeAlias

import av

ANIMATED_IMAGE_DEMUXERS = ("gif", "apng", "webp", "webp_anim", "awebp")
"""The demuxers, as FFmpeg names them."""

MAX_IGNORED_DELAY_SECONDS, DEFAULT_DELAY_SECONDS = Fraction(1, 100), Fraction(1, 10)
"""Seconds up to which a delay is not meant, and those that browsers take instead.

Firefox, Chrome and Safari do so. FFmpeg 8.1 has options for this of its GIF demuxer, but its parser
of GIF overrides them.
"""

Packet: TypeAlias = "av.Packet[Any]"


def apply_browser_delays(demuxer: str, packets: Iterable[Packet]) -> Iterator[Packet]:
    """Yield a film's packets; those of animated images with the delays that browsers take."""
    if demuxer not in ANIMATED_IMAGE_DEMUXERS:
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
            if shown <= MAX_IGNORED_DELAY_SECONDS:
                packet.duration = round(DEFAULT_DELAY_SECONDS / tick)
                late += DEFAULT_DELAY_SECONDS - shown
        yield packet
