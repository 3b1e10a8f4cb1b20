"""Align decoded audio with the film's timeline: downmix, resample, and place by timestamp."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from frame2sound.clock import sample_at
from frame2sound.film.decoding.audio_chunks import AudioChunk
from frame2sound.film.decoding.audio_format import to_float_planes
from frame2sound.film.decoding.downmix import Downmixer, cancellation_note

DRIFT_TOLERANCE_SECONDS = Fraction(30, 1000)
"""Audio is placed anew by its timestamps once they drift by more than this.

Timestamps of real films jitter by 20 ms from packet to packet without meaning; viewers notice
45 ms (ITU-R BT.1359).
"""

BATCH_FRAMES = 16
"""Audio frames that are downmixed and resampled at once."""

MAX_PEAK = 16.0
"""Highest absolute sample that is used, 24 dB over full scale."""


class TooLoudError(ValueError):
    """Samples exceed `MAX_PEAK`.

    Attributes
    ----------
    peak : float
        The highest absolute value; full scale is 1.
    """

    def __init__(self, peak: float) -> None:
        super().__init__(f"samples far beyond full scale: {format_excess_db(peak)}")
        self.peak = peak


def format_excess_db(peak: float) -> str:
    """Return a peak in dB over full scale, such as "28.0 dB", rounded up."""
    return f"{math.ceil(200 * math.log10(peak)) / 10:.1f} dB"


class AudioAligner:
    """Turns decoded audio frames into chunks with their place on the film's timeline.

    Audio before time 0 is cut; gaps between timestamps remain gaps between chunks.

    Parameters
    ----------
    sample_rate : int
        Sample rate of the chunks in Hz.
    start_seconds : Fraction
        Time 0 of the film, in container seconds.
    channels : int
        Channels of the chunks, 1 or 2; see `Downmixer`.
    channel_names : sequence of str
        Names of the channels, for frames that do not name them.
    full_aligner : AudioAligner, optional
        Another aligner that gets the same frames; its chunks are marked as those of the full sound.

    Attributes
    ----------
    peak : float
        The highest sample of lossless audio that was silenced because it exceeds `MAX_PEAK`; 0 if
        there is none.
    """

    def __init__(
        self,
        sample_rate: int,
        start_seconds: Fraction,
        channels: int = 1,
        channel_names: Sequence[str] = (),
        full_aligner: AudioAligner | None = None,
    ) -> None:
        self.sample_rate = sample_rate
        self.start_seconds = start_seconds
        self.channels = channels
        self.channel_names = channel_names
        self._full_aligner = full_aligner
        self.next_sample = 0
        self._samples_emitted_end = 0
        self._input_format: tuple[int, str] | None = None
        self._section_start = Fraction(0)
        self._section_samples = 0
        self._section_start_clock_seconds = self._time_base = 0.0
        self._drift_tolerance = float(DRIFT_TOLERANCE_SECONDS)
        self._pending: list[NDArray[np.float32]] = []
        self._downmixer: Downmixer | None = None
        self._resampler: av.AudioResampler | None = None
        self.peak = 0.0
        self._cancelled_seconds = Fraction(0)
        self._cancelled_from: Fraction | None = None
        self._cancelled_to = Fraction(0)

    def process(self, frame: AudioFrame) -> Iterator[AudioChunk]:
        """Add a decoded audio frame; yield chunks, each kind in order and without overlap.

        Raises
        ------
        TooLoudError
            Samples exceed `MAX_PEAK`.
        ValueError
            Samples are not finite. In both cases the frame is replaced by silence.
        """
        planes = to_float_planes(frame)
        peak = _peak(planes)
        if not peak <= MAX_PEAK:
            planes = np.zeros_like(planes)
        yield from self._add(frame, planes)
        if self._full_aligner is not None:
            yield from _mark_full(self._full_aligner._add(frame, planes))
        if not peak <= MAX_PEAK:
            raise (
                TooLoudError(peak)
                if math.isfinite(peak)
                else ValueError("samples far beyond full scale")
            )

    def mark_discontinuity(self) -> None:
        """Place the next frame by its timestamp, since a frame before it could not be decoded."""
        self._drift_tolerance = 0.0
        if self._full_aligner is not None:
            self._full_aligner.mark_discontinuity()

    def flush(self) -> Iterator[AudioChunk]:
        """Yield the remaining chunks."""
        yield from self._end_section()
        if self._full_aligner is not None:
            yield from _mark_full(self._full_aligner.flush())

    def _add(self, frame: AudioFrame, planes: NDArray[np.float32]) -> Iterator[AudioChunk]:
        if self._is_discontinuous(frame):
            yield from self._end_section()
            self._start_section(frame)
        self._section_samples += frame.samples
        self._pending.append(planes)
        if len(self._pending) == BATCH_FRAMES:
            yield from self._resample()

    def _end_section(self) -> Iterator[AudioChunk]:
        """Yield the remaining chunks of the samples that follow each other without a gap."""
        if self._resampler is not None:
            yield from self._resample(last=True)
            yield from self._emit(self._resampler.resample(None))
            self._resampler = None

    def notes(self) -> list[str]:
        """Return what a person should know about the audio; complete after `flush`."""
        if self._cancelled_from is None:
            return []
        seconds = float(self._cancelled_seconds)
        start, end = float(max(self._cancelled_from, Fraction(0))), float(self._cancelled_to)
        return [cancellation_note(seconds, start, end)]

    def _is_discontinuous(self, frame: AudioFrame) -> bool:
        """Return whether a frame does not directly follow the previous one."""
        if self._input_format != (frame.rate, frame.layout.name):
            return True
        if frame.pts is None:
            return False
        expected = self._section_start_clock_seconds + self._section_samples / frame.rate
        return abs(frame.pts * self._time_base - expected) > self._drift_tolerance

    def _start_of(self, frame: AudioFrame) -> Fraction:
        return (frame.pts or 0) * (frame.time_base or Fraction(0)) - self.start_seconds

    def _start_section(self, frame: AudioFrame) -> None:
        if frame.pts is not None or self._input_format is None:
            self._section_start = Fraction(0) if frame.pts is None else self._start_of(frame)
        else:
            self._section_start += Fraction(self._section_samples, self._input_format[0])
        self._section_samples, self._drift_tolerance = 0, float(DRIFT_TOLERANCE_SECONDS)
        self._section_start_clock_seconds = float(self._section_start + self.start_seconds)
        self._time_base = float(frame.time_base or 0)
        self._input_format = frame.rate, frame.layout.name
        self._downmixer = Downmixer(self._channel_names(frame), self.channels, frame.rate)
        self.next_sample = sample_at(self._section_start, self.sample_rate)
        self._resampler = av.AudioResampler("flt", self._layout, self.sample_rate)

    @property
    def _layout(self) -> str:
        return "mono" if self.channels == 1 else "stereo"

    def _channel_names(self, frame: AudioFrame) -> list[str]:
        names = [channel.name for channel in frame.layout.channels]
        unnamed = all(name == "NONE" for name in names)
        if unnamed and len(self.channel_names) == len(names):
            return list(self.channel_names)
        return names

    def _resample(self, *, last: bool = False) -> Iterator[AudioChunk]:
        if self._downmixer is None or self._resampler is None or self._input_format is None:
            return
        mixed = []
        if self._pending:
            mixed.append(self._downmixer.process(np.concatenate(self._pending, axis=1)))
            self._pending.clear()
        if last:
            mixed.append(self._downmixer.flush())
            self._note_cancelled(self._downmixer)
        planes = np.concatenate(mixed, axis=1)
        if not planes.shape[1]:
            return
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(planes), "fltp", self._layout)
        frame.sample_rate = self._input_format[0]
        yield from self._emit(self._resampler.resample(frame))

    def _note_cancelled(self, downmixer: Downmixer) -> None:
        if not downmixer.cancelled_samples or self._input_format is None:
            return
        rate = self._input_format[0]
        self._cancelled_seconds += Fraction(downmixer.cancelled_samples, rate)
        if self._cancelled_from is None:
            self._cancelled_from = self._section_start + Fraction(downmixer.cancelled_start, rate)
        self._cancelled_to = self._section_start + Fraction(downmixer.cancelled_end, rate)

    def _emit(self, frames: list[AudioFrame]) -> Iterator[AudioChunk]:
        for ready in frames:
            samples = ready.to_ndarray()[0]
            if self.channels > 1:
                samples = samples.reshape(-1, self.channels)
            begin, self.next_sample = self.next_sample, self.next_sample + len(samples)
            # Cut samples before the film's start, and repeated ones where timestamps went back.
            first = max(begin, self._samples_emitted_end)
            if self.next_sample > first:
                self._samples_emitted_end = self.next_sample
                yield AudioChunk(first, samples[first - begin :].astype(np.float32, copy=False))


def _mark_full(chunks: Iterator[AudioChunk]) -> Iterator[AudioChunk]:
    return (replace(chunk, full=True) for chunk in chunks)


def _peak(planes: NDArray[np.float32]) -> float:
    """Return the highest absolute value; NaN if any sample is NaN."""
    return max(float(planes.max(initial=0)), -float(planes.min(initial=0)))
