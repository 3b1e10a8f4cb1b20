"""Balls: one to three balls fall and bounce, and every contact is a thud.

Nothing lights up and nothing is squashed: only the movement tells when a ball meets the floor,
and it does so between frames. The thud is the louder the faster the ball falls and the larger
it is; its material, wood, rubber or metal, is its colour and its sound. A ball that would
hardly bounce any more is thrown up again.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.canvas import Canvas, tint
from frame2sound.film.drawing.materials import strike
from frame2sound.film.drawing.recordings import RecordingTrack, TimedRecording
from frame2sound.film.drawing.scene import Scene, clock_and_frame_count
from frame2sound.film.drawing.stereo import soft_clip_stereo
from frame2sound.film.drawing.synthesis import soft_clip

GRAVITY = 1400.0  # stage units per second squared
FLOOR = 318.0
LOWEST_SPEED = 200.0  # a ball that would leave the floor more slowly is thrown up again
FASTEST = math.sqrt(2 * GRAVITY * 250)
LARGEST = 40.0
LOUDEST = 0.65
CLEAR_SECONDS = 0.07  # wanted between the contacts of different balls

MATERIALS = {  # hue, saturation, restitution
    "wood": (0.085, 0.65, 0.66),
    "rubber": (0.97, 0.8, 0.82),
    "metal": (0.6, 0.18, 0.74),
}
GROUNDS = {  # grey of the ground, of the floor and of the balls
    "dark": (14.0, 40.0, 170.0),
    "black": (0.0, 30.0, 170.0),
    "grey": (128.0, 100.0, 215.0),
    "white": (255.0, 205.0, 95.0),
}


@dataclass(frozen=True)
class Ball:
    """A ball: its material, its radius and the range of its centre on the stage."""

    material: str
    radius: float
    left: float
    right: float


@dataclass(frozen=True)
class Move:
    """A part of a ball's path, until the next begins; heights are those of its lower edge."""

    start: float
    duration: float
    height: float
    velocity: float = 0.0  # upwards

    def height_at(self, seconds: float) -> float:
        """Return the height above the floor at a time of the film."""
        age = min(seconds - self.start, self.duration)
        return max(0.0, self.height + (self.velocity - GRAVITY / 2 * age) * age)


@dataclass(frozen=True)
class Drift:
    """A ball's way across the stage during a throw: it slows down until it rests."""

    start: float
    duration: float
    place: float
    target: float

    def place_at(self, seconds: float) -> float:
        """Return the horizontal position at a time of the film."""
        left = 1 - min(1.0, max(0.0, (seconds - self.start) / self.duration))
        return self.target + (self.place - self.target) * left**2


@dataclass(frozen=True)
class Contact:
    """A ball meets the floor at a time, with a speed."""

    seconds: float
    speed: float


