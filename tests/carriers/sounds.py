"""Sounds whose pictures are tested, and how near two sounds are."""

import numpy as np

from frame2sound.carriers.colours import to_bytes, to_rgb
from frame2sound.carriers.page_reader import PictureSound
from frame2sound.carriers.page_source import Picture
from frame2sound.carriers.page_writer import draw_pages, loudest_db
from frame2sound.carriers.parameters import CarrierParameters, Kind
from frame2sound.sound.stft import Stft

RATE = 8000


def bells(seconds=2.0, channels=1, rate=RATE, seed=0):
    """Decaying tones in faint noise, ``(n, channels)``."""
    rng, time = np.random.default_rng(seed), np.arange(round(seconds * rate)) / rate
    sound = rng.normal(0, 0.002, (len(time), channels))
    for _ in range(round(4 * seconds)):
        begin, pitch = rng.uniform(0, seconds), rng.uniform(100, rate / 3)
        after = np.maximum(time - begin, 0)
        tone = (time >= begin) * np.exp(-8 * after) * np.sin(2 * np.pi * pitch * after)
        sound += 0.2 * tone[:, None] * rng.uniform(0.2, 1, channels)
    return sound.astype(np.float32)


def parameters(sound, kind=Kind.SPECTRUM, *, rate=RATE, rows=192, columns=320, cell=1, **more):
    """Parameters with which a sound is drawn."""
    size = {} if kind is Kind.SAMPLES else {"n_fft": 2 * rows, "hop": rows // 2} | more
    if size:
        stft = Stft(size["n_fft"], size["hop"])
        level = loudest_db(iter([sound]), sound.shape[1], stft, len(sound))
        size |= {"reference_db": level, "range_db": 80}
    return CarrierParameters(kind, rate, sound.shape[1], len(sound), columns, rows, cell, **size)


def pages(sound, drawn):
    """The pages of a sound, luma and chroma."""
    return list(draw_pages(iter(np.array_split(sound, 5)), drawn))


def bytes_of(page):
    return to_bytes(to_rgb(page))


def heard(pictures, bits=8):
    """The sound of RGB pictures, and what was found in them."""
    read = PictureSound(Picture(np.asarray(each, np.float32), bits) for each in pictures)
    return np.concatenate(list(read.blocks())), read.findings


def snr_db(sound, other):
    """How much louder a sound is than its difference from another."""
    assert sound.shape == other.shape
    return 10 * np.log10(np.sum(sound**2) / max(np.sum((sound - other) ** 2), 1e-30))
