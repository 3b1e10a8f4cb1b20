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

from frame2sound.film.containers import SoundCodec
from frame2sound.film.picture_copy import copied_packets, copy_obstacle
from frame2sound.film.picture_encoder import PictureEncoder
from frame2sound.film.streams import Streams
from frame2sound.film.voice import Voice, container_options

CHUNK = 1 << 14
"""Most samples written between two looks at the picture."""


@dataclass(frozen=True)
class Written:
    """What a written film is.

    Attributes
    ----------
    peak_db : float
        The highest true peak in dBTP, as a player will decode it.
    notes : tuple of str
        What a person should know of its picture.
    """

    peak_db: float
    notes: tuple[str, ...]


def mux(
    streams: Streams,
    sound: Iterable[NDArray[np.float32]],
    sample_rate: int,
    channels: int,
    codec: SoundCodec,
    out: Path,
    ground: int = 0,
    alive: Callable[[], None] = lambda: None,
) -> Written:
    """Write a film's picture and a soundtrack to ``out``, in this process.

    Both start at time 0. The picture's packets are copied where the container can hold them and
    shows them the same, else encoded; sound and picture are interleaved as they come, so memory
    stays small. Priming and padding of AAC and Opus are marked, so players neither start late nor
    add a tail.

    Parameters
    ----------
    sound : iterable of float32 arrays
        ``(n,)``, or ``(n, 2)`` for two channels, within full scale.
    ground : int
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
    obstacle = copy_obstacle(streams, out)
    with (
        streams.open() as source,
        av.open(str(out.absolute()), "w", options=options) as target,
    ):
        notes: tuple[str, ...] = ()
        if obstacle is None:
            picture = copied_packets(source, streams, target)
        else:
            encoder = PictureEncoder(streams, target, obstacle, ground)
            picture, notes = encoder.packets(source), encoder.notes
        voice = Voice(target, codec, sample_rate, channels)
        target.start_encoding()
        written = Fraction(0)
        for chunk in sound:
            for begin in range(0, len(chunk), CHUNK):
                voice.say(chunk[begin : begin + CHUNK])
                written = Fraction(voice.position, sample_rate)
                _until(picture, written, target, alive)
        voice.fall_silent()
        _until(picture, None, target, alive)
        return Written(voice.meter.peak_db, notes)


def _until(
    picture: Iterator[av.Packet[av.VideoStream]],
    time: Fraction | None,
    target: OutputContainer,
    alive: Callable[[], None],
) -> None:
    """Write the picture's packets up to a time in seconds, or all that are left."""
    for packet in picture:
        target.mux(packet)
        alive()
        if time is not None and (packet.dts or 0) * Fraction(packet.time_base or 0) > time:
            return
