"""Small files for pages that compare soundtracks: the picture that brains get, and sounds."""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.errors import SoundtrackError
from frame2sound.film.encoding.audio_encoder import AudioEncoder
from frame2sound.film.encoding.containers import AAC_OPTIONS, AudioCodec
from frame2sound.film.encoding.video_encoder import RgbEncoder
from frame2sound.sound.limiter import Limiter

PIXEL_SCALE = 4
"""Width and height in pixels of a pixel of the picture that brains get."""

AUDIO_CODEC = AudioCodec("aac", lossless=False, bit_rates=(80_000, 140_000), options=AAC_OPTIONS)


def write_video(frames: NDArray[np.uint8], fps: Fraction, path: Path) -> None:
    """Write frames, (n, 64, 64) or (n, 64, 64, 3) in colour, enlarged, as H.264 without sound.

    Raises
    ------
    SoundtrackError
        The file cannot be written.
    """
    side = frames.shape[1] * PIXEL_SCALE
    with (
        atomic_write(path, SoundtrackError) as partial,
        av.open(
            str(partial.absolute()), "w", format="mp4", options={"movflags": "faststart"}
        ) as target,
    ):
        options = {"crf": "23", "g": "15", "preset": "veryfast"}
        video = RgbEncoder(target, "libx264", (side, side), fps, options)
        for number, frame in enumerate(frames):
            large = frame.repeat(PIXEL_SCALE, 0).repeat(PIXEL_SCALE, 1)
            rgb = large if large.ndim == 3 else np.repeat(large[:, :, None], 3, 2)
            target.mux(video.encode(rgb, number))
        target.mux(video.flush())


def write_audio(samples: NDArray[np.float32], sample_rate: int, path: Path) -> None:
    """Write a sound of shape (samples,) as AAC, with peaks limited to -1 dBTP.

    Raises
    ------
    SoundtrackError
        The file cannot be written.
    """
    rate = AUDIO_CODEC.supported_sample_rate(sample_rate)
    samples = np.asarray(samples, np.float32)
    if rate != sample_rate:
        from scipy.signal import resample_poly

        common = gcd(rate, sample_rate)
        samples = resample_poly(samples, rate // common, sample_rate // common).astype(np.float32)
    limiter = Limiter(rate)
    limited = np.concatenate([limiter.process(samples), limiter.flush()])
    options = {"movie_timescale": str(rate), "movflags": "faststart"}
    with (
        atomic_write(path, SoundtrackError) as partial,
        av.open(str(partial.absolute()), "w", format="ipod", options=options) as target,
    ):
        encoder = AudioEncoder(target, AUDIO_CODEC, rate, 1)
        encoder.write(limited)
        encoder.close()
