"""Lines: glowing vertical lines, each a clarinet tone that sounds while it is visible.

After "Lines for Clarinet" by John Osborne. The horizontal position of a line is its pitch, on two
octaves of a Dorian scale; its brightness is its loudness, and it vibrates while it sounds.
Melodies of single lines alternate with chords.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.canvas import Canvas, tint
from frame2sound.film.drawing.scene import Scene, clock_and_frame_count
from frame2sound.film.drawing.stereo import soft_clip_stereo
from frame2sound.film.drawing.synthesis import (
    FloatArray,
    read_wavetable,
    smooth_step,
    soft_clip,
    wavetable,
)
from frame2sound.film.drawing.timeline import Timeline
from frame2sound.sound.scale import Scale, note_to_hz

TONES = Scale.equal(12, tonic_hz=note_to_hz("D3"), degrees=(0, 2, 3, 5, 7, 9, 10))
LINES = 15
ATTACK_SECONDS, FADE_SECONDS = 0.045, 0.45
SOFT_REED = wavetable([1, 0.0, 0.32, 0.0, 0.1, 0.0, 0.03])
BRIGHT_REED = wavetable([1, 0.02, 0.75, 0.05, 0.5, 0.07, 0.27, 0.06, 0.16, 0.04, 0.09, 0.0, 0.05])
DOWN = np.linspace(0, 1, 41)


@dataclass(frozen=True)
class Line:
    """A line that appears at frame ``start``, fades from ``fading`` on, and is gone at ``stop``."""

    start: int
    fading: int
    stop: int
    place: int


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
) -> Scene:
    """Return a film of lines and clarinet tones."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    lines = Timeline(_lines(frames, float(clock.fps), seed), clock)
    canvas = Canvas(size)

    def draw(frame: int) -> NDArray[np.uint8]:
        picture = canvas.blank()
        for line in lines.events_at(frame):
            middle = np.array([(frame - line.start + 0.5) / float(clock.fps)])
            layer = canvas.blank()
            _draw_line(canvas, layer, line, float(_level(line, middle, clock.fps)[0]), frame)
            np.maximum(picture, layer, out=picture)
        return canvas.finish(picture, glow=0.75, glow_radius=7)

    def synthesise_line(line: Line, age: NDArray[np.int64]) -> FloatArray:
        level = _level(line, age / sample_rate, clock.fps)
        turns = age * (TONES.step_to_hz(line.place) / sample_rate)
        bright = level**2 * (1 - line.place / LINES / 2)
        reed = read_wavetable(SOFT_REED, turns)
        return 0.26 * level * (reed + bright * (read_wavetable(BRIGHT_REED, turns) - reed))

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        return soft_clip(lines.mix(start, stop, synthesise_line), 0.69).astype(np.float32)

    def stereo(start: int, stop: int) -> NDArray[np.float32]:
        mixed = lines.mix_stereo(start, stop, synthesise_line, _line_x)
        return soft_clip_stereo(mixed, 0.69)

    pitches = lines.pitches_hz(frames, lambda line: TONES.step_to_hz(line.place))
    return Scene(
        "lines",
        seed,
        clock,
        size,
        frames,
        draw,
        sound,
        lines.onsets,
        pitches,
        synthesise_stereo=stereo,
    )


def _line_x(line: Line) -> float:
    return 480 * (line.place + 0.5) / LINES


def _lines(frames: int, fps: float, seed: int) -> list[Line]:
    """Return random phrases, of single lines or of chords, for the whole film.

    Phrases move towards the positions that were used least, so that a minute has all of them.
    """
    rng = np.random.default_rng((seed, 3))
    fade = max(1, round(FADE_SECONDS * fps))
    lines: list[Line] = []
    free, used_seconds = np.zeros(LINES, dtype=int), np.zeros(LINES)
    at, place = 0.5, int(rng.integers(3, 12))
    while at * fps < frames:
        chordal = rng.random() < 0.4
        for _ in range(rng.integers(3, 7)):
            hold = float(rng.choice([0.4, 0.6, 0.8, 1.2])) * (1.6 if chordal else 1)
            for number in range(rng.integers(2, 4) if chordal else 1):
                start = round((at + 0.15 * number) * fps)
                fading = round((at + hold) * fps)
                where = place if number == 0 else (place + 2 * number) % LINES
                if free[where] <= start < fading and fading + fade <= frames:
                    lines.append(Line(start, fading, fading + fade, where))
                    free[where] = fading + fade + 1
                    used_seconds[where] += hold / (3 if chordal else 1)
            at += hold + (FADE_SECONDS if chordal else float(rng.choice([0.0, FADE_SECONDS])))
            near = [to for to in range(place - 4, place + 5) if 0 <= to < LINES and to != place]
            place = min(near, key=lambda to: float(used_seconds[to] + rng.uniform(0, 2)))
        at += FADE_SECONDS + float(rng.uniform(0.4, 0.9))
    return lines


def _level(line: Line, seconds: FloatArray, fps: Fraction) -> FloatArray:
    """Return the loudness of a line at times after its start, 0 to 1, smooth at both ends."""
    held = (line.fading - line.start) / float(fps)
    fade = (line.stop - line.fading) / float(fps)
    swell = smooth_step(seconds, ATTACK_SECONDS) * (0.75 + 0.25 * np.exp(-seconds / 0.5))
    return swell * (1 - smooth_step(seconds - held, fade))


def _draw_line(
    canvas: Canvas, picture: NDArray[np.uint8], line: Line, level: float, frame: int
) -> None:
    """Draw a line as a string that vibrates as widely as it is loud."""
    x = _line_x(line)
    loops = 2 + line.place // 4
    swing = 4.5 * level * np.cos(2.4 * (frame - line.start) + line.place)
    texture = np.random.default_rng((line.place, frame)).uniform(-0.5, 0.5, len(DOWN))
    spine = np.stack([x + swing * np.sin(np.pi * loops * DOWN) + texture, 8 + 344 * DOWN], axis=1)
    width = 8.5 * np.sin(np.pi * (0.04 + 0.92 * DOWN)) ** 0.35
    low = line.place < LINES / 2  # warm colours on the left, cold ones on the right
    hue = 0.018 * line.place if low else 0.3 + 0.022 * line.place
    colour = tint(hue, 165 * level**0.6, 0.6)
    canvas.ribbon(picture, spine, width + texture, colour)
