"""Decoded sound to mono samples on the film's timeline."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from frame2sound.clock import sample_at
from frame2sound.film.decoding.audio_format import to_float_planes
from frame2sound.film.decoding.downmix import Downmixer
from frame2sound.film.decoding.downmix import downmix as downmix

DRIFT_TOLERANCE_SECONDS = Fraction(30, 1000)
"""Seconds by which timestamps may wander before the sound is moved to them.

Real files jitter by 20 ms packet by packet and mean nothing by it; viewers notice 45 ms
(ITU-R BT.1359), so a lasting slip is honoured well before that.
"""

BATCH_FRAMES = 16
"""Audio frames that are folded and resampled at once."""

MAX_PEAK = 16.0
"""Samples up to 24 dB over full scale are used as they are."""


@dataclass(frozen=True)
class AudioChunk:
    """Float32 ``samples`` whose first one is sample ``start`` of the film.

    Shape ``(n,)`` for one channel, ``(n, 2)`` for two.
    """

    start_sample: int
    samples: NDArray[np.float32]


class TooLoudError(ValueError):
    """Samples are farther over full scale than sound is.

    Attributes
    ----------
    peak : float
        The highest absolute value, full scale at 1.
    """

    def __init__(self, peak: float) -> None:
        super().__init__(f"samples far beyond full scale: {format_excess_db(peak)}")
        self.peak = peak


def format_excess_db(peak: float) -> str:
    """Return a peak in decibels, as "28.0 dB", rounded up: lowered by so much it is within."""
    return f"{math.ceil(200 * math.log10(peak)) / 10:.1f} dB"


class AudioAligner:
    """Places a film's sound: late sound starts late, early sound is cut, gaps stay open.

    Parameters
    ----------
    sample_rate : int
        Of the result, in Hz.
    start : Fraction
        The film's time 0, in seconds by the container's clock.
    channels : int
        1 or 2; other numbers of channels are mixed into so many, as `Mixer` does.
    names : sequence of str
        Of the channels, for frames that do not name them.

    Attributes
    ----------
    peak : float
        The highest sample that was left out because it is farther over full scale than `WILDEST`,
        though it was recorded so; 0 if there is none.
    """

    def __init__(
        self,
        sample_rate: int,
        start_seconds: Fraction,
        channels: int = 1,
        channel_names: Sequence[str] = (),
    ) -> None:
        self.sample_rate = sample_rate
        self.start_seconds = start_seconds
        self.channels = channels
        self.channel_names = channel_names
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
        self._cancelled = Fraction(0)
        self._cancelled_from: Fraction | None = None
        self._cancelled_to = Fraction(0)

    def process(self, frame: AudioFrame) -> Iterator[AudioChunk]:
        """Take one decoded audio frame; yield what is ready, in order and without overlap.

        Raises
        ------
        TooLoudError
            Samples are farther over full scale than `WILDEST`.
        ValueError
            Samples are not finite. In both cases the frame is left silent.
        """
        planes = to_float_planes(frame)
        peak = _peak(planes)
        if not peak <= MAX_PEAK:
            planes = np.zeros_like(planes)
        if self._is_discontinuous(frame):
            yield from self.flush()
            self._start_section(frame)
        self._section_samples += frame.samples
        self._pending.append(planes)
        if len(self._pending) == BATCH_FRAMES:
            yield from self._resample()
        if not peak <= MAX_PEAK:
            raise (
                TooLoudError(peak)
                if math.isfinite(peak)
                else ValueError("samples far beyond full scale")
            )

    def mark_discontinuity(self) -> None:
        """Take note that a piece could not be decoded: the next one is placed by its timestamp."""
        self._drift_tolerance = 0.0

    def flush(self) -> Iterator[AudioChunk]:
        """Yield what is held back."""
        if self._resampler is not None:
            yield from self._resample(last=True)
            yield from self._emit(self._resampler.resample(None))
            self._resampler = None

    def notes(self) -> list[str]:
        """Return what a person should know about the sound, when it has been flushed."""
        if self._cancelled_from is None:
            return []
        return [
            f"its channels cancel each other in {float(self._cancelled):.2f} s of its sound, from "
            f"{float(max(self._cancelled_from, Fraction(0))):.2f} s to "
            f"{float(self._cancelled_to):.2f} s; took the loudest one there"
        ]

    def _is_discontinuous(self, frame: AudioFrame) -> bool:
        """Whether a frame does not simply follow the last one."""
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
        self._section_start_clock_seconds, self._time_base = (
            float(self._section_start + self.start_seconds),
            float(frame.time_base or 0),
        )
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
        return (
            list(self.channel_names) if unnamed and len(self.channel_names) == len(names) else names
        )

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

    def _note_cancelled(self, mixer: Downmixer) -> None:
        if not mixer.cancelled_samples or self._input_format is None:
            return
        rate = self._input_format[0]
        self._cancelled += Fraction(mixer.cancelled_samples, rate)
        if self._cancelled_from is None:
            self._cancelled_from = self._section_start + Fraction(mixer.cancelled_start, rate)
        self._cancelled_to = self._section_start + Fraction(mixer.cancelled_end, rate)

    def _emit(self, frames: list[AudioFrame]) -> Iterator[AudioChunk]:
        for ready in frames:
            samples = ready.to_ndarray()[0]
            if self.channels > 1:
                samples = samples.reshape(-1, self.channels)
            begin, self.next_sample = self.next_sample, self.next_sample + len(samples)
            # What comes before the film, or twice because the timestamps went back, is cut.
            first = max(begin, self._samples_emitted_end)
            if self.next_sample > first:
                self._samples_emitted_end = self.next_sample
                yield AudioChunk(first, samples[first - begin :].astype(np.float32, copy=False))


def _peak(planes: NDArray[np.float32]) -> float:
    """Return the highest absolute value; not a number if there is one that is none."""
    return max(float(planes.max(initial=0)), -float(planes.min(initial=0)))
