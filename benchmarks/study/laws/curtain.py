"""Curtain: balls roll behind a curtain, strike a post there unseen, and roll out again.

The post is in the middle of the curtain, which hides the ball from 0.1 to 0.4 s before the blow to
as long after it. Only the way in says when it sounds, and how: a ball's size is its pitch,
and its speed its loudness. The event is not seen at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.canvas import Canvas, tint
from frame2sound.film.drawing.recordings import RecordingTrack, TimedRecording
from frame2sound.film.drawing.scene import Scene, clock_and_frame_count
from frame2sound.film.drawing.synthesis import FloatArray, modal_tone, smooth_step, soft_clip
from frame2sound.sound.scale import Scale, note_to_hz

TONES = Scale.equal(12, tonic_hz=note_to_hz("G3"), degrees=(0, 4, 7))
BALLS = ((34.0, 0, 0.02), (25.0, 2, 0.3), (17.0, 4, 0.6))  # radius, step of the scale, hue
FLOOR = 300.0
CURTAIN = (110.0, 370.0)
POST = 240.0
ROLL_SECONDS = 1.0  # at a speed of 1, from the edge of the stage to the post
RING_SECONDS = 0.5


@dataclass(frozen=True)
class Visit:
    """A ball rolls in from a side, strikes the post at a time, and rolls out as fast."""

    strike: float
    ball: int
    side: int  # -1 comes from the left, 1 from the right
    speed: float

    @property
    def duration(self) -> float:
        """From the edge of the stage to the post, in seconds."""
        return ROLL_SECONDS / self.speed

    def x_at(self, seconds: float) -> float:
        """Return the ball's horizontal place on the stage."""
        away = abs(seconds - self.strike) / self.duration
        return POST + self.side * (BALLS[self.ball][0] + 290 * away)


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
) -> Scene:
    """Return a film of balls and a curtain."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    end = frames / float(clock.fps)
    visits = _visits(end, seed)
    blows = [_blow(TONES.step_to_hz(step), sample_rate) for _, step, _ in BALLS]
    track = RecordingTrack(
        (
            TimedRecording(visit.strike, blows[visit.ball], 0.55 * (visit.speed / 1.6) ** 1.5)
            for visit in visits
            if visit.strike < end
        ),
        clock,
    )
    canvas = Canvas(size)

    def draw(frame: int) -> NDArray[np.uint8]:
        picture = canvas.blank()
        now = frame / float(clock.fps)
        canvas.polygon(
            picture, np.array([[-5, FLOOR], [485, FLOOR], [485, 365], [-5, 365]]), (40,) * 3
        )
        for visit in visits:
            if abs(now - visit.strike) <= visit.duration:
                _draw_ball(canvas, picture, visit, now)
        left, right = CURTAIN
        canvas.polygon(
            picture,
            np.array([[left, 60], [right, 60], [right, 330], [left, 330]]),
            tint(0.95, 70, 0.6),
        )
        for fold in np.arange(left + 10, right, 20):
            line = np.array([[fold, 60.0], [fold, 330.0]])
            canvas.ribbon(picture, line, 7.0, tint(0.95, 52, 0.6))
        return canvas.finish(picture)

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        return soft_clip(track.mix(start, stop), 0.69).astype(np.float32)

    silence = (None,) * frames
    onsets, exact = track.onset_frames, track.onset_seconds
    return Scene("curtain", seed, clock, size, frames, draw, sound, onsets, silence, exact)


def _visits(end: float, seed: int) -> list[Visit]:
    """Return visits one after another, with pauses between them."""
    rng = np.random.default_rng((seed, 29))
    visits: list[Visit] = []
    at = float(rng.uniform(0, 0.3))
    while at < end:
        speed = float(rng.uniform(0.8, 1.6))
        side = int(rng.choice([-1, 1]))
        visit = Visit(at + ROLL_SECONDS / speed, int(rng.integers(len(BALLS))), side, speed)
        visits.append(visit)
        at = visit.strike + visit.duration + float(rng.uniform(-0.2, 0.4))
    return visits


def _blow(hertz: float, sample_rate: int) -> FloatArray:
    modes = [(hertz, 1.0, 0.12), (2.4 * hertz, 0.5, 0.06), (5.1 * hertz, 0.25, 0.025)]
    ring = modal_tone(modes, RING_SECONDS, sample_rate)
    ring = ring * smooth_step(np.arange(len(ring)) / sample_rate, 0.0006)
    blow: FloatArray = ring / np.abs(ring).max()
    return blow


def _draw_ball(canvas: Canvas, picture: NDArray[np.uint8], visit: Visit, seconds: float) -> None:
    """Draw a ball with a spoke, which turns as it rolls."""
    radius, _, hue = BALLS[visit.ball]
    x = visit.x_at(seconds)
    for part, grey in ((1.0, 120), (0.8, 150), (0.5, 180)):
        canvas.ellipse(picture, (x, FLOOR - radius), (radius * part,) * 2, tint(hue, grey, 0.7))
    turn = x / radius
    spot = (x + 0.6 * radius * np.cos(turn), FLOOR - radius + 0.6 * radius * np.sin(turn))
    canvas.ellipse(picture, (float(spot[0]), float(spot[1])), (0.18 * radius,) * 2, (245,) * 3)
