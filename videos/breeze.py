"""Breeze: grass bends in gusts, and seeds fly; the air is as loud as the grass is moved.

Gusts travel across the meadow. The stronger the wind, the farther the blades bend, the more they
flutter, and the louder and brighter the air hisses. The wind seldom ceases; when it does, the
grass stands still and nothing sounds. Its truth calls the beginnings of the gusts onsets: they
swell, and have no sharp attack.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.canvas import Canvas, tint
from frame2sound.film.drawing.scene import Scene, clock_and_frame_count
from frame2sound.film.drawing.synthesis import FloatArray, band_noise, smooth_step, soft_clip

BLADES, SEEDS = 46, 14
GRID_HZ = 100  # at which the wind is tabulated
CROSSING_SECONDS = 0.35  # of a gust from left to right
STEADY = 0.16  # the wind between gusts, where it does not cease
BANDS_HZ = (150, 400, 1000, 2500, 7000)
LOUDEST = (0.13, 0.11, 0.075, 0.045)  # RMS of each band in the strongest wind
BRIGHTNESS = (1.0, 1.4, 1.9, 2.6)  # exponents: high bands need more wind


@dataclass(frozen=True)
class Gust:
    """A swell of the wind: it rises from its start, and falls until its stop; seconds."""

    start: float
    rise: float
    fall: float
    strength: float

    def at(self, seconds: FloatArray) -> FloatArray:
        """Return the strength of the wind, 0 outside of the gust."""
        falling = smooth_step(seconds - self.start - self.rise, self.fall)
        gust: FloatArray = self.strength * smooth_step(seconds - self.start, self.rise)
        return gust * (1 - falling)


class Wind:
    """The wind of a film: 0 for none, 1 for the strongest."""

    def __init__(self, end: float, rng: np.random.Generator) -> None:
        self.gusts: list[Gust] = []
        self.lulls: list[tuple[float, float]] = [(0.0, 0.6)]
        at = 0.6
        while at < end:
            rise, fall = float(rng.uniform(0.25, 0.9)), float(rng.uniform(0.7, 2.2))
            self.gusts.append(Gust(at, rise, fall, float(rng.uniform(0.25, 0.84))))
            at += rise + float(rng.uniform(0.4, 1.0)) * fall
            if rng.random() < 0.12:
                at += fall
                self.lulls.append((at, at + float(rng.uniform(0.9, 1.6))))
                at = self.lulls[-1][1]
        self.end = end

    def at(self, seconds: FloatArray) -> FloatArray:
        """Return the strength of the wind at times."""
        gusting = np.zeros(np.shape(seconds))
        steady = np.full(np.shape(seconds), STEADY)
        low, high = float(np.min(seconds)), float(np.max(seconds))
        for gust in self.gusts:
            if gust.start < high and gust.start + gust.rise + gust.fall > low:
                gusting = np.maximum(gusting, gust.at(seconds))
        for start, stop in self.lulls:
            quiet = smooth_step(seconds - start + 0.5, 0.5) * (1 - smooth_step(seconds - stop, 0.5))
            steady = steady * (1 - quiet) if start else steady * smooth_step(seconds - stop, 0.5)
        wind: FloatArray = np.minimum(1.0, gusting + steady)
        return wind


@dataclass(frozen=True)
class Meadow:
    """The blades: their places, heights, hues, and how each flutters."""

    place: FloatArray
    height: FloatArray
    hue: FloatArray
    flutter_hz: FloatArray
    phase: FloatArray


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
) -> Scene:
    """Return a film of grass in the wind."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    rate, end = float(clock.fps), frames / float(clock.fps)
    rng = np.random.default_rng((seed, 10))
    wind = Wind(end, rng)
    meadow = _meadow(rng)
    canvas = Canvas(size)
    sky = _sky(canvas, float(rng.uniform(0.5, 0.95)))
    loops = [
        band_noise(60 + band, low, high, 2**17, sample_rate)
        for band, (low, high) in enumerate(pairwise(BANDS_HZ))
    ]
    seeds = rng.uniform(0, 1, (SEEDS, 3))
    times = np.arange(int(end * GRID_HZ) + 3) / GRID_HZ
    carried = np.concatenate([[0.0], np.cumsum(wind.at(times))[:-1] / GRID_HZ])  # the wind's way
    felt = _felt(wind, times)

    def draw(frame: int) -> NDArray[np.uint8]:
        picture = sky.copy()
        _draw_seeds(canvas, picture, seeds, float(np.interp(frame / rate, times, carried)))
        _draw_grass(canvas, picture, meadow, wind, frame / rate)
        return canvas.finish(picture)

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        sample = np.arange(start, stop)
        mixed = np.zeros(len(sample))
        strength = np.interp(sample / sample_rate, times, felt)
        for loop, loudest, power in zip(loops, LOUDEST, BRIGHTNESS, strict=True):
            mixed += loudest * strength**power * loop[sample % len(loop)]
        return soft_clip(mixed, 0.69).astype(np.float32)

    started = [gust.start for gust in wind.gusts if gust.start < end]
    onsets = tuple(sorted({int(at * clock.fps) for at in started}))
    return Scene(
        "breeze", seed, clock, size, frames, draw, sound, onsets, (None,) * frames, tuple(started)
    )


