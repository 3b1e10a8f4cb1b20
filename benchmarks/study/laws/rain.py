"""Rain: streaks fall over a lake, and it hisses as loud as they are many.

Showers swell and cease; in a heavy one drops are thick and the hiss is darker, in a light one they
are thin and it is bright. No streak sounds by itself: the sound is that of the whole picture, which
never looks the same twice.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.canvas import Canvas, tint
from frame2sound.film.drawing.scene import Scene, clock_and_frame_count
from frame2sound.film.drawing.synthesis import FloatArray, band_noise, smooth_step

GRID_HZ = 50
STREAKS = 90
LAKE = 286.0
BANDS_HZ = (300, 900, 2400, 5000, 10000)
LOUDEST = 0.09  # RMS of a band


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
) -> Scene:
    """Return a film of showers."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    rate, end = float(clock.fps), frames / float(clock.fps)
    times = np.arange(int(end * GRID_HZ) + 3) / GRID_HZ
    density, weight, starts = _showers(times, end, seed)
    canvas = Canvas(size)
    loops = [
        band_noise(130 + band, low, high, 2**17, sample_rate)
        for band, (low, high) in enumerate(pairwise(BANDS_HZ))
    ]

    def draw(frame: int) -> NDArray[np.uint8]:
        picture = canvas.blank()
        now = (frame + 0.5) / rate
        lake = np.array([[-5, LAKE], [485, LAKE], [485, 365], [-5, 365]])
        canvas.polygon(picture, lake, tint(0.58, 34, 0.5))
        rng = np.random.default_rng((seed, 31, frame))
        heavy = float(np.interp(now, times, weight))
        for _ in range(rng.binomial(STREAKS, float(np.interp(now, times, density)))):
            x, y = float(rng.uniform(0, 480)), float(rng.uniform(-30, LAKE))
            length = 22 + 34 * heavy
            line = np.array([[x, y], [x - 5, min(y + length, LAKE)]])
            canvas.ribbon(picture, line, 1.3 + 2.7 * heavy, tint(0.57, 130, 0.25))
        return canvas.finish(picture)

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        sample = np.arange(start, stop)
        at = sample / sample_rate
        much, heavy = np.interp(at, times, density), np.interp(at, times, weight)
        mixed = np.zeros(len(sample))
        for band, loop in enumerate(loops):
            bright = band / (len(loops) - 1)
            tilt = 10 ** (-0.9 * np.abs(heavy - (1 - bright)))
            mixed += LOUDEST * much * tilt * loop[sample % len(loop)]
        return mixed.astype(np.float32)

    onsets = tuple(sorted({int(at * rate) for at in starts}))
    return Scene(
        "rain", seed, clock, size, frames, draw, sound, onsets, (None,) * frames, tuple(starts)
    )


def _showers(
    times: FloatArray, end: float, seed: int
) -> tuple[FloatArray, FloatArray, list[float]]:
    """Return how dense and how heavy the rain is at times, 0 to 1, and when showers begin."""
    rng = np.random.default_rng((seed, 30))
    density, weight = np.zeros(len(times)), np.full(len(times), 0.5)
    starts: list[float] = []
    at = float(rng.uniform(0.3, 0.8))
    while at < end:
        rise, hold, fall = rng.uniform([0.15, 0.2, 0.3], [0.8, 1.4, 1.2])
        dense, heavy = float(rng.uniform(0.2, 1)), float(rng.uniform(0, 1))
        stop = at + rise + hold + fall
        shower = smooth_step(times - at, rise) * (1 - smooth_step(times - stop + fall, fall))
        density = np.maximum(density, dense * shower)
        weight[(times >= at) & (times < stop)] = heavy
        starts.append(at)
        at = stop + float(rng.uniform(0.2, 0.9))
    return density, weight, starts
