"""Sounds of pictures that are in memory, and what is in them."""

from fractions import Fraction

import numpy as np

from frame2sound.sonification.levels import amplitudes
from frame2sound.sonification.scanning import Scan, brightness_at_hops
from frame2sound.sonification.timbres import create_timbre

RATE = 16_000


def scan_of(picture, seconds, **more):
    """A picture of 0 to 1 that is scanned once."""
    return Scan(Fraction(0), Fraction(seconds), np.asarray(picture, np.float32), **more)


def sound_of(picture, axis, seconds=1, timbre="sines", seed=0, range_db=40.0):
    """The sound of a picture, before it is brought to a level."""
    made = create_timbre(timbre, axis, RATE, seed)
    hops = brightness_at_hops([scan_of(picture, seconds)], RATE, made.hop)
    chunks = made.render(amplitudes(batch, range_db) for batch in hops)
    return np.concatenate(list(chunks))[: round(seconds * RATE)]


def strongest_hz(sound, rate=RATE):
    """The frequency of the highest peak, by a parabola through the logarithms of three bins."""
    size = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    peak = int(size[1:-1].argmax()) + 1
    left, middle, right = np.log(size[peak - 1 : peak + 2] + 1e-30)
    shift = (left - right) / 2 / (left - 2 * middle + right)
    return (peak + shift) * rate / len(sound)


def middle_seconds(sound, rate=RATE):
    """The mean time of the energy."""
    power = np.square(sound, dtype=np.float64)
    return float((power * np.arange(len(sound))).sum() / power.sum() / rate)


def amplitude_at(sound, hz, rate=RATE):
    """The amplitude of a sine of a frequency."""
    turns = np.exp(-2j * np.pi * hz * np.arange(len(sound)) / rate)
    window = np.hanning(len(sound))
    return float(2 * np.abs((sound * window * turns).sum()) / window.sum())
