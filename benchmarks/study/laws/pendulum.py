"""Pendulum: a weight swings on a string, and clacks as it hangs straight down.

Nothing lights up: only where the weight is tells that it sounds. The wider it swings, the faster it
passes and the louder is the clack; the longer the string, the slower the swing and the lower the
clack. The event is shown by one place among all that the weight goes through, between frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.canvas import Canvas, tint
from frame2sound.film.drawing.materials import strike
from frame2sound.film.drawing.recordings import RecordingTrack, TimedRecording
from frame2sound.film.drawing.scene import Scene, clock_and_frame_count
from frame2sound.film.drawing.synthesis import soft_clip

PIVOT = (240.0, 24.0)
LENGTHS = (150.0, 200.0, 265.0)
PERIODS = (0.9, 1.15, 1.45)  # seconds
HUES = (0.02, 0.14, 0.55)
MATERIALS = ("metal", "wood", "rubber")


@dataclass(frozen=True)
class Swing:
    """One string's turn: from a time on, so many half swings, of an angle that shrinks."""

    start: float
    halves: int
    string: int
    angle: float  # radians, at the start

    @property
    def stop(self) -> float:
        """When it is replaced by the next."""
        return self.start + self.halves * PERIODS[self.string] / 2

    def amplitude(self, seconds: float) -> float:
        """Return the width of the swing at a time of the film, in radians."""
        return self.angle * float(np.exp(-(seconds - self.start) / 7))

    def angle_at(self, seconds: float) -> float:
        """Return the angle from the vertical at a time of the film."""
        turns = (seconds - self.start) / PERIODS[self.string]
        return self.amplitude(seconds) * float(np.cos(2 * np.pi * turns))

    def passings(self) -> list[float]:
        """Return the times at which the weight passes the middle."""
        half = PERIODS[self.string] / 2
        return [self.start + half * (number + 0.5) for number in range(self.halves)]


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
) -> Scene:
    """Return a film of a pendulum."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    end = frames / float(clock.fps)
    swings = _swings(end, seed)
    clacks = [
        strike(MATERIALS[string], 0.6 + 0.3 * string, 3100 + string, sample_rate)
        for string in range(len(LENGTHS))
    ]
    track = RecordingTrack(
        (
            TimedRecording(at, clacks[swing.string], 0.6 * (swing.amplitude(at) / 0.9) ** 1.3)
            for swing in swings
            for at in swing.passings()
            if at < end
        ),
        clock,
    )
    canvas = Canvas(size)

    def draw(frame: int) -> NDArray[np.uint8]:
        picture = canvas.blank()
        picture[:] = np.rint(tint(0.6, 22, 0.3)).astype(np.uint8)
        now = frame / float(clock.fps)
        swing = next(each for each in reversed(swings) if each.start <= now)
        angle, length = swing.angle_at(now), LENGTHS[swing.string]
        way = np.array([np.sin(angle), np.cos(angle)])
        weight = np.array(PIVOT) + length * way
        side = 1.2 * np.array([way[1], -way[0]])
        string = np.array([PIVOT + side, weight + side, weight - side, PIVOT - side])
        canvas.polygon(picture, string, (120, 120, 125))
        for part, grey in ((1.0, 130), (0.75, 165), (0.45, 205)):
            colour = tint(HUES[swing.string], grey, 0.7)
            centre = (float(weight[0]), float(weight[1]))
            canvas.ellipse(picture, centre, (26 * part, 26 * part), colour)
        return canvas.finish(picture)

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        return soft_clip(track.mix(start, stop), 0.69).astype(np.float32)

    silence = (None,) * frames
    onsets, exact = track.onset_frames, track.onset_seconds
    return Scene("pendulum", seed, clock, size, frames, draw, sound, onsets, silence, exact)


def _swings(end: float, seed: int) -> list[Swing]:
    rng = np.random.default_rng((seed, 26))
    swings: list[Swing] = []
    at = 0.0
    while at < end:
        swing = Swing(at, int(rng.integers(4, 9)), int(rng.integers(3)), float(rng.uniform(0.3, 1)))
        swings.append(swing)
        at = swing.stop
    return swings
