"""Containers: which file endings can hold a picture and a soundtrack, and as what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av

from frame2sound.errors import SoundtrackError


@dataclass(frozen=True)
class AudioCodec:
    """A way to store sound.

    ``rate`` is the only sample rate that it takes, in Hz; None where it takes several. FFmpeg's
    fast AAC coder is three times as fast as its other one, and at this bit rate also truer.
    """

    encoder: str
    lossless: bool = True
    bit_rate: int = 0
    fixed_sample_rate: int | None = None
    options: tuple[tuple[str, str], ...] = ()

    def supported_sample_rate(self, requested: int) -> int:
        """Return the sample rate to store, given the one at hand: the next that it can do."""
        if self.fixed_sample_rate is not None:
            return self.fixed_sample_rate
        rates = av.Codec(self.encoder, "w").audio_rates
        if not rates or requested in rates:
            return requested
        return min((r for r in rates if r > requested), default=max(rates))


AUDIO_CODECS = {
    "aac": AudioCodec("aac", lossless=False, bit_rate=128_000, options=(("aac_coder", "fast"),)),
    "alac": AudioCodec("alac"),
    "flac": AudioCodec("flac"),
    "opus": AudioCodec("libopus", lossless=False, bit_rate=128_000, fixed_sample_rate=48_000),
    "pcm": AudioCodec("pcm_s16le"),
}

CONTAINERS = {
    ".mp4": ("aac", "alac", "flac", "opus"),
    ".m4v": ("aac", "alac"),
    ".mov": ("pcm", "aac", "alac"),
    ".mkv": ("flac", "aac", "alac", "opus", "pcm"),
    ".webm": ("opus",),
    ".avi": ("pcm",),
}
"""For each ending the codecs that it can hold; the first is taken unless another is asked for."""


def audio_codec_for(path: Path, name: str | None = None) -> AudioCodec:
    """Return how to store the sound of a film called ``path``.

    Raises
    ------
    SoundtrackError
        The container cannot hold sound, is not known, or cannot hold sound of that kind.
    """
    held = CONTAINERS.get(path.suffix.lower())
    if held is None:
        raise SoundtrackError(
            f"{path.name}: {path.suffix or 'a name without an ending'} cannot hold a picture with "
            f"a soundtrack; expected one of {', '.join(CONTAINERS)}"
        )
    if name is not None and name not in held:
        raise SoundtrackError(
            f"{path.name}: {path.suffix} cannot hold {name} sound; expected {' or '.join(held)}"
        )
    return AUDIO_CODECS[name or held[0]]
