"""Bounce: balls hit the floor and the walls, and every hit makes a sound.

Each ball has a size, a colour and a pitch: small balls are high. The floor sounds like wood, the
walls like a bell. In the frame of a hit the ball is squashed; a ring of light grows around the
place and fades for as long as the hit is audible, so it shows how long ago the hit was.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock
from frame2sound.film.drawing.canvas import Canvas, tint
from frame2sound.film.drawing.scene import Scene, clock_and_frame_count
from frame2sound.film.drawing.stereo import soft_clip_stereo
from frame2sound.film.drawing.synthesis import (
    FloatArray,
    modal_tone,
    smooth_step,
    soft_clip,
    white_noise,
)
from frame2sound.film.drawing.timeline import Timeline, recording_samples
from frame2sound.sound.scale import Scale, note_to_hz

TONES = Scale.equal(12, tonic_hz=note_to_hz("A3"), degrees=(0, 3, 5, 7, 10))
RING_SECONDS = 0.6
GRAVITY = 900.0  # stage units per second squared
FLOOR, LEFT, RIGHT = 336.0, 8.0, 472.0
SPRING, WALL_SPRING = 0.86, 0.9


@dataclass(frozen=True)
class Ball:
    """A kind of ball: its radius on the stage, its hue and its step of the scale."""

    radius: float
    hue: float
    step: int


BALLS = (
    Ball(34, 0.02, 0),
    Ball(28, 0.09, 3),
    Ball(22, 0.45, 5),
    Ball(17, 0.58, 8),
    Ball(13, 0.78, 10),
)


@dataclass(frozen=True)
class Flight:
    """A ball's free flight from one frame to another; positions and velocity on the stage."""

    start: int
    stop: int
    ball: int
    origin: tuple[float, float]
    velocity: tuple[float, float]
    fresh: bool  # the ball has just been thrown and fades in
    last: bool  # the ball fades out

    def position(self, seconds: float) -> tuple[float, float]:
        """Return the ball's position at a time after the start of the flight."""
        x, y = self.origin
        across, down = self.velocity
        return x + across * seconds, y + (down + GRAVITY / 2 * seconds) * seconds