class Path:
    """Where a ball is at any time, and when it meets the floor."""

    def __init__(self, ball: Ball) -> None:
        self.ball = ball
        self.contacts: list[Contact] = []
        self._moves: list[Move] = []
        self._drifts: list[Drift] = []

    def add_throw(self, moves: list[Move], contacts: list[Contact], drift: Drift) -> None:
        """Add a throw that begins when the last has ended."""
        self._moves += moves
        self.contacts += contacts
        self._drifts.append(drift)

    def position(self, seconds: float) -> tuple[float, float]:
        """Return the centre of the ball at a time, on the stage."""
        move = self._moves[bisect_right(self._moves, seconds, key=lambda m: m.start) - 1]
        drift = self._drifts[max(0, bisect_right(self._drifts, seconds, key=lambda d: d.start) - 1)]
        height = move.height_at(max(seconds, move.start))
        return drift.place_at(seconds), FLOOR - self.ball.radius - height


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
    ground: str = "dark",
) -> Scene:
    """Return a film of falling balls, on a ground of `GROUNDS`; it moves the same at any fps."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    end = frames / float(clock.fps)
    paths = _paths(end, seed)
    track = RecordingTrack(
        (
            TimedRecording(
                contact.seconds, thud, _gain(path.ball, contact), path.position(contact.seconds)[0]
            )
            for path, thud in zip(paths, _thuds(paths, sample_rate), strict=True)
            for contact in path.contacts
            if contact.seconds < end
        ),
        clock,
    )
    canvas = Canvas(size)
    stage = _stage(canvas, ground)

    def draw(frame: int) -> NDArray[np.uint8]:
        picture = stage.copy()
        for path in paths:
            _draw_ball(canvas, picture, path, frame / float(clock.fps), ground)
        return canvas.finish(picture)

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        return soft_clip(track.mix(start, stop), 0.69).astype(np.float32)

    def stereo(start: int, stop: int) -> NDArray[np.float32]:
        return soft_clip_stereo(track.mix_stereo(start, stop), 0.69)

    return Scene(
        "balls",
        seed,
        clock,
        size,
        frames,
        draw,
        sound,
        track.onset_frames,
        (None,) * frames,
        track.onset_seconds,
        stereo,
    )


def _paths(end: float, seed: int) -> list[Path]:
    """Return the paths of one to three balls, each in its own part of the stage."""
    rng = np.random.default_rng((seed, 8))
    count = int(rng.integers(1, 4))
    edges = 20 + 440 * np.arange(count + 1) / count
    materials = rng.permutation(sorted(MATERIALS))
    largest = min(LARGEST, 150 / count)
    paths = []
    for number in range(count):
        radius = float(rng.uniform(0.4, 1) * largest)
        low, high = edges[number] + radius, edges[number + 1] - radius
        path = Path(Ball(str(materials[number]), radius, float(low), float(high)))
        _throw_all(path, [c.seconds for other in paths for c in other.contacts], end, rng)
        paths.append(path)
    return paths


def _throw_all(path: Path, taken: list[float], end: float, rng: np.random.Generator) -> None:
    """Add throws until the end; contacts keep clear of ``taken`` times where a height allows it."""
    at, place = 0.0, float(rng.uniform(path.ball.left, path.ball.right))
    highest = FLOOR - 2 * path.ball.radius - 12
    while at < end:
        spring = MATERIALS[path.ball.material][2] + float(rng.uniform(-0.04, 0.04))
        heights = rng.uniform(90, highest, 12)
        flights = [_bounce(at, float(height), spring, is_thrown=at > 0) for height in heights]
        moves, contacts = max(flights, key=lambda flight: _clearance(flight[1], taken))
        target = float(rng.uniform(path.ball.left, path.ball.right))
        drift = Drift(at, contacts[-1].seconds - at, place, target)
        path.add_throw(moves, contacts, drift)
        at, place = contacts[-1].seconds, target


def _clearance(contacts: list[Contact], taken: list[float]) -> float:
    """Return the shortest time between contacts and other times, at most `CLEAR_SECONDS`."""
    if not taken:
        return CLEAR_SECONDS
    gaps = np.abs(np.subtract.outer([c.seconds for c in contacts], taken))
    return min(CLEAR_SECONDS, float(gaps.min()))


def _bounce(
    start: float, height: float, spring: float, *, is_thrown: bool
) -> tuple[list[Move], list[Contact]]:
    """Return the moves and contacts of a ball that drops from a height, or is thrown up to it.

    The last contact is the one after which the ball would bounce too low.
    """
    fall = math.sqrt(2 * height / GRAVITY)
    speed = GRAVITY * fall
    if is_thrown:
        moves, at = [Move(start, 2 * fall, 0.0, speed)], start + 2 * fall
    else:
        moves, at = [Move(start, fall, height)], start + fall
    contacts = [Contact(at, speed)]
    while (speed := speed * spring) >= LOWEST_SPEED:
        moves.append(Move(at, 2 * speed / GRAVITY, 0.0, speed))
        at += 2 * speed / GRAVITY
        contacts.append(Contact(at, speed))
    return moves, contacts


def _thuds(paths: list[Path], sample_rate: int) -> list[NDArray[np.float64]]:
    """Return the sound of each path's ball, with a peak of 1."""
    return [
        strike(path.ball.material, path.ball.radius / 25, 3000 + number, sample_rate)
        for number, path in enumerate(paths)
    ]


def _gain(ball: Ball, contact: Contact) -> float:
    """Return the gain of a contact, which grows with the speed and with the size of the ball."""
    return LOUDEST * (contact.speed / FASTEST) ** 1.3 * (ball.radius / LARGEST) ** 0.6


def _stage(canvas: Canvas, ground: str) -> NDArray[np.uint8]:
    """Return the picture without balls: the ground, and the floor with its edge."""
    if ground not in GROUNDS:
        raise ValueError(f"got the ground {ground!r}, expected one of {', '.join(GROUNDS)}")
    behind, floor, figure = GROUNDS[ground]
    picture = canvas.blank()
    picture[:] = np.rint(tint(0.62, behind, 0.25 if ground == "dark" else 0)).astype(np.uint8)
    for top, grey in ((FLOOR, (floor + figure) / 2), (FLOOR + 2, floor)):
        corners = np.array([[-5, top], [485, top], [485, 365], [-5, 365]])
        canvas.polygon(picture, corners, tint(0.62, grey, 0.2))
    return picture


def _draw_ball(
    canvas: Canvas, picture: NDArray[np.uint8], path: Path, seconds: float, ground: str
) -> None:
    """Draw a ball with a light from the upper left, and its shadow on the floor."""
    x, y = path.position(seconds)
    ball, (_, floor, grey) = path.ball, GROUNDS[ground]
    hue, saturation, _ = MATERIALS[ball.material]
    far = (FLOOR - ball.radius - y) / FLOOR
    shade = tint(0.62, floor * (0.45 + 0.5 * min(1.0, far)), 0.2)
    wide = ball.radius * (0.9 + 0.5 * far)
    canvas.ellipse(picture, (x, FLOOR + 9), (wide, 0.14 * wide + 1), shade)
    shine = 1.0 if ball.material == "metal" else 0.5
    for part, light in ((1.0, 0.62), (0.93, 0.74), (0.8, 0.86), (0.62, 0.95), (0.42, 1.0)):
        shift = ball.radius * (1 - part) * 0.45
        colour = tint(hue, grey * light, saturation)
        canvas.ellipse(picture, (x - shift, y - shift), (ball.radius * part,) * 2, colour)
    spot = ball.radius * 0.36
    bright = tint(hue, min(250.0, grey * (1 + 0.4 * shine)), saturation / 2)
    canvas.ellipse(picture, (x - spot, y - spot), (ball.radius * 0.13,) * 2, bright)
