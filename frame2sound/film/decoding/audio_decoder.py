"""Decode audio packets, in the calling thread or in others."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeAlias

import av
from av.audio.frame import AudioFrame

from frame2sound.film.decoding.audio_aligner import (
    AudioAligner,
    TooLoudError,
    format_excess_db,
)
from frame2sound.film.decoding.audio_chunks import AudioChunk
from frame2sound.film.decoding.packet_timing import AFTER_JOIN_MARK

BATCH_PACKETS, BATCH_BYTES = 512, 2**20
"""Packets per task of a `ThreadedAudioDecoder`; shorter tasks would delay the other threads."""

AudioPacket: TypeAlias = "av.Packet[av.AudioStream]"


class AudioDecoder:
    """Decodes packets one by one, and aligns the audio with the film's timeline.

    Parameters
    ----------
    aligner : AudioAligner
    on_damage : function
        Called with the time of damage in container seconds, and its description if known.
    """

    def __init__(
        self, aligner: AudioAligner, on_damage: Callable[[float, str | None], None]
    ) -> None:
        self._aligner, self._on_damage = aligner, on_damage

    def decode(self, packet: AudioPacket, end_seconds: float) -> Iterator[AudioChunk]:
        """Decode a packet; yield chunks. ``end_seconds`` is its end in container seconds."""
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

    def end(self) -> None:
        """Do nothing: every packet is decoded when it comes."""

    def ready(self) -> Iterator[AudioChunk]:
        """Yield nothing: `decode` has yielded all that is decoded."""
        return iter(())

    def flush(self) -> Iterator[AudioChunk]:
        """Yield the remaining chunks."""
        return self._aligner.flush()

    def _record_peak(self, packet: AudioPacket, time: float, peak: float) -> None:
        """Record a peak of lossless audio; in lossy audio it is damage that the decoder makes."""
        if packet.stream.codec.lossless:
            self._aligner.peak = max(self._aligner.peak, peak)
        else:
            self._on_damage(
                time,
                f"has sound {format_excess_db(peak)} over full scale at {time:.2f} s (if that is "
                "intended, lower it by as much)",
            )


class ThreadedAudioDecoder:
    """Runs an `AudioDecoder` in other threads, in batches of packets and in their order.

    An error is raised here when the results of its batch are due.
    """

    def __init__(self, decoder: AudioDecoder, executor: ThreadPoolExecutor) -> None:
        self._decoder, self._executor = decoder, executor
        self._packets: list[tuple[AudioPacket, float]] = []
        self._batch_bytes = 0
        self._results: deque[Future[list[AudioChunk]]] = deque()
        self._last_result: Future[list[AudioChunk]] | None = None

    def decode(self, packet: AudioPacket, end_seconds: float) -> Iterator[AudioChunk]:
        """Add a packet; yield chunks that are decoded."""
        self._packets.append((packet, end_seconds))
        self._batch_bytes += packet.size
        if len(self._packets) >= BATCH_PACKETS or self._batch_bytes >= BATCH_BYTES:
            self._submit_batch()
        yield from self.ready()

    def end(self) -> None:
        """Begin to decode the last packets."""
        self._submit_batch()

    def ready(self) -> Iterator[AudioChunk]:
        """Yield chunks that are decoded."""
        while self._results and self._results[0].done():
            yield from self._results.popleft().result()

    def flush(self) -> Iterator[AudioChunk]:
        """Yield the remaining chunks, after `end`."""
        for result in self._results:
            yield from result.result()
        yield from self._decoder.flush()

    def _submit_batch(self) -> None:
        self._last_result = self._executor.submit(
            self._decode_batch, self._packets, self._last_result
        )
        self._results.append(self._last_result)
        self._packets, self._batch_bytes = [], 0

    def _decode_batch(
        self, packets: list[tuple[AudioPacket, float]], previous: Future[list[AudioChunk]] | None
    ) -> list[AudioChunk]:
        if previous is not None:
            wait([previous])  # submitted earlier, so a thread is already running it
        return [chunk for packet, end in packets for chunk in self._decoder.decode(packet, end)]


def _start_seconds(frame: AudioFrame) -> float:
    return float((frame.pts or 0) * (frame.time_base or 0))