def _felt(wind: Wind, seconds: FloatArray) -> FloatArray:
    """Return the mean strength of the wind across the meadow."""
    across = [wind.at(seconds - CROSSING_SECONDS * part) for part in (0.0, 0.5, 1.0)]
    mean: FloatArray = np.mean(across, axis=0)
    return mean


def _meadow(rng: np.random.Generator) -> Meadow:
    place = np.linspace(-6, 486, BLADES) + rng.uniform(-5, 5, BLADES)
    return Meadow(
        place=place,
        height=rng.uniform(90, 215, BLADES),
        hue=rng.uniform(0.2, 0.4) + rng.uniform(-0.06, 0.06, BLADES),
        flutter_hz=rng.uniform(2.5, 5.0, BLADES),
        phase=rng.uniform(0, 2 * np.pi, BLADES),
    )


def _sky(canvas: Canvas, hue: float) -> NDArray[np.uint8]:
    """Return an evening sky that brightens towards the ground."""
    picture = canvas.blank()
    rows = np.linspace(0, 1, len(picture))
    colours = np.array([tint(hue + 0.12 * row, 14 + 46 * row**2, 0.6) for row in rows])
    picture[:] = np.rint(colours).astype(np.uint8)[:, None]
    return picture


def _draw_grass(
    canvas: Canvas, picture: NDArray[np.uint8], meadow: Meadow, wind: Wind, seconds: float
) -> None:
    """Draw each blade, bent by the wind that has reached it."""
    felt = wind.at(seconds - CROSSING_SECONDS * meadow.place / 480)
    swing = np.sin(2 * np.pi * meadow.flutter_hz * seconds + meadow.phase)
    bend = 0.85 * felt + 0.22 * felt * swing
    up = np.linspace(0, 1, 12)
    for blade in range(BLADES):
        lean = bend[blade] * up**1.8
        height = meadow.height[blade]
        spine = np.stack(
            [
                meadow.place[blade] + 0.8 * height * lean,
                364 - height * up * (1 - 0.35 * bend[blade] * lean),
            ],
            axis=1,
        )
        grey = 60 + 110 * (blade * 0.618 % 1)
        width = 7.5 * (1 - up) + 0.8
        canvas.ribbon(picture, spine, width, tint(float(meadow.hue[blade]), grey, 0.65))


def _draw_seeds(
    canvas: Canvas, picture: NDArray[np.uint8], seeds: FloatArray, carried: float
) -> None:
    """Draw seeds that the wind carries across the sky; they hang still without wind."""
    for place, height, speed in seeds:
        x = (place + (0.35 + 0.5 * speed) * carried) % 1.15 * 480 - 36
        y = 30 + 150 * height + 22 * np.sin(9 * (carried * (0.5 + speed) + place))
        canvas.ellipse(picture, (float(x), float(y)), (3.2, 3.2), tint(0.12, 225, 0.2))
        canvas.ellipse(picture, (float(x) - 4, float(y) - 4), (1.6, 1.6), tint(0.12, 150, 0.2))
