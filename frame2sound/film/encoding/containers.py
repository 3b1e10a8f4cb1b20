"""Containers that can hold a video and a soundtrack, and the audio codecs that each supports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
from av.container import OutputContainer

from frame2sound.errors import Frame2SoundError, SoundtrackError


@dataclass(frozen=True)
class AudioCodec:
    """An audio codec and its settings.

    Attributes
    ----------
    encoder : str
        FFmpeg's name of the encoder.
    lossless : bool
    bit_rates : (int, int), optional
        Bits per second of mono and of stereo; None for codecs without.
    fixed_sample_rate : int, optional
        The only sample rate that it supports, in Hz.
    options : tuple of (str, str)
        Options of the encoder.
    """

    encoder: str
    lossless: bool = True
    bit_rates: tuple[int, int] | None = None
    fixed_sample_rate: int | None = None
    options: tuple[tuple[str, str], ...] = ()

    def supported_sample_rate(self, requested: int) -> int:
        """Return the requested sample rate, or the next higher that the codec supports."""
        if self.fixed_sample_rate is not None:
            return self.fixed_sample_rate
        rates = av.Codec(self.encoder, "w").audio_rates
        if not rates or requested in rates:
            return requested
        return min((r for r in rates if r > requested), default=max(rates))

    @property
    def name(self) -> str:
        """Its name in `AUDIO_CODECS`."""
        return next(name for name, codec in AUDIO_CODECS.items() if codec == self)

    def check_sample_rate(self, requested: int) -> None:
        """Raise `SoundtrackError` if the codec cannot hold a sample rate exactly."""
        if self.supported_sample_rate(requested) == requested:
            return
        rates = sorted(av.Codec(self.encoder, "w").audio_rates or ())
        if self.fixed_sample_rate is not None:
            rates = [self.fixed_sample_rate]
        raise SoundtrackError(
            f"got `sample_rate` {requested}, which {self.name} sound cannot have; expected "
            f"{_either(rates)} Hz, or another `codec`"
        )


# FFmpeg's fast AAC coder takes a third of the time of the other, with less error at this bit rate.
# The search for what the channels share takes as long again; 32 kbit/s buy more than it finds.
AAC_OPTIONS = (("aac_coder", "fast"), ("aac_ms", "0"))

AUDIO_CODECS = {
    "aac": AudioCodec("aac", lossless=False, bit_rates=(128_000, 224_000), options=AAC_OPTIONS),
    "alac": AudioCodec("alac"),
    "flac": AudioCodec("flac"),
    "opus": AudioCodec(
        "libopus", lossless=False, bit_rates=(128_000, 192_000), fixed_sample_rate=48_000
    ),
    "pcm": AudioCodec("pcm_s16le"),
}

DELIVERY_SAMPLE_RATE = 48_000
"""The sample rate at which films are delivered, in Hz, unless another is asked for."""

CONTAINERS = {
    ".mp4": ("aac", "alac", "flac", "opus"),
    ".m4v": ("aac", "alac"),
    ".mov": ("pcm", "aac", "alac"),
    ".mkv": ("flac", "aac", "alac", "opus", "pcm"),
    ".webm": ("opus",),
    ".avi": ("pcm",),
}
"""For each file suffix the codecs that it supports; the first is the default."""


_CANNOT_HOLD_H264 = (".webm",)


def audio_codec_for(path: Path, name: str | None = None, *, is_h264: bool = False) -> AudioCodec:
    """Return the audio codec for a film at ``path``, whose picture is H.264 or a copy of another.

    Raises
    ------
    SoundtrackError
        The container is unknown, or does not support the named codec.
    """
    supported = CONTAINERS.get(path.suffix.lower())
    if supported is None:
        expected = [each for each in CONTAINERS if not (is_h264 and each in _CANNOT_HOLD_H264)]
        raise SoundtrackError(
            f"{path.name}: {path.suffix or 'a name without an ending'} cannot hold a picture with "
            f"a soundtrack; expected one of {', '.join(expected)}"
        )
    if name is not None and name not in supported:
        raise SoundtrackError(
            f"{path.name}: {path.suffix} cannot hold {name} sound; "
            f"expected {' or '.join(supported)}"
        )
    return AUDIO_CODECS[name or supported[0]]


def require_h264(container: OutputContainer, path: Path, error: type[Frame2SoundError]) -> None:
    """Raise ``error`` unless the film that is written to ``path`` can hold an H.264 picture."""
    if "h264" not in container.supported_codecs:
        raise error(f"{path.name}: {path.suffix} cannot hold an H.264 picture; write to .mp4")


def _either(rates: list[int]) -> str:
    *others, last = map(str, rates)
    return f"{', '.join(others)} or {last}" if others else last
