"""Decoded sound to mono samples on the film's timeline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from frame2sound.clock import sample_at

SLIP = Fraction(30, 1000)
"""Seconds by which timestamps may wander before the sound is moved to them.

Real files jitter by 20 ms packet by packet and mean nothing by it; viewers notice 45 ms
(ITU-R BT.1359), so a lasting slip is honoured well before that.
"""

TOGETHER = 16
"""Audio frames that are folded and resampled at once."""

WILDEST = 16.0
"""Samples beyond 24 dB over full scale are a decoder's ravings, not sound."""

_TO_STEREO = {
    "FL": (1.0, 0.0),
    "FR": (0.0, 1.0),
    "FC": (2**-0.5, 2**-0.5),
    "LFE": (0.0, 0.0),
    "BC": (0.5, 0.5),
    "BL": (2**-0.5, 0.0),
    "SL": (2**-0.5, 0.0),
    "BR": (0.0, 2**-0.5),
    "SR": (0.0, 2**-0.5),
}
"""How loud each channel is in the left and the right of two, after ITU-R BS.775-3, annex 4."""


@dataclass(frozen=True)
class Sound:
    """Float32 ``samples`` whose first one is sample ``start`` of the film.

    Shape ``(n,)`` for one channel, ``(n, 2)`` for two.
    """

    start: int
    samples: NDArray[np.float32]


def fold(planes: NDArray[np.float32], names: list[str], channels: int) -> NDArray[np.float32]:
    """Fold channels, shape ``(n, samples)``, into one or two.

    One is the mean of the two: equal fronts stay as loud as they are, a centre comes out at 0.71.
    Channels without a known place are spread evenly.
    """
    if len(planes) == channels:
        return planes
    if len(planes) == 1:
        return np.repeat(planes, channels, axis=0)
    weights = np.array([_TO_STEREO.get(name, (0.5, 0.5)) for name in names], np.float32)
    if channels == 1:
        weights = weights.mean(axis=1, keepdims=True)
    return weights.T @ planes


class Planes:
    """Turns decoded frames of any sample format into float32 planes, ``(channels, n)``."""

    def __init__(self) -> None:
        self._convert: av.AudioResampler | None = None

    def __call__(self, frame: AudioFrame) -> NDArray[np.float32]:
        """Return a frame's planes, full scale at 1."""
        if frame.format.name != "fltp":
            if self._convert is None:
                self._convert = av.AudioResampler(format="fltp")
            (frame,) = self._convert.resample(frame)
        return frame.to_ndarray().astype(np.float32, copy=False)


class Track:
    """Places a film's sound: late sound starts late, early sound is cut, gaps stay open.

    Parameters
    ----------
    sample_rate : int
        Of the result, in Hz.
    start : Fraction
        The film's time 0, in seconds by the container's clock.
    channels : int
        1 or 2; other numbers of channels are folded into so many.
    """

    def __init__(self, sample_rate: int, start: Fraction, channels: int = 1) -> None:
        self.sample_rate = sample_rate
        self.start = start
        self.channels = channels
        self.position = 0
        self._given = 0
        self._source: tuple[int, str] | None = None
        self._anchor = Fraction(0)
        self._heard = 0
        self._zero = self._tick = 0.0
        self._slip = float(SLIP)
        self._waiting: list[NDArray[np.float32]] = []
        self._names: list[str] = []
        self._resampler: av.AudioResampler | None = None
        self._planes = Planes()

    def feed(self, frame: AudioFrame) -> Iterator[Sound]:
        """Take one decoded audio frame; yield what is ready, in order and without overlap.

        Raises
        ------
        ValueError
            The samples are no sound: not finite, or far beyond full scale. They are left silent.
        """
        planes = self._planes(frame)
        wild = not _loudest(planes) <= WILDEST
        if wild:
            planes = np.zeros_like(planes)
        if self._is_new(frame):
            yield from self.flush()
            self._begin(frame)
        self._heard += frame.samples
        self._waiting.append(planes)
        if len(self._waiting) == TOGETHER:
            yield from self._resample()
        if wild:
            raise ValueError("samples far beyond full scale")

    def lose(self) -> None:
        """Take note that a piece could not be decoded: the next one is placed by its timestamp."""
        self._slip = 0.0

    def flush(self) -> Iterator[Sound]:
        """Yield what is held back."""
        if self._resampler is not None:
            yield from self._resample()
            yield from self._place(self._resampler.resample(None))
            self._resampler = None

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
        self._names = [channel.name for channel in frame.layout.channels]
        self.position = sample_at(self._anchor, self.sample_rate)
        self._resampler = av.AudioResampler("flt", self._layout, self.sample_rate)

    @property
    def _layout(self) -> str:
        return "mono" if self.channels == 1 else "stereo"

    def _resample(self) -> Iterator[Sound]:
        if not self._waiting or self._resampler is None or self._source is None:
            return
        planes = fold(np.concatenate(self._waiting, axis=1), self._names, self.channels)
        self._waiting.clear()
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(planes), "fltp", self._layout)
        frame.sample_rate = self._source[0]
        yield from self._place(self._resampler.resample(frame))

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
