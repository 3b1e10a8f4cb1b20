"""Small files for a page: the picture as a brain sees it, and a sound alone."""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from frame2sound.errors import SoundtrackError
from frame2sound.film.containers import SoundCodec
from frame2sound.film.voice import Voice
from frame2sound.safe import whole_file
from frame2sound.sound.limiter import Limiter

ENLARGED = 4
"""How many pixels wide and high a grey value is drawn."""

CODEC = SoundCodec("aac", lossless=False, bit_rate=80_000, options=(("aac_coder", "fast"),))


def write_picture(frames: NDArray[np.uint8], fps: Fraction, path: Path) -> None:
    """Write grey frames ``(n, 64, 64)``, enlarged, as H.264 without sound.

    Raises
    ------
    SoundtrackError
        The file cannot be written.
    """
    side = frames.shape[1] * ENLARGED
    with (
        whole_file(path, SoundtrackError) as partial,
        av.open(
            str(partial.absolute()), "w", format="mp4", options={"movflags": "faststart"}
        ) as target,
    ):
        options = {"crf": "23", "g": "15", "preset": "veryfast"}
        picture = target.add_stream("libx264", rate=fps, options=options)
        picture.width, picture.height, picture.pix_fmt = side, side, "yuv420p"
        for number, frame in enumerate(frames):
            large = frame.repeat(ENLARGED, 0).repeat(ENLARGED, 1)
            drawn = av.VideoFrame.from_ndarray(np.repeat(large[:, :, None], 3, 2), "rgb24")
            drawn.pts, drawn.time_base = number, 1 / fps
            target.mux(picture.encode(drawn))
        target.mux(picture.encode(None))


def write_sound(sound: NDArray[np.float32], sample_rate: int, path: Path) -> None:
    """Write a sound, ``(samples,)``, as AAC; peaks are limited to -1 dBTP.

    Raises
    ------
    SoundtrackError
        The file cannot be written.
    """
    rate = CODEC.sample_rate(sample_rate)
    sound = np.asarray(sound, np.float32)
    if rate != sample_rate:
        from scipy.signal import resample_poly

        common = gcd(rate, sample_rate)
        sound = resample_poly(sound, rate // common, sample_rate // common).astype(np.float32)
    limiter = Limiter(rate)
    limited = np.concatenate([limiter.feed(sound), limiter.flush()])
    options = {"movie_timescale": str(rate), "movflags": "faststart"}
    with (
        whole_file(path, SoundtrackError) as partial,
        av.open(str(partial.absolute()), "w", format="ipod", options=options) as target,
    ):
        voice = Voice(target, CODEC, rate, 1)
        voice.say(limited)
        voice.fall_silent()
