"""Roll: a bar of light moves over a page of notes, and each note sounds while the bar is on it.

A note's height is its pitch, its thickness its loudness. The page stands still while the bar
crosses it; then there is another page. Neither the bar nor a note sounds by itself: only their
meeting does.
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

TONES = Scale.equal(12, tonic_hz=note_to_hz("E3"), degrees=(0, 3, 5, 7, 10))
REED = wavetable([1, 0.6, 0.4, 0.2, 0.1])
STEPS = 9
PAGE_SECONDS = 4.0
LEFT, RIGHT = 20.0, 460.0


@dataclass(frozen=True)
class Note:
    """A note, from a frame to another, with a pitch and a loudness from 0 to 1."""

    start: int
    stop: int
    step: int
    loudness: float


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
) -> Scene:
    """Return a film of a bar that reads notes."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    rate = float(clock.fps)
    page_frames = max(8, round(PAGE_SECONDS * rate))
    notes = Timeline(_notes(frames, page_frames, rate, seed), clock)
    canvas = Canvas(size)

    def place(frame: float, page: int) -> float:
        return LEFT + (RIGHT - LEFT) * (frame - page * page_frames) / page_frames

    def draw(frame: int) -> NDArray[np.uint8]:
        picture = canvas.blank()
        page = frame // page_frames
        bar = place(frame + 0.5, page)
        canvas.polygon(picture, _box(bar - 5, 12, bar + 5, 348), (92, 92, 100))
        for note in notes.events_between(page * page_frames, (page + 1) * page_frames):
            y, half = 330 - 37.5 * note.step, 3 + 11 * note.loudness
            box = _box(place(note.start, page), y - half, place(note.stop, page), y + half)
            canvas.polygon(picture, box, tint(0.08 * note.step, 150, 0.6))
        return canvas.finish(picture)

    def synthesise(note: Note, age: NDArray[np.int64]) -> FloatArray:
        time = age / sample_rate
        left = (note.stop - note.start) / rate - time
        level = smooth_step(time, 0.012) * smooth_step(left, 0.03) * (0.15 + 0.85 * note.loudness)
        return (
            0.25 * level * read_wavetable(REED, age * (TONES.step_to_hz(note.step) / sample_rate))
        )

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        return soft_clip(notes.mix(start, stop, synthesise), 0.69).astype(np.float32)

    pitches = notes.pitches_hz(frames, lambda note: TONES.step_to_hz(note.step))
    return Scene("roll", seed, clock, size, frames, draw, sound, notes.onsets, pitches)


def _notes(frames: int, page_frames: int, rate: float, seed: int) -> list[Note]:
    """Return the notes of all pages: one melody, of tones and rests, and now and then a second."""
    rng = np.random.default_rng((seed, 27))
    notes = []
    for first in range(0, frames, page_frames):
        for voice in range(1 + (rng.random() < 0.4)):
            at = first + int(rng.integers(2, 12))
            step = int(rng.integers(STEPS))
            while True:
                stop = at + max(2, round(float(rng.choice([0.2, 0.35, 0.6])) * rate))
                if stop > min(first + page_frames, frames):
                    break
                notes.append(Note(at, stop, step, float(rng.uniform(0, 1))))
                at = stop + round(float(rng.choice([0.1, 0.3, 0.7 + voice])) * rate)
                step = int(rng.integers(STEPS))
    return notes


def _box(left: float, top: float, right: float, bottom: float) -> FloatArray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
