"""Windows: the windows of a house are lit, and each hums at its own pitch for as long as it is.

Eight windows, up to three lit at a time; a window is as bright as its tone is loud. The event is
seen, its sound ends with its picture, and the picture varies by place.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.canvas import Canvas, tint
from frame2sound.film.drawing.scene import Scene, clock_and_frame_count
from frame2sound.film.drawing.synthesis import (
    FloatArray,
    read_wavetable,
    smooth_step,
    soft_clip,
    wavetable,
)
from frame2sound.film.drawing.timeline import Timeline
from frame2sound.sound.scale import Scale, note_to_hz

TONES = Scale.equal(12, tonic_hz=note_to_hz("C3"), degrees=(0, 2, 4, 7, 9))
COLUMNS, ROWS = 4, 2
HUM = wavetable([1, 0.5, 0.3, 0.25, 0.1, 0.1, 0.05])
EDGE_SECONDS = 0.06


@dataclass(frozen=True)
class Light:
    """A window that is lit in a range of frames, with a brightness from 0 to 1."""

    start: int
    stop: int
    window: int
    brightness: float


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
) -> Scene:
    """Return a film of humming windows."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    rate = float(clock.fps)
    lights = Timeline(_lights(frames, rate, seed), clock)
    canvas = Canvas(size)

    def level(light: Light, age: FloatArray) -> FloatArray:
        left = (light.stop - light.start) / rate - age
        edges = smooth_step(age, EDGE_SECONDS) * smooth_step(left, EDGE_SECONDS)
        return light.brightness * edges

    def draw(frame: int) -> NDArray[np.uint8]:
        picture = canvas.blank()
        canvas.polygon(
            picture, np.array([[60, 40], [420, 40], [420, 360], [60, 360]]), (16, 16, 22)
        )
        shown = {light.window: light for light in lights.events_at(frame)}
        for window in range(COLUMNS * ROWS):
            grey = 26.0
            if window in shown:
                age = np.array([(frame - shown[window].start + 0.5) / rate])
                grey += 190 * float(level(shown[window], age)[0])
            _draw_window(canvas, picture, window, grey)
        return canvas.finish(picture, glow=0.3, glow_radius=8)

    def synthesise(light: Light, age: NDArray[np.int64]) -> FloatArray:
        cycles = age * (_hertz(light.window) / sample_rate)
        return 0.22 * level(light, age / sample_rate) * read_wavetable(HUM, cycles)

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        return soft_clip(lights.mix(start, stop, synthesise), 0.69).astype(np.float32)

    pitches = lights.pitches_hz(frames, lambda light: _hertz(light.window))
    return Scene("windows", seed, clock, size, frames, draw, sound, lights.onsets, pitches)


def _lights(frames: int, rate: float, seed: int) -> list[Light]:
    """Return random lights, at most three at a time, each window dark for a while after one."""
    rng = np.random.default_rng((seed, 21))
    free = np.zeros(COLUMNS * ROWS)
    lights: list[Light] = []
    at = 0.4
    while at * rate < frames - 6:
        start = round(at * rate)
        lit = sum(light.stop > start for light in lights)
        dark = np.flatnonzero(free <= start)
        if lit < 3 and len(dark):
            stop = min(frames, start + round(float(rng.uniform(0.3, 1.6)) * rate))
            window = int(rng.choice(dark))
            lights.append(Light(start, stop, window, float(rng.uniform(0.3, 1))))
            free[window] = stop + 3
        at += float(rng.exponential(0.45)) + 0.1
    return lights


def _hertz(window: int) -> float:
    return TONES.step_to_hz(window)


def _draw_window(canvas: Canvas, picture: NDArray[np.uint8], window: int, grey: float) -> None:
    row, column = divmod(window, COLUMNS)
    left, top = 84 + 84 * column, 76 + 136 * row
    corners = np.array([[left, top], [left + 60, top], [left + 60, top + 96], [left, top + 96]])
    canvas.polygon(picture, corners, tint(0.1, grey, 0.5))
    for bar in (
        [[left + 28, top], [left + 32, top], [left + 32, top + 96], [left + 28, top + 96]],
        [[left, top + 46], [left + 60, top + 46], [left + 60, top + 50], [left, top + 50]],
    ):
        canvas.polygon(picture, np.array(bar), (20, 18, 18))