@dataclass(frozen=True)
class Hit:
    """A hit, and the range of frames that shows it."""

    start: int
    stop: int
    ball: int
    surface: str
    place: tuple[float, float]
    strength: float


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
) -> Scene:
    """Return a film of bouncing balls."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    flights, hits = _throws(frames, clock, seed)
    canvas = Canvas(size)
    rate = float(clock.fps)
    struck_sounds = {
        (ball, surface): _impact(BALLS[ball], surface, sample_rate)
        for ball in range(len(BALLS))
        for surface in ("floor", "left", "right")
    }

    def draw(frame: int) -> NDArray[np.uint8]:
        picture = canvas.blank()
        now = hits.events_at(frame)
        for hit in now:
            light = canvas.blank()
            _draw_ring(canvas, light, hit, (frame - hit.start) / rate)
            np.maximum(picture, light, out=picture)
        for flight in flights.events_at(frame):
            touching = [h for h in now if h.ball == flight.ball and h.start == frame]
            _draw_ball(canvas, picture, flight, frame, rate, touching)
        return canvas.finish(picture, glow=0.35, glow_radius=10)

    def synthesise_hit(hit: Hit, age: NDArray[np.int64]) -> NDArray[np.floating]:
        return hit.strength * recording_samples(struck_sounds[hit.ball, hit.surface], age)

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        return soft_clip(hits.mix(start, stop, synthesise_hit), 0.69).astype(np.float32)

    def stereo(start: int, stop: int) -> NDArray[np.float32]:
        mixed = hits.mix_stereo(start, stop, synthesise_hit, lambda hit: hit.place[0])
        return soft_clip_stereo(mixed, 0.69)

    pitches = hits.pitches_hz(frames, lambda hit: _hertz(BALLS[hit.ball], hit.surface))
    return Scene(
        "bounce",
        seed,
        clock,
        size,
        frames,
        draw,
        sound,
        hits.onsets,
        pitches,
        synthesise_stereo=stereo,
    )


def _throws(frames: int, clock: Clock, seed: int) -> tuple[Timeline[Flight], Timeline[Hit]]:
    """Return the flights and hits of random throws, one to three balls at a time."""
    rng = np.random.default_rng((seed, 4))
    flights: list[Flight] = []
    hits: list[Hit] = []
    free = [0] * len(BALLS)
    at = 0.3
    while at * clock.fps < frames:
        order = rng.permutation(len(BALLS))[: rng.integers(1, 4)]
        end = at
        for ball in order:
            start = max(round(at * float(clock.fps)), free[ball])
            free[ball] = _throw(int(ball), start, frames, clock, rng, flights, hits)
            end = max(end, free[ball] / float(clock.fps))
            at += float(rng.uniform(0.25, 0.7))
        at = max(at, end + float(rng.uniform(0.1, 0.7)))
    return Timeline(flights, clock), Timeline(hits, clock)


def _throw(
    ball: int,
    start: int,
    frames: int,
    clock: Clock,
    rng: np.random.Generator,
    flights: list[Flight],
    hits: list[Hit],
) -> int:
    """Add the flights and hits of one throw; return the frame after its last.

    Every hit is moved to the nearest frame, and the initial velocity of the flight before it is
    adapted; gravity is not.
    """
    rate = float(clock.fps)
    ring = max(1, -int(-RING_SECONDS * rate // 1))
    radius = BALLS[ball].radius
    side = rng.choice([-1, 1])
    place = (240.0 - side * float(rng.uniform(60, 180)), 40.0 + float(rng.uniform(0, 70)))
    velocity = (side * float(rng.uniform(110, 260)), float(rng.uniform(-80, 40)))
    bounces, most = 0, int(rng.integers(6, 10))
    while True:
        surface, duration = _next_hit(place, velocity, radius)
        length = max(1, round(duration * rate))
        last = bounces >= most or start + length + ring > frames
        target = _meeting(place, velocity, duration, surface, radius)
        flown = length / rate
        launch = (
            (target[0] - place[0]) / flown,
            (target[1] - place[1]) / flown - GRAVITY / 2 * flown,
        )
        length = min(length, round(0.35 * rate) + 1) if last else length
        stop = min(start + length, frames)
        if stop > start:
            flights.append(Flight(start, stop, ball, place, launch, bounces == 0, last))
        if last:
            return stop + 1
        start, place, bounces = stop, target, bounces + 1
        across, down = launch[0], launch[1] + GRAVITY * flown
        speed = abs(down) if surface == "floor" else abs(across)
        strength = float(np.clip(speed / 750 if surface == "floor" else speed / 380, 0.25, 1))
        hits.append(Hit(start, start + ring, ball, surface, target, strength))
        velocity = (
            (across, -SPRING * abs(down)) if surface == "floor" else (-WALL_SPRING * across, down)
        )


def _next_hit(
    place: tuple[float, float], velocity: tuple[float, float], radius: float
) -> tuple[str, float]:
    """Return the surface that a ball hits next, and the seconds until then."""
    fall = FLOOR - radius - place[1]
    down = velocity[1]
    floor = (-down + np.sqrt(max(down**2 + 2 * GRAVITY * fall, 0))) / GRAVITY
    edge = RIGHT - radius if velocity[0] > 0 else LEFT + radius
    wall = (edge - place[0]) / velocity[0] if velocity[0] else np.inf
    if wall < floor:
        return ("right" if velocity[0] > 0 else "left"), float(max(wall, 0))
    return "floor", float(floor)


def _meeting(
    place: tuple[float, float],
    velocity: tuple[float, float],
    duration: float,
    surface: str,
    radius: float,
) -> tuple[float, float]:
    """Return the ball's position at the hit, exactly on the surface."""
    x = place[0] + velocity[0] * duration
    y = place[1] + (velocity[1] + GRAVITY / 2 * duration) * duration
    x = {"left": LEFT + radius, "right": RIGHT - radius}.get(surface, x)
    return float(x), float(FLOOR - radius if surface == "floor" else min(y, FLOOR - radius))


