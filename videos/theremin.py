"""Theremin: a disc of light whose position and size are pitch and loudness.

The height of the disc is the pitch, with glides and a vibrato; its area is the loudness. Between
phrases the picture is black and silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock
from frame2sound.film.drawing.canvas import Canvas, tint
from frame2sound.film.drawing.scene import Scene, clock_and_frame_count
from frame2sound.film.drawing.synthesis import FloatArray, read_wavetable, smooth_step, wavetable
from frame2sound.sound.scale import Scale, note_to_hz

LOW_HZ, HIGH_HZ = note_to_hz("G3"), note_to_hz("G5")
TONES = Scale.equal(12, tonic_hz=note_to_hz("D4"), degrees=(0, 2, 3, 5, 7, 8, 10))
VOICE = wavetable([1, 0.42, 0.2, 0.07, 0.03])
LOWEST, HIGHEST = -4, 10
LOUDEST = 0.45
RELEASE_SECONDS = 0.6


@dataclass(frozen=True)
class Note:
    """A step of the scale, how long it is held, and how loud (0 to 1)."""

    step: int
    seconds: float
    gain: float


@dataclass(frozen=True)
class Gesture:
    """Pitch in octaves above 1 Hz, and gain from 0 to 1, at the bounds of all frames."""

    octaves: FloatArray
    gain: FloatArray


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
) -> Scene:
    """Return a film of a theremin."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    gesture = _gesture(frames, clock, seed)
    hertz = 2**gesture.octaves
    bounds = clock.sample_bounds(frames)
    turns = np.cumsum(np.r_[0, (hertz[1:] + hertz[:-1]) / 2 * np.diff(bounds) / sample_rate])
    mean_hertz, mean_gain = ((line[1:] + line[:-1]) / 2 for line in (hertz, gesture.gain))
    canvas = Canvas(size)

    def draw(frame: int) -> NDArray[np.uint8]:
        return _disc(canvas, float(mean_hertz[frame]), float(mean_gain[frame]))

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        sample = np.arange(start, stop)
        frame = np.clip(np.searchsorted(bounds, sample, side="right") - 1, 0, frames - 1)
        length = (bounds[frame + 1] - bounds[frame]).astype(np.float64)
        across = np.minimum((sample - bounds[frame]) / length, 1)
        bend = (hertz[frame + 1] - hertz[frame]) * across / 2
        phase = turns[frame] + (hertz[frame] + bend) * across * length / sample_rate
        gain = gesture.gain[frame] + (gesture.gain[frame + 1] - gesture.gain[frame]) * across
        return (LOUDEST * gain * read_wavetable(VOICE, phase)).astype(np.float32)

    shown = mean_gain > 0
    onsets = np.flatnonzero(shown & ~np.r_[False, shown[:-1]])
    pitches = tuple(
        float(hz) if visible else None for hz, visible in zip(mean_hertz, shown, strict=True)
    )
    return Scene(
        "theremin", seed, clock, size, frames, draw, sound, tuple(onsets.tolist()), pitches
    )


def _gesture(frames: int, clock: Clock, seed: int) -> Gesture:
    """Return random phrases with silence between them."""
    rng = np.random.default_rng((seed, 2))
    time = np.arange(frames + 1) / float(clock.fps)
    octaves, gain = np.full(frames + 1, np.log2(TONES.tonic_hz)), np.zeros(frames + 1)
    at, step = 0.4, int(rng.integers(-2, 5))
    tone_seconds = np.zeros(HIGHEST - LOWEST + 1)
    while at < time[-1]:
        notes = _notes(rng, step, tone_seconds)
        step = notes[-1].step
        end = at + sum(note.seconds for note in notes) + RELEASE_SECONDS
        there = slice(*np.searchsorted(time, [at, end]).tolist())
        octaves[there], gain[there] = _phrase(time[there] - at, notes)
        at = end + float(rng.uniform(0.4, 1.1))
    gain *= 1 - smooth_step(time - (time[-1] - 0.5), 0.4)
    gain[gain < 0.004] = 0
    vibrato = np.sin(2 * np.pi * min(5.4, float(clock.fps) / 5) * time)
    depth = 0.25 / 12 * smooth_step(np.sin(2 * np.pi * 0.21 * time), 1)
    return Gesture(octaves + vibrato * depth, gain)


def _notes(rng: np.random.Generator, step: int, tone_seconds: FloatArray) -> list[Note]:
    """Return random notes from a step on, towards the steps with the fewest seconds so far.

    Within a minute every step is used.
    """
    notes = []
    for _ in range(rng.integers(3, 7)):
        duration = float(rng.choice([0.35, 0.5, 0.7, 1.1]))
        notes.append(Note(step, duration, float(rng.uniform(0.35, 1.0))))
        tone_seconds[step - LOWEST] += duration
        near = [at for at in range(step - 4, step + 5) if LOWEST <= at <= HIGHEST and at != step]
        step = min(near, key=lambda at: float(tone_seconds[at - LOWEST] + rng.uniform(0, 2)))
    return notes


def _phrase(time: FloatArray, notes: list[Note]) -> tuple[FloatArray, FloatArray]:
    """Return octaves and gain of a phrase that glides from note to note."""
    octaves, gain = np.full(len(time), np.log2(_tone(notes[0].step))), np.zeros(len(time))
    at = 0.0
    for note in notes:
        octaves += (np.log2(_tone(note.step)) - octaves) * smooth_step(time - at, 0.22)
        gain += (note.gain - gain) * smooth_step(time - at, min(note.seconds, 0.45))
        at += note.seconds
    return octaves, gain * (1 - smooth_step(time - at, RELEASE_SECONDS))


def _tone(step: int) -> float:
    return min(max(TONES.step_to_hz(step), LOW_HZ), HIGH_HZ)


def _disc(canvas: Canvas, hertz: float, gain: float) -> NDArray[np.uint8]:
    """Draw the disc: its height shows the pitch, its area the gain."""
    picture = canvas.blank()
    if gain <= 0:
        return canvas.finish(picture)
    height = np.log2(hertz / LOW_HZ) / np.log2(HIGH_HZ / LOW_HZ)
    centre = np.array([240, 300 - 240 * height])
    radius = 62 * gain**0.5
    edge = radius * 1.3
    low = np.maximum(np.floor((centre - edge) * canvas.scale), 0).astype(int)
    high = np.minimum(np.ceil((centre + edge) * canvas.scale), canvas.drawn_size).astype(int)
    x = (np.arange(low[0], high[0]) + 0.5) / canvas.scale[0] - centre[0]
    y = (np.arange(low[1], high[1]) + 0.5) / canvas.scale[1] - centre[1]
    distance = np.sqrt(x[None, :] ** 2 + y[:, None] ** 2).astype(np.float32) / np.float32(radius)
    light = np.clip((np.float32(1.3) - distance) / np.float32(0.8), 0, 1)
    light *= light * (3 - 2 * light)
    colour = np.array(tint(0.5 + 0.47 * height, 175, 0.6), dtype=np.float32)
    patch = light[:, :, None] * colour
    picture[low[1] : high[1], low[0] : high[0]] = patch.astype(np.uint8)
    return canvas.finish(picture, glow=0.3, glow_radius=18)
