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
        self._next: Fraction | None = None
        self._rate = 0
        self._resampler: av.AudioResampler | None = None
        self._planes = Planes()

    def feed(self, frame: AudioFrame) -> Iterator[Sound]:
        """Take one decoded audio frame; yield what is ready, in order and without overlap.

        Raises
        ------
        ValueError
            The samples are no sound: not finite, or far beyond full scale.
        """
        planes = self._planes(frame)
        if not np.isfinite(planes).all() or np.abs(planes).max(initial=0) > WILDEST:
            raise ValueError("samples far beyond full scale")
        if frame.pts is not None:
            time = frame.pts * Fraction(frame.time_base or 0) - self.start
            if self._next is None or abs(time - self._next) > SLIP or self._rate != frame.rate:
                yield from self.flush()
                self._begin(time, frame.rate)
        elif self._next is None:
            self._begin(Fraction(0), frame.rate)
        assert self._next is not None
        self._next += Fraction(frame.samples, frame.rate)
        names = [channel.name for channel in frame.layout.channels]
        yield from self._resample(fold(planes, names, self.channels))

    def flush(self) -> Iterator[Sound]:
        """Yield what the resampler still holds."""
        if self._resampler is not None:
            yield from self._resample(None)
            self._resampler = None

    def _begin(self, time: Fraction, rate: int) -> None:
        self._next, self._rate = time, rate
        self.position = sample_at(time, self.sample_rate)
        self._resampler = av.AudioResampler("flt", self._layout, self.sample_rate)

    @property
    def _layout(self) -> str:
        return "mono" if self.channels == 1 else "stereo"

    def _resample(self, planes: NDArray[np.float32] | None) -> Iterator[Sound]:
        assert self._resampler is not None
        frame = None
        if planes is not None:
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(planes), "fltp", self._layout)
            frame.sample_rate = self._rate
        for ready in self._resampler.resample(frame):
            samples = ready.to_ndarray()[0]
            if self.channels > 1:
                samples = samples.reshape(-1, self.channels)
            begin, self.position = self.position, self.position + len(samples)
            # What comes before the film, or twice because the timestamps went back, is cut.
            first = max(begin, self._given)
            if self.position > first:
                self._given = self.position
                yield Sound(first, samples[first - begin :])