def _hertz(ball: Ball, surface: str) -> float:
    return TONES.step_to_hz(ball.step + {"floor": 0, "left": 5, "right": 7}[surface])


def _impact(ball: Ball, surface: str, sample_rate: int) -> FloatArray:
    """Return the sound of a hit: a knock, and the modes of wood (floor) or of a bell (walls)."""
    hertz = _hertz(ball, surface)
    length = 0.12 + 0.03 * ball.radius / 10
    if surface == "floor":
        modes = [(hertz, 1.0, length), (3.93 * hertz, 0.35, length / 4), (9.2 * hertz, 0.12, 0.02)]
    else:
        modes = [(hertz, 1.0, length), (2.76 * hertz, 0.4, 0.1), (5.4 * hertz, 0.25, 0.06)]
    ring = modal_tone(modes, RING_SECONDS, sample_rate)
    time = np.arange(len(ring)) / sample_rate
    knock = white_noise(2000 + ball.step, 0, len(ring)) * np.exp(-time / 0.003)
    sound = (ring + 0.5 * knock) * smooth_step(time, 0.0004)
    impact: FloatArray = 0.36 * sound / np.abs(sound).max()
    return impact


def _draw_ring(canvas: Canvas, picture: NDArray[np.uint8], hit: Hit, age: float) -> None:
    """Draw the ring of light around a hit, which grows, thins and fades."""
    gone = age / RING_SECONDS
    radius = BALLS[hit.ball].radius
    x, y = hit.place
    centre = {"floor": (x, y + radius), "left": (x - radius, y), "right": (x + radius, y)}
    reach = radius * 0.8 + (60 + 70 * hit.strength) * (1 - (1 - gone) ** 2)
    flat = (reach, 0.3 * reach) if hit.surface == "floor" else (0.3 * reach, reach)
    colour = tint(BALLS[hit.ball].hue, (70 + 170 * hit.strength) * (1 - gone) ** 1.2, 0.45)
    draw = partial(canvas.ellipse, picture, centre[hit.surface])
    draw(flat, colour, thickness=2 + 9 * (1 - gone))


def _draw_ball(
    canvas: Canvas,
    picture: NDArray[np.uint8],
    flight: Flight,
    frame: int,
    rate: float,
    touching: list[Hit],
) -> None:
    """Draw a ball: round, or squashed in the frame of a hit."""
    ball = BALLS[flight.ball]
    seconds = (frame - flight.start) / rate
    x, y = flight.position(seconds)
    light = 1.0
    if flight.fresh:
        light *= float(smooth_step(seconds + 0.5 / rate, 0.25))
    if flight.last:
        light *= 1 - seconds / (flight.stop - flight.start) * rate
    wide, high = ball.radius, ball.radius
    for hit in touching:
        squash = 1 - 0.4 * hit.strength
        if hit.surface == "floor":
            wide, high, y = wide / squash**0.5, high * squash, y + high * (1 - squash)
        else:
            away = wide * (1 - squash) * (-1 if hit.surface == "left" else 1)
            wide, high, x = wide * squash, high / squash**0.5, x + away
    for part, grey in ((1.0, 105), (0.9, 125), (0.76, 142), (0.58, 157), (0.36, 170)):
        shine = ball.radius * (1 - part) * 0.4
        colour = tint(ball.hue, grey * light, 0.7)
        canvas.ellipse(picture, (x - shine, y - shine), (wide * part, high * part), colour)
