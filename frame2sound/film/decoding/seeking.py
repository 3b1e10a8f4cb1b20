"""Start in the middle of a film: seek to a key frame, where times stay exact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain

import av
from av.container import InputContainer

from frame2sound.film.decoding.audio_chunks import AudioChunk
from frame2sound.film.decoding.ffmpeg_input import Packet
from frame2sound.film.decoding.frame_timing import Frame
from frame2sound.film.decoding.packet_timing import INDEXED_DEMUXERS
from frame2sound.film.decoding.parallel_decoder import NonDeterministicDecodeError
from frame2sound.film.decoding.probe import Streams, selected_video_stream

SEEK_MARGIN_SECONDS = 1
"""Seconds before the frame that is needed: indices are by decoding time, which is earlier."""


def seek_to_key_frame(
    streams: Streams,
    container: InputContainer,
    packets: Iterator[tuple[Packet, float]],
    from_seconds: Fraction,
) -> Iterator[tuple[Packet, float]] | None:
    """Seek, and return the packets from a key frame on; None if the film must be opened anew.

    That is where timestamps may be wrong, so that a frame's time depends on all frames before it,
    and where there is no key frame before ``from_seconds``. Frames that are stored after the key
    frame and displayed before it are left out, since they may refer to frames before it.

    Parameters
    ----------
    packets : iterator
        Those of the container, from which nothing was read, with their ends.
    from_seconds : Fraction
        Of the film.
    """
    seconds = from_seconds - SEEK_MARGIN_SECONDS
    if container.format.name not in INDEXED_DEMUXERS or seconds <= 0:
        return None
    target = int((seconds + streams.start_seconds) / streams.time_base)
    try:
        container.seek(target, stream=selected_video_stream(container, streams), backward=True)
        first = next((each for each in packets if streams.is_video(each[0])), None)
    except av.FFmpegError:
        return None
    if first is None or not first[0].is_keyframe:
        return None
    key_pts = first[0].pts
    if key_pts is None or key_pts > target:
        return None
    return chain([first], (each for each in packets if _follows(each[0], streams, key_pts)))


def drop_before(
    events: Iterable[Frame | AudioChunk], from_seconds: Fraction, *, sought: bool
) -> Iterator[Frame | AudioChunk]:
    """Yield audio, and the frames that end after a time.

    Raises
    ------
    NonDeterministicDecodeError
        A film that may have been ``sought`` begins later: its key frame was not a whole picture.
    """
    is_complete = not sought
    for event in events:
        if isinstance(event, Frame):
            is_complete |= event.start_seconds <= from_seconds
            if not is_complete:
                raise NonDeterministicDecodeError
            if event.end_seconds <= from_seconds:
                continue
        yield event


def _follows(packet: Packet, streams: Streams, key_pts: int) -> bool:
    return not streams.is_video(packet) or packet.pts is None or packet.pts >= key_pts
