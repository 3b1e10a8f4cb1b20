"""Sound into a container: encoding, and hearing what a player will decode."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import OutputContainer
from numpy.typing import NDArray

from frame2sound.film.containers import SoundCodec
from frame2sound.film.track import Planes
from frame2sound.sound.limiter import INTERPOLATION_REACH, true_peaks


def container_options(out: Path, sample_rate: int) -> dict[str, str]:
    """Return what a container must be told to end its sound on the sample."""
    if out.suffix.lower() not in (".mp4", ".m4v", ".mov"):
        return {}
    # The default clock of a millisecond would round the end of the sound.
    return {"movie_timescale": str(sample_rate)}


class Voice:
    """Encodes sound into a container and hears it back.

    Attributes
    ----------
    position : int
        Samples said so far.
    peak : float
        The highest true peak so far, as a player will decode it; 1 is full scale.
    """

    def __init__(
        self, target: OutputContainer, codec: SoundCodec, sample_rate: int, channels: int
    ) -> None:
        self.target = target
        self.layout = "mono" if channels == 1 else "stereo"
        self.stream = target.add_stream(codec.encoder, rate=sample_rate, layout=self.layout)
        if codec.bit_rate:
            self.stream.bit_rate = codec.bit_rate * (1 + channels) // 2
        self.position = 0
        self.peak = 0.0
        self._ear = None if codec.lossless else av.CodecContext.create(self.stream.codec.name, "r")
        self._planes = Planes()
        self._heard = np.zeros((channels, 2 * INTERPOLATION_REACH), np.float32)

    def say(self, sound: NDArray[np.float32]) -> None:
        """Encode samples within full scale, ``(n,)`` or ``(n, 2)``, after those before."""
        name = self.stream.codec_context.format.name
        frame = AudioFrame.from_ndarray(_as_format(np.atleast_2d(sound.T), name), name, self.layout)
        frame.sample_rate = self.stream.rate
        frame.pts = self.position
        frame.time_base = Fraction(1, self.stream.rate)
        self.position += len(sound)
        if self._ear is None:
            self._meter(np.atleast_2d(sound.T))
        self._mux(self.stream.encode(frame))

    def fall_silent(self) -> None:
        """Encode what is held back; nothing may be said after it."""
        self._mux(self.stream.encode(None))
        if self._ear is not None:
            self._listen(None)
        self._meter(np.zeros_like(self._heard))

    def _mux(self, packets: list[av.Packet]) -> None:
        for packet in packets:
            if self._ear is not None:
                self._listen(packet)
            self.target.mux(packet)

    def _listen(self, packet: av.Packet | None) -> None:
        """Decode what was encoded."""
        assert self._ear is not None
        if not self._ear.is_open:
            self._ear.extradata = self.stream.codec_context.extradata
        for frame in self._ear.decode(packet):
            self._meter(self._planes(frame))

    def _meter(self, planes: NDArray[np.float32]) -> None:
        """Take note of the true peak where a piece and the one before tell what is around it."""
        planes = np.concatenate([self._heard, planes], axis=1)
        known = slice(INTERPOLATION_REACH, -INTERPOLATION_REACH)
        peaks = (float(true_peaks(plane)[known].max(initial=0)) for plane in planes)
        self.peak = max(self.peak, *peaks)
        self._heard = planes[:, -2 * INTERPOLATION_REACH :]


def _as_format(planes: NDArray[np.float32], name: str) -> NDArray[np.generic]:
    """Turn planes ``(channels, n)`` into what an encoder takes; rounding to the nearest integer."""
    packed = np.ascontiguousarray(planes if name.endswith("p") else planes.T.reshape(1, -1))
    if name.startswith("flt"):
        return packed
    if name.startswith("s16"):
        return np.round(packed * 32767).astype(np.int16)
    return np.round(packed.astype(np.float64) * 2147483647).astype(np.int32)
