"""A film's picture copied as it is: whether a container can hold it, and its packets."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer

from frame2sound.film.decoding.discontinuity import DiscontinuityCorrector
from frame2sound.film.decoding.probe import Streams, selected_video_stream

SILENT_CODECS = ("gif", "apng", "webp")
"""Pictures that only containers without sound hold."""

PROBE_PACKETS = 64
"""Packets that are written to memory to see whether a container holds them."""

MAX_REORDERED_FRAMES = 16
"""Pictures that a codec may store before the one that is shown first."""

_FORMATS = {".mkv": "matroska", ".m4v": "mp4"}

_MOV = "mov,mp4,m4a,3gp,3g2,mj2"


def uncopyable_reason(streams: Streams, out: Path) -> str | None:
    """Return why a film's picture cannot be copied to ``out``, for a note; None where it can.

    A container may not know the codec, or need timestamps that the film lacks; or the film's edit
    list cuts pictures out that would be shown if their packets were copied.
    """
    ending = out.suffix.lower()
    with streams.open() as source:
        video = selected_video_stream(source, streams)
        if source.format.name == "pictures":
            return "the picture was a sequence of pictures"
        if streams.video_codec in SILENT_CODECS:
            return f"the picture was {streams.video_codec}, which cannot sound"
        if _cuts_frames(source, video, keeps_edits=ending in (".mp4", ".m4v", ".mov")):
            return f"an edit list cuts the picture between key frames, which {ending} cannot"
        if ending == ".avi" and video.codec_context.has_b_frames:
            return f"{ending} cannot hold pictures that are reordered ({streams.video_codec})"
        if not _can_hold(source, streams, _FORMATS.get(ending, ending[1:])):
            kind, can = streams.video_codec, _suffix_that_can_hold(streams, ending)
            instead = f" ({can} can)" if can else ""
            return f"{ending} cannot hold the picture ({kind}) as it is{instead}"
    return None


def copy_packets(
    source: InputContainer, streams: Streams, output: OutputContainer
) -> Iterator[av.Packet[av.VideoStream]]:
    """Add the picture's stream to a container; return its packets, the first shown at time 0."""
    video = selected_video_stream(source, streams)
    copy = output.add_stream_from_template(video, opaque=True)
    if source.format.name == _MOV and output.format.name == "mov":
        # Else ProRes 4444 would be marked as 422, and editors would drop its alpha.
        copy.codec_context.codec_tag = video.codec_context.codec_tag
    return _shift_to_zero(source, video, streams, copy)


def _shift_to_zero(
    source: InputContainer, video: av.VideoStream, streams: Streams, copy: av.VideoStream
) -> Iterator[av.Packet[av.VideoStream]]:
    first = round(streams.start_seconds / streams.time_base)
    needed = _needed_packet_count(_hidden_packets(source, video)) or None
    continuity = DiscontinuityCorrector(streams, source.format.name)
    for packet, _ in islice(continuity(source.demux(video)), needed):
        if not packet.size:
            continue
        if packet.dts is not None:
            packet.dts -= first
        if packet.pts is not None:
            packet.pts -= first
        packet.stream = copy
        yield packet


def _cuts_frames(source: InputContainer, video: av.VideoStream, *, keeps_edits: bool) -> bool:
    """Whether pictures must be decoded but not shown, in a way that a container cannot say."""
    hidden = _hidden_packets(source, video)
    if not any(hidden) or all(hidden):
        return False
    leading = hidden.index(False)
    if not keeps_edits:
        return leading > 0 or any(hidden[: _needed_packet_count(hidden)])
    # Reordered pictures that are hidden may come after the first that is shown.
    if any(hidden[leading + MAX_REORDERED_FRAMES : _needed_packet_count(hidden)]):
        return True
    times = [entry.timestamp for entry in video.index_entries]
    return any(b <= a for a, b in pairwise(times))


def _hidden_packets(source: InputContainer, video: av.VideoStream) -> list[bool]:
    """Return for each packet whether an edit list hides its picture."""
    if source.format.name != _MOV:
        return []
    return [bool(entry.is_discard) for entry in video.index_entries]


def _needed_packet_count(hidden: list[bool]) -> int:
    """Return how many packets are needed: none after the last that is shown."""
    return max((n + 1 for n, hides in enumerate(hidden) if not hides), default=len(hidden))


def _suffix_that_can_hold(streams: Streams, excluded: str) -> str | None:
    """Return the ending of a container that can hold a film's picture, if there is one."""
    for ending in (".mov", ".mkv", ".avi"):
        with streams.open() as source:
            if ending != excluded and _can_hold(source, streams, _FORMATS.get(ending, ending[1:])):
                return ending
    return None


def _can_hold(source: InputContainer, streams: Streams, container: str) -> bool:
    """Try it out in memory, with the first packets."""
    try:
        with av.open(io.BytesIO(), "w", format=container) as target:
            packets = copy_packets(source, streams, target)
            target.start_encoding()
            for packet in islice(packets, PROBE_PACKETS):
                if packet.pts is None and packet.dts is None:
                    return False
                target.mux(packet)
    except (av.FFmpegError, ValueError):
        return False
    return True
