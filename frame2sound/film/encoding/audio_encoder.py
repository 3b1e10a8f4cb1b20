"""Encode audio into a container, and measure what a player will decode."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.container import OutputContainer
from numpy.typing import NDArray

from frame2sound.film.decoding.audio_format import to_float_planes
from frame2sound.film.encoding.containers import AudioCodec
from frame2sound.sound.true_peak import TruePeakMeter


def container_options(out: Path, sample_rate: int) -> dict[str, str]:
    """Return the muxer options that end the audio of a container on the exact sample."""
    if out.suffix.lower() not in (".mp4", ".m4v", ".mov"):
        return {}
    # The default time base of a millisecond would round the end of the audio.
    return {"movie_timescale": str(sample_rate)}


class AudioEncoder:
    """Encodes audio into a container, and measures its true peak as a player will decode it.

    Attributes
    ----------
    samples_written : int
    meter : TruePeakMeter
        The highest true peak so far.
    """

    def __init__(
        self, output: OutputContainer, codec: AudioCodec, sample_rate: int, channels: int
    ) -> None:
        self.output = output
        self.layout = "mono" if channels == 1 else "stereo"
        stream = output.add_stream(
            codec.encoder, rate=sample_rate, layout=self.layout, options=dict(codec.options)
        )
        assert isinstance(stream, av.AudioStream)
        self.stream = stream
        self.sample_rate = sample_rate
        if codec.bit_rates:
            self.stream.bit_rate = codec.bit_rates[channels - 1]
        self.samples_written = 0
        self.meter = TruePeakMeter(channels)
        self._decoder = None if codec.lossless else _open_decoder(stream.codec.name)

    def write(self, samples: NDArray[np.float32]) -> None:
        """Encode further samples within full scale, ``(n,)`` or ``(n, 2)``."""
        name = self.stream.codec_context.format.name
        frame = AudioFrame.from_ndarray(
            _to_sample_format(np.atleast_2d(samples.T), name), name, self.layout
        )
        frame.sample_rate = self.sample_rate
        frame.pts = self.samples_written
        frame.time_base = Fraction(1, self.sample_rate)
        self.samples_written += len(samples)
        if self._decoder is None:
            self.meter.update(samples)
        self._mux(self.stream.encode(frame))

    def close(self) -> None:
        """Flush the encoder; nothing may be written after it."""
        self._mux(self.stream.encode(None))
        if self._decoder is not None:
            self._measure(None)
        self.meter.finish()

    def _mux(self, packets: list[av.Packet[av.AudioStream]]) -> None:
        for packet in packets:
            if self._decoder is not None:
                self._measure(packet)
            self.output.mux(packet)

    def _measure(self, packet: av.Packet[av.AudioStream] | None) -> None:
        """Decode a packet, and measure its peak."""
        assert self._decoder is not None
        if not self._decoder.is_open:
            self._decoder.extradata = self.stream.codec_context.extradata
        for frame in self._decoder.decode(packet):
            self.meter.update(to_float_planes(frame).T)


def _open_decoder(codec: str) -> av.AudioCodecContext:
    decoder = av.CodecContext.create(codec, "r")
    assert isinstance(decoder, av.AudioCodecContext)
    return decoder


def _to_sample_format(planes: NDArray[np.float32], name: str) -> NDArray[Any]:
    """Convert planes ``(channels, n)`` to an encoder's sample format, rounding to nearest."""
    packed = np.ascontiguousarray(planes if name.endswith("p") else planes.T.reshape(1, -1))
    if name.startswith("flt"):
        return packed
    if name.startswith("s16"):
        return np.round(packed * 32767).astype(np.int16)
    return np.round(packed.astype(np.float64) * 2147483647).astype(np.int32)
