"""Small films with lossless picture and sound, so that the decoded values are known."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from frame2sound.library.store import Library

SAMPLE_RATE = 8000


def tone(hertz, seconds, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / 8000)


def write(path, sounds, seconds=1, *, fps=25, late=0.0, size=64, seed=0):
    """Write grey noise with an audio stream for each of ``sounds``, from ``late`` seconds on."""
    rng = np.random.default_rng(seed)
    with av.open(str(path), "w") as film:
        picture = film.add_stream("ffv1", rate=fps)
        picture.width = picture.height = size
        picture.pix_fmt = "gray"
        voices = [film.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono") for _ in sounds]
        for number in range(round(seconds * fps)):
            pixels = rng.integers(0, 256, (size, size), np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, "gray")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            film.mux(picture.encode(frame))
        film.mux(picture.encode(None))
        for voice, sound in zip(voices, sounds, strict=True):
            samples = np.round(np.asarray(sound) * 32767).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
            frame.sample_rate, frame.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
            frame.pts = round(late * SAMPLE_RATE)
            film.mux(voice.encode(frame))
            film.mux(voice.encode(None))
    return path


@pytest.fixture(scope="session")
def make_film():
    """Return a function that writes a film, by default a second of noise and a tone."""

    def make(path, sounds=None, seconds=1, **settings):
        sounds = [tone(440, seconds)] if sounds is None else sounds
        return write(path, sounds, seconds, **settings)

    return make


@pytest.fixture
def library(tmp_path):
    return Library.create(tmp_path / "library", SAMPLE_RATE)
