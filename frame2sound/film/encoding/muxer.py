"""Writing a film: its picture copied, or encoded where it cannot be, and a soundtrack beside it."""

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
from frame2sound.film.encoding.stream_copy import copy_packets, uncopyable_reason
from frame2sound.film.encoding.video_encoder import VideoEncoder

CHUNK_SAMPLES = 1 << 14
"""Most samples written between two looks at the picture."""


@dataclass(frozen=True)
class WriteResult:
    """What a written film is.

    Attributes
    ----------
    peak_db : float
        The highest true peak in dBTP, as a player will decode it.
    notes : tuple of str
        What a person should know of its picture.
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
) -> WriteResult:
    """Write a film's picture and a soundtrack to ``out``, in this process.

    Both start at time 0. The picture's packets are copied where the container can hold them and
    shows them the same, else encoded; sound and picture are interleaved as they come, so memory
    stays small. Priming and padding of AAC and Opus are marked, so players neither start late nor
    add a tail.

    Parameters
    ----------
    sound : iterable of float32 arrays
        ``(n,)``, or ``(n, 2)`` for two channels, within full scale.
    background : int
        The grey, from 0 (black) to 255, on which transparent pictures lie if they are encoded.
    alive : callable
        Called after each packet of the picture.

    Raises
    ------
    SoundtrackError
        The container can hold no picture of any kind.
    OSError
        The disk is full.
    """
    options = container_options(out, sample_rate)
    obstacle = uncopyable_reason(streams, out)
    with (
        streams.open() as source,
        av.open(str(out.absolute()), "w", options=options) as target,
    ):
        notes: tuple[str, ...] = ()
        if obstacle is None:
            picture = copy_packets(source, streams, target)
        else:
            encoder = VideoEncoder(streams, target, obstacle, background)
            picture, notes = encoder.packets(source), encoder.notes
        voice = AudioEncoder(target, codec, sample_rate, channels)
        target.start_encoding()
        written = Fraction(0)
        for chunk in chunks:
            for begin in range(0, len(chunk), CHUNK_SAMPLES):
                voice.write(chunk[begin : begin + CHUNK_SAMPLES])
                written = Fraction(voice.samples_written, sample_rate)
                _write_packets_until(picture, written, target, on_packet)
        voice.close()
        _write_packets_until(picture, None, target, on_packet)
        return WriteResult(voice.meter.true_peak_db, notes)


def _write_packets_until(
    picture: Iterator[av.Packet[av.VideoStream]],
    time: Fraction | None,
    output: OutputContainer,
    on_packet: Callable[[], None],
) -> None:
    """Write the picture's packets up to a time in seconds, or all that are left."""
    for packet in picture:
        output.mux(packet)
        on_packet()
        if time is not None and (packet.dts or 0) * Fraction(packet.time_base or 0) > time:
            return
