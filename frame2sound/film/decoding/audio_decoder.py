"""A film's sound decoded, where it is read or beside the picture."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeAlias

import av
from av.audio.frame import AudioFrame

from frame2sound.film.decoding.audio_aligner import (
    AudioAligner,
    AudioChunk,
    TooLoudError,
    format_excess_db,
)
from frame2sound.film.decoding.discontinuity import AFTER_JOIN_MARK

BATCH_PACKETS, BATCH_BYTES = 512, 2**20
"""Packets that are decoded in one go, beside the picture: many, as threads that take turns every
few microseconds delay each other."""

Packet: TypeAlias = "av.Packet[av.AudioStream]"


class AudioDecoder:
    """Decodes packet after packet, and places what they hold on a track.

    Parameters
    ----------
    track : Track
    damaged : function
        Called with the time of what cannot be decoded, in seconds by the container's clock, and
        what is wrong with it if that is known.
    """

    def __init__(
        self, aligner: AudioAligner, on_damage: Callable[[float, str | None], None]
    ) -> None:
        self._aligner, self._on_damage = aligner, on_damage

    def decode(self, packet: Packet, end_seconds: float) -> Iterator[AudioChunk]:
        """Yield what is ready, after a packet that is read at time ``end``."""
        if packet.opaque == AFTER_JOIN_MARK:
            self._aligner.mark_discontinuity()
        try:
            for frame in packet.decode():
                try:
                    yield from self._aligner.process(frame)
                except TooLoudError as error:
                    self._record_peak(packet, _start_seconds(frame), error.peak)
                except ValueError:
                    self._on_damage(_start_seconds(frame), None)
        except av.FFmpegError:
            self._aligner.mark_discontinuity()
            self._on_damage(end_seconds, None)

    def flush(self) -> Iterator[AudioChunk]:
        """Yield the rest."""
        return self._aligner.flush()

    def _record_peak(self, packet: Packet, time: float, peak: float) -> None:
        """Take note of a peak if it was recorded; decoders of lossy sound invent some."""
        if packet.stream.codec.lossless:
            self._aligner.peak = max(self._aligner.peak, peak)
        else:
            self._on_damage(
                time,
                f"has sound {format_excess_db(peak)} over full scale at {time:.2f} s, unless it was "
                "made so (then lower it by as much)",
            )


class ThreadedAudioDecoder:
    """Hears with an `Ear` in other threads, many packets at a time, in their order.

    What the ear raises there is raised here, when it is its turn.
    """

    def __init__(self, decoder: AudioDecoder, executor: ThreadPoolExecutor) -> None:
        self._decoder, self._executor = decoder, executor
        self._packets: list[tuple[Packet, float]] = []
        self._batch_bytes = 0
        self._results: deque[Future[list[AudioChunk]]] = deque()
        self._last_result: Future[list[AudioChunk]] | None = None

    def decode(self, packet: Packet, end_seconds: float) -> Iterator[AudioChunk]:
        """Take a packet; yield what is ready."""
        self._packets.append((packet, end_seconds))
        self._batch_bytes += packet.size
        if len(self._packets) >= BATCH_PACKETS or self._batch_bytes >= BATCH_BYTES:
            self._submit_batch()
        while self._results and self._results[0].done():
            yield from self._results.popleft().result()

    def flush(self) -> Iterator[AudioChunk]:
        """Yield the rest."""
        self._submit_batch()
        for heard in self._results:
            yield from heard.result()
        yield from self._decoder.flush()

    def _submit_batch(self) -> None:
        self._last_result = self._executor.submit(
            self._decode_batch, self._packets, self._last_result
        )
        self._results.append(self._last_result)
        self._packets, self._batch_bytes = [], 0

    def _decode_batch(
        self, packets: list[tuple[Packet, float]], previous: Future[list[AudioChunk]] | None
    ) -> list[AudioChunk]:
        if previous is not None:
            wait([previous])  # it was given to the threads earlier, so one of them has it
        return [sound for packet, end in packets for sound in self._decoder.decode(packet, end)]


def _start_seconds(frame: AudioFrame) -> float:
    return float((frame.pts or 0) * (frame.time_base or 0))
