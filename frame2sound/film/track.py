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
from frame2sound.film.layouts import planes_of
from frame2sound.film.mixing import Mixer
from frame2sound.film.mixing import fold as fold

SLIP = Fraction(30, 1000)
"""Seconds by which timestamps may wander before the sound is moved to them.

Real files jitter by 20 ms packet by packet and mean nothing by it; viewers notice 45 ms
(ITU-R BT.1359), so a lasting slip is honoured well before that.
"""

TOGETHER = 16
"""Audio frames that are folded and resampled at once."""

WILDEST = 16.0
"""Samples up to 24 dB over full scale are used as they are."""


@dataclass(frozen=True)
class Sound:
    """Float32 ``samples`` whose first one is sample ``start`` of the film.

    Shape ``(n,)`` for one channel, ``(n, 2)`` for two.
    """

    start: int
    samples: NDArray[np.float32]


class TooLoudError(ValueError):
    """Samples are farther over full scale than sound is.

    Attributes
    ----------
    peak : float
        The highest absolute value, full scale at 1.
    """

    def __init__(self, peak: float) -> None:
        super().__init__(f"samples far beyond full scale: {over_full_scale(peak)}")
        self.peak = peak


def over_full_scale(peak: float) -> str:
    """Return a peak in decibels, as "28.0 dB", rounded up: lowered by so much it is within."""
    return f"{math.ceil(200 * math.log10(peak)) / 10:.1f} dB"


class Track:
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
        start: Fraction,
        channels: int = 1,
        names: Sequence[str] = (),
    ) -> None:
        self.sample_rate = sample_rate
        self.start = start
        self.channels = channels
        self.names = names
        self.position = 0
        self._given = 0
        self._source: tuple[int, str] | None = None
        self._anchor = Fraction(0)
        self._heard = 0
        self._zero = self._tick = 0.0
        self._slip = float(SLIP)
        self._waiting: list[NDArray[np.float32]] = []
        self._mixer: Mixer | None = None
        self._resampler: av.AudioResampler | None = None
        self.peak = 0.0
        self._cancelled = Fraction(0)
        self._cancelled_from: Fraction | None = None
        self._cancelled_to = Fraction(0)

    def feed(self, frame: AudioFrame) -> Iterator[Sound]:
        """Take one decoded audio frame; yield what is ready, in order and without overlap.

        Raises
        ------
        TooLoudError
            Samples are farther over full scale than `WILDEST`.
        ValueError
            Samples are not finite. In both cases the frame is left silent.
        """
        planes = planes_of(frame)
        peak = _loudest(planes)
        if not peak <= WILDEST:
            planes = np.zeros_like(planes)
        if self._is_new(frame):
            yield from self.flush()
            self._begin(frame)
        self._heard += frame.samples
        self._waiting.append(planes)
        if len(self._waiting) == TOGETHER:
            yield from self._resample()
        if not peak <= WILDEST:
            raise (
                TooLoudError(peak)
                if math.isfinite(peak)
                else ValueError("samples far beyond full scale")
            )

    def lose(self) -> None:
        """Take note that a piece could not be decoded: the next one is placed by its timestamp."""
        self._slip = 0.0

    def flush(self) -> Iterator[Sound]:
        """Yield what is held back."""
        if self._resampler is not None:
            yield from self._resample(last=True)
            yield from self._place(self._resampler.resample(None))
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

    def _is_new(self, frame: AudioFrame) -> bool:
        """Whether a frame does not simply follow the last one."""
        if self._source != (frame.rate, frame.layout.name):
            return True
        if frame.pts is None:
            return False
        expected = self._zero + self._heard / frame.rate
        return abs(frame.pts * self._tick - expected) > self._slip

    def _time(self, frame: AudioFrame) -> Fraction:
        return (frame.pts or 0) * (frame.time_base or Fraction(0)) - self.start

    def _begin(self, frame: AudioFrame) -> None:
        if frame.pts is not None or self._source is None:
            self._anchor = Fraction(0) if frame.pts is None else self._time(frame)
        else:
            self._anchor += Fraction(self._heard, self._source[0])
        self._heard, self._slip = 0, float(SLIP)
        self._zero, self._tick = float(self._anchor + self.start), float(frame.time_base or 0)
        self._source = frame.rate, frame.layout.name
        self._mixer = Mixer(self._channel_names(frame), self.channels, frame.rate)
        self.position = sample_at(self._anchor, self.sample_rate)
        self._resampler = av.AudioResampler("flt", self._layout, self.sample_rate)

    @property
    def _layout(self) -> str:
        return "mono" if self.channels == 1 else "stereo"

    def _channel_names(self, frame: AudioFrame) -> list[str]:
        names = [channel.name for channel in frame.layout.channels]
        unnamed = all(name == "NONE" for name in names)
        return list(self.names) if unnamed and len(self.names) == len(names) else names

    def _resample(self, *, last: bool = False) -> Iterator[Sound]:
        if self._mixer is None or self._resampler is None or self._source is None:
            return
        mixed = []
        if self._waiting:
            mixed.append(self._mixer.feed(np.concatenate(self._waiting, axis=1)))
            self._waiting.clear()
        if last:
            mixed.append(self._mixer.finish())
            self._note_cancelled(self._mixer)
        planes = np.concatenate(mixed, axis=1)
        if not planes.shape[1]:
            return
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(planes), "fltp", self._layout)
        frame.sample_rate = self._source[0]
        yield from self._place(self._resampler.resample(frame))

    def _note_cancelled(self, mixer: Mixer) -> None:
        if not mixer.cancelled or self._source is None:
            return
        rate = self._source[0]
        self._cancelled += Fraction(mixer.cancelled, rate)
        if self._cancelled_from is None:
            self._cancelled_from = self._anchor + Fraction(mixer.first, rate)
        self._cancelled_to = self._anchor + Fraction(mixer.last, rate)

    def _place(self, frames: list[AudioFrame]) -> Iterator[Sound]:
        for ready in frames:
            samples = ready.to_ndarray()[0]
            if self.channels > 1:
                samples = samples.reshape(-1, self.channels)
            begin, self.position = self.position, self.position + len(samples)
            # What comes before the film, or twice because the timestamps went back, is cut.
            first = max(begin, self._given)
            if self.position > first:
                self._given = self.position
                yield Sound(first, samples[first - begin :].astype(np.float32, copy=False))


def _loudest(planes: NDArray[np.float32]) -> float:
    """Return the highest absolute value; not a number if there is one that is none."""
    return max(float(planes.max(initial=0)), -float(planes.min(initial=0)))
