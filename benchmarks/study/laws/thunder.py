"""Thunder: lightning over hills, and thunder that rolls on when the sky is dark again.

A flash lasts four frames; its thunder begins with it and rolls for two to three seconds. The nearer
the flash, the larger, the lower on the stage and the louder and brighter it is. The event is seen,
and its sound outlives its picture tenfold.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.canvas import Canvas, tint
from frame2sound.film.drawing.recordings import RecordingTrack, TimedRecording
from frame2sound.film.drawing.scene import Scene, clock_and_frame_count
from frame2sound.film.drawing.synthesis import FloatArray, band_noise, smooth_step, soft_clip

FLASH_FRAMES = 4
ROLLS = 5
ROLL_SECONDS = 3.0
HILLS = 282.0


@dataclass(frozen=True)
class Flash:
    """Lightning that begins with a frame: where, how near (0 to 1), and which thunder it has."""

    start: int
    x: float
    nearness: float
    roll: int


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
) -> Scene:
    """Return a film of a thunderstorm."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    flashes = _flashes(frames, float(clock.fps), seed)
    times = clock.frame_times(frames)
    track = RecordingTrack(
        (
            TimedRecording(
                float(times[flash.start]),
                _thunder(flash.roll, flash.nearness, sample_rate),
                0.12 + 0.4 * flash.nearness**1.5,
            )
            for flash in flashes
        ),
        clock,
    )
    canvas = Canvas(size)
    hills = _hills()

    def draw(frame: int) -> NDArray[np.uint8]:
        picture = canvas.blank()
        grey, bolts = 14.0, []
        for flash in flashes:
            age = frame - flash.start
            if 0 <= age < FLASH_FRAMES:
                light = 1 - age / FLASH_FRAMES
                grey = max(grey, 14 + 150 * light * (0.25 + 0.75 * flash.nearness))
                bolts.append((flash, light))
        picture[:] = np.rint(tint(0.66, grey, 0.45)).astype(np.uint8)
        for flash, light in bolts:
            _draw_bolt(canvas, picture, flash, light)
        canvas.polygon(picture, hills, (8, 9, 12))
        return canvas.finish(picture)

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        return soft_clip(track.mix(start, stop), 0.69).astype(np.float32)

    onsets = tuple(flash.start for flash in flashes)
    return Scene("thunder", seed, clock, size, frames, draw, sound, onsets, (None,) * frames)


def _flashes(frames: int, rate: float, seed: int) -> list[Flash]:
    rng = np.random.default_rng((seed, 22))
    flashes = []
    at = float(rng.uniform(0.4, 1))
    while (start := round(at * rate)) < frames - FLASH_FRAMES:
        place, nearness = float(rng.uniform(40, 440)), float(rng.uniform(0, 1))
        flashes.append(Flash(start, place, nearness, int(rng.integers(ROLLS))))
        at += float(rng.uniform(0.9, 3.6))
    return flashes


def _thunder(roll: int, nearness: float, sample_rate: int) -> FloatArray:
    """Return a clap and its roll, with a peak of 1: near thunder is brighter and claps harder."""
    rng = np.random.default_rng((roll, 23))
    length = round(ROLL_SECONDS * sample_rate)
    time = np.arange(length) / sample_rate
    top_hz = 220 + 2600 * nearness
    low = np.resize(band_noise(100 + roll, 35, 200, 2**16, sample_rate), length)
    high = np.resize(band_noise(110 + roll, 200, top_hz, 2**16, sample_rate), length)
    swells = 0.25 + sum(
        float(rng.uniform(0.2, 0.7)) * np.exp(-(((time - at) / 0.18) ** 2))
        for at in rng.uniform(0.2, 1.8, 4)
    )
    rolling = swells * np.exp(-time / 0.9)
    clap = np.exp(-time / (0.08 + 0.1 * nearness))
    sound = (rolling + clap * nearness) * low + (0.5 * rolling + clap) * nearness * high
    sound *= smooth_step(time, 0.004) * (1 - smooth_step(time - 2, ROLL_SECONDS - 2))
    thunder: FloatArray = sound / np.abs(sound).max()
    return thunder


def _hills() -> FloatArray:
    rng = np.random.default_rng(24)
    x = np.linspace(-5, 485, 30)
    phases = rng.uniform(0, 2 * np.pi, 2)
    y = HILLS + 16 * np.sin(x / 61 + phases[0]) + 9 * np.sin(x / 27 + phases[1])
    return np.concatenate([np.stack([x, y], axis=1), [[485, 365], [-5, 365]]])


def _draw_bolt(canvas: Canvas, picture: NDArray[np.uint8], flash: Flash, light: float) -> None:
    """Draw the jagged bolt, the longer and wider the nearer it is."""
    rng = np.random.default_rng((flash.start, 25))
    bottom = 120 + (HILLS + 10 - 120) * flash.nearness
    y = np.linspace(-5, bottom, 12)
    x = flash.x + np.cumsum(rng.uniform(-15, 15, len(y)))
    width = (2 + 7 * flash.nearness) * np.linspace(1, 0.3, len(y))
    canvas.ribbon(picture, np.stack([x, y], axis=1), width, tint(0.6, 70 + 180 * light, 0.15))
