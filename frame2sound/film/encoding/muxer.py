"""Mux a soundtrack with a film's video, which is copied, or encoded if it cannot be copied."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from numpy.typing import NDArray

from frame2sound.film.decoding.probe import Streams
from frame2sound.film.encoding.audio_encoder import AudioEncoder, container_options
from frame2sound.film.encoding.containers import AudioCodec
from frame2sound.film.encoding.excerpt import WHOLE_PICTURE, Excerpt
from frame2sound.film.encoding.stream_copy import copy_packets, uncopyable_reason

CHUNK_SAMPLES = 1 << 14
"""Samples that are encoded before video packets are interleaved."""


@dataclass(frozen=True)
class WriteResult:
    """The result of writing a film.

    Attributes
    ----------
    true_peak_db : float
        The highest true peak in dBTP, as a player will decode it.
    notes : tuple of str
        What a person should know about the video.
    """

    true_peak_db: float
    notes: tuple[str, ...]


def mux(
    streams: Streams,
    chunks: Iterable[NDArray[np.float32]],
    sample_rate: int,
    channels: int,
    codec: AudioCodec,
    out: Path,
    background: int = 0,
    on_packet: Callable[[], None] = lambda: None,
    excerpt: Excerpt = WHOLE_PICTURE,
) -> WriteResult:
    """Write a film's video and a soundtrack to ``out``, in this process.

    Both start at time 0. The video's packets are copied if the container supports them without
    change, else encoded. Audio and video are interleaved as they come, in constant memory. The
    padding that AAC and Opus add is marked, so that players skip it.

    Parameters
    ----------
    streams : Streams
        The film whose video is used.
    chunks : iterable of float32 arrays
        Consecutive samples, ``(n,)``, or ``(n, 2)`` for two channels, within full scale.
    sample_rate, channels : int
    codec : AudioCodec
    out : Path
    background : int
        Grey level, 0 (black) to 255, behind transparent pictures if they are encoded.
    on_packet : callable
        Called after each packet of the video.
    excerpt : Excerpt
        The part of the video that is written; less than the whole is encoded, since packets can
        only be copied from a key frame on.

    Raises
    ------
    SoundtrackError
        The container supports no video codec of this program.
    OSError
        The disk is full.
    """
    options = container_options(out, sample_rate)
    reason = excerpt.uncopyable_reason or uncopyable_reason(streams, out)
    with (
        streams.open() as source,
        av.open(str(out.absolute()), "w", options=options) as target,
    ):
        notes: tuple[str, ...] = ()
        if reason is None:
            packets = copy_packets(source, streams, target)
        else:
            from frame2sound.film.encoding.video_encoder import VideoEncoder  # loads OpenCV

            encoder = VideoEncoder(streams, target, reason, background, excerpt)
            packets, notes = encoder.packets(source), encoder.notes
        audio = AudioEncoder(target, codec, sample_rate, channels)
        target.start_encoding()
        written = Fraction(0)
        for chunk in chunks:
            for begin in range(0, len(chunk), CHUNK_SAMPLES):
                audio.write(chunk[begin : begin + CHUNK_SAMPLES])
                written = Fraction(audio.samples_written, sample_rate)
                _write_packets_until(packets, written, target, on_packet)
        audio.close()
        _write_packets_until(packets, None, target, on_packet)
        return WriteResult(audio.meter.true_peak_db, notes)


def _write_packets_until(
    packets: Iterator[av.Packet[av.VideoStream]],
    time: Fraction | None,
    output: OutputContainer,
    on_packet: Callable[[], None],
) -> None:
    """Write video packets up to a time in seconds, or all that remain."""
    last_tick: int | None = None
    for packet in packets:
        output.mux(packet)
        on_packet()
        if time is None:
            continue
        if last_tick is None and packet.time_base:
            last_tick = time // packet.time_base  # packets of a container share its ticks
        if last_tick is not None and (packet.dts or 0) > last_tick:
            return
