"""Copy the packets of a film's video without decoding, and find out whether that is possible."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer

from frame2sound.film.decoding.packet_timing import TimestampCorrector
from frame2sound.film.decoding.probe import Streams, selected_video_stream

SILENT_CODECS = ("gif", "apng", "webp")
"""Codecs that only containers without audio support."""

PROBE_PACKETS = 64
"""Packets that are written to memory to find out whether a container supports them."""

MAX_REORDERED_FRAMES = 16
"""Frames that a codec may store before the one that is displayed first."""

_FORMATS = {".mkv": "matroska", ".m4v": "mp4"}

_MOV = "mov,mp4,m4a,3gp,3g2,mj2"


def uncopyable_reason(streams: Streams, out: Path) -> str | None:
    """Return why a film's video cannot be copied to ``out``, for a note; None if it can.

    The container may not support the codec, or need timestamps that the film lacks; or the film's
    edit list hides frames that would be displayed if their packets were copied.
    """
    suffix = out.suffix.lower()
    with streams.open() as source:
        video = selected_video_stream(source, streams)
        if source.format.name == "pictures":
            return "the picture was a sequence of pictures"
        if streams.video_codec in SILENT_CODECS:
            return f"the picture was {streams.video_codec}, which has no sound"
        if _cuts_frames(source, video, keeps_edits=suffix in (".mp4", ".m4v", ".mov")):
            return f"an edit list cuts the picture between key frames, which {suffix} cannot"
        if suffix == ".avi" and video.codec_context.has_b_frames:
            return f"{suffix} cannot hold pictures that are reordered ({streams.video_codec})"
        if not _can_hold(source, streams, _FORMATS.get(suffix, suffix[1:])):
            codec, other = streams.video_codec, _suffix_that_can_hold(streams, suffix)
            remedy = f" ({other} can)" if other else ""
            return f"{suffix} cannot hold the picture ({codec}) as it is{remedy}"
    return None


def copy_packets(
    source: InputContainer, streams: Streams, output: OutputContainer
) -> Iterator[av.Packet[av.VideoStream]]:
    """Add the video stream to a container; return its packets, the first displayed at time 0."""
    video = selected_video_stream(source, streams)
    copy = output.add_stream_from_template(video, opaque=True)
    if source.format.name == _MOV and output.format.name == "mov":
        # Otherwise ProRes 4444 would be marked as 422, and editors would ignore its alpha.
        copy.codec_context.codec_tag = video.codec_context.codec_tag
    return _shift_to_zero(source, video, streams, copy)


def _shift_to_zero(
    source: InputContainer, video: av.VideoStream, streams: Streams, copy: av.VideoStream
) -> Iterator[av.Packet[av.VideoStream]]:
    first = round(streams.start_seconds / streams.time_base)
    needed = _needed_packet_count(_hidden_packets(source, video)) or None
    corrector = TimestampCorrector(streams, source.format.name)
    for packet, _ in islice(corrector(source.demux(video)), needed):
        if not packet.size:
            continue
        if packet.dts is not None:
            packet.dts -= first
        if packet.pts is not None:
            packet.pts -= first
        packet.stream = copy
        yield packet


def _cuts_frames(source: InputContainer, video: av.VideoStream, *, keeps_edits: bool) -> bool:
    """Return whether an edit list hides frames in a way that the container cannot express."""
    hidden = _hidden_packets(source, video)
    if not any(hidden) or all(hidden):
        return False
    leading = hidden.index(False)
    if not keeps_edits:
        return leading > 0 or any(hidden[: _needed_packet_count(hidden)])
    # Hidden frames may be stored after the first displayed one if frames are reordered.
    if any(hidden[leading + MAX_REORDERED_FRAMES : _needed_packet_count(hidden)]):
        return True
    times = [entry.timestamp for entry in video.index_entries]
    return any(b <= a for a, b in pairwise(times))


def _hidden_packets(source: InputContainer, video: av.VideoStream) -> list[bool]:
    """Return for each packet whether an edit list hides its frame."""
    if source.format.name != _MOV:
        return []
    return [bool(entry.is_discard) for entry in video.index_entries]


def _needed_packet_count(hidden: list[bool]) -> int:
    """Return the number of packets up to the last displayed one."""
    return max((n + 1 for n, hides in enumerate(hidden) if not hides), default=len(hidden))


def _suffix_that_can_hold(streams: Streams, excluded: str) -> str | None:
    """Return the suffix of a container that supports a film's video; None if there is none."""
    for suffix in (".mov", ".mkv", ".avi"):
        with streams.open() as source:
            if suffix != excluded and _can_hold(source, streams, _FORMATS.get(suffix, suffix[1:])):
                return suffix
    return None


def _can_hold(source: InputContainer, streams: Streams, container: str) -> bool:
    """Return whether the first packets can be written to a container in memory."""
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
