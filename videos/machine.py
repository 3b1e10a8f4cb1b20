"""Machine: a flywheel drives a piston and a belt; it starts, changes its speed, and stops.

The motor hums, the higher and the louder the faster the wheel turns; the belt hisses with its
speed; and at both ends of every stroke the piston clanks, between frames. When the wheel stands,
the machine is silent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.canvas import Canvas, tint
from frame2sound.film.drawing.materials import strike
from frame2sound.film.drawing.recordings import RecordingTrack, TimedRecording
from frame2sound.film.drawing.scene import Scene, clock_and_frame_count
from frame2sound.film.drawing.stereo import place_gains, soft_clip_stereo
from frame2sound.film.drawing.synthesis import (
    FloatArray,
    band_noise,
    read_wavetable,
    smooth_step,
    soft_clip,
    wavetable,
)

GRID_HZ = 500  # at which the speed and the angle of the wheel are tabulated
FASTEST = 1.7  # turns per second
HUM_GAIN, BELT_GAIN, CLANK_GAIN = 0.1, 0.04, 0.6
HUM = wavetable([1, 0.55, 0.4, 0.18, 0.2, 0.08, 0.1, 0.04])
CROSSHEAD_Y = 214.0
ROD = 150.0  # from the crank pin to the piston
PULLEY = (400.0, 74.0)


@dataclass(frozen=True)
class Build:
    """How a machine is built: places and sizes on the stage, colours, and its pitch."""

    wheel_x: float
    radius: float
    crank: float
    spokes: int
    pulley_radius: float
    hue: float
    hum_hz: float  # at one turn per second, above ``idle_hz``
    idle_hz: float


class Drive:
    """The turning of the wheel: its speed and its angle at any time."""

    def __init__(self, end: float, rng: np.random.Generator) -> None:
        knots = [(0.0, 0.0), (0.4, 0.0)]
        while knots[-1][0] < end:
            at, speed = knots[-1]
            if speed == 0:
                knots.append((at + float(rng.uniform(0.8, 1.6)), float(rng.uniform(0.6, FASTEST))))
            elif rng.random() < 0.25:
                stop = at + float(rng.uniform(0.7, 1.4))
                knots += [(stop, 0.0), (stop + float(rng.uniform(0.5, 1.2)), 0.0)]
            else:
                held = at + float(rng.uniform(0.8, 2.5))
                knots.append((held, speed))
                knots.append(
                    (held + float(rng.uniform(0.5, 1.5)), float(rng.uniform(0.5, FASTEST)))
                )
        self.times = np.arange(math.ceil(end * GRID_HZ) + 2) / GRID_HZ
        self.speeds = _eased(self.times, knots)
        steps = (self.speeds[1:] + self.speeds[:-1]) / 2 / GRID_HZ
        self.turns = np.concatenate([[0.0], np.cumsum(steps)])

    def speed_at(self, seconds: NDArray[np.floating] | float) -> FloatArray:
        """Return the speed in turns per second."""
        return np.asarray(np.interp(seconds, self.times, self.speeds), np.float64)

    def turns_at(self, seconds: NDArray[np.floating] | float) -> FloatArray:
        """Return the turns of the wheel since the film began."""
        return np.asarray(np.interp(seconds, self.times, self.turns), np.float64)

    def strokes(self) -> list[float]:
        """Return the times at which the crank is at an end of its stroke: every half turn."""
        halves = np.arange(1, math.floor(2 * self.turns[-1]) + 1) / 2
        moving = np.concatenate([[True], np.diff(self.turns) > 0])
        return [float(t) for t in np.interp(halves, self.turns[moving], self.times[moving])]


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
) -> Scene:
    """Return a film of a machine."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    rate, end = float(clock.fps), frames / float(clock.fps)
    rng = np.random.default_rng((seed, 9))
    build = _build(rng)
    drive = Drive(end, rng)
    clanks = _clanks(build, sample_rate)
    track = RecordingTrack(
        (
            TimedRecording(
                at,
                clanks[number % 2],
                CLANK_GAIN * float(drive.speed_at(at) / FASTEST) ** 0.8,
                build.wheel_x + ROD + (-1) ** (number + 1) * build.crank,
            )
            for number, at in enumerate(drive.strokes())
            if at < end
        ),
        clock,
    )
    hiss = band_noise(41, 700, 3200, 2**16, sample_rate)
    canvas = Canvas(size)

    def draw(frame: int) -> NDArray[np.uint8]:
        picture = canvas.blank()
        _draw_machine(canvas, picture, build, float(drive.turns_at(frame / rate)))
        return canvas.finish(picture, glow=0.15, glow_radius=8)

    def hum_and_hiss(start: int, stop: int) -> tuple[FloatArray, FloatArray]:
        sample = np.arange(start, stop)
        speed = drive.speed_at(sample / sample_rate)
        turns = drive.turns_at(sample / sample_rate)
        cycles = build.hum_hz * turns + build.idle_hz * sample / sample_rate
        loud = smooth_step(speed, 0.5) * (0.3 + 0.7 * speed / FASTEST)
        flutter = 1 + 0.35 * np.sin(2 * np.pi * 6 * turns)
        belt = BELT_GAIN * (speed / FASTEST) ** 1.5 * flutter * hiss[sample % len(hiss)]
        return HUM_GAIN * loud * read_wavetable(HUM, cycles), belt

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        hum, belt = hum_and_hiss(start, stop)
        return soft_clip(hum + belt + track.mix(start, stop), 0.69).astype(np.float32)

    def stereo(start: int, stop: int) -> NDArray[np.float32]:
        mixed = track.mix_stereo(start, stop)
        places = build.wheel_x, (build.wheel_x + PULLEY[0]) / 2
        for x, part in zip(places, hum_and_hiss(start, stop), strict=True):
            mixed += place_gains(x)[:, None] * part
        return soft_clip_stereo(mixed, 0.69)

    middles = drive.speed_at((np.arange(frames) + 0.5) / rate)
    pitches = tuple(
        float(build.idle_hz + build.hum_hz * speed) if speed > 0.1 else None for speed in middles
    )
    return Scene(
        "machine",
        seed,
        clock,
        size,
        frames,
        draw,
        sound,
        track.onset_frames,
        pitches,
        track.onset_seconds,
        stereo,
    )


def _eased(times: FloatArray, knots: list[tuple[float, float]]) -> FloatArray:
    """Return values that move smoothly from knot to knot."""
    at, values = np.array(knots).T
    index = np.clip(np.searchsorted(at, times, side="right") - 1, 0, len(at) - 2)
    part = np.clip((times - at[index]) / (at[index + 1] - at[index]), 0, 1)
    eased: FloatArray = values[index] + (values[index + 1] - values[index]) * smooth_step(part, 1.0)
    return eased


def _build(rng: np.random.Generator) -> Build:
    radius = float(rng.uniform(66, 96))
    return Build(
        wheel_x=float(rng.uniform(120, 150)),
        radius=radius,
        crank=float(rng.uniform(0.5, 0.66)) * radius,
        spokes=int(rng.integers(4, 8)),
        pulley_radius=float(rng.uniform(22, 38)),
        hue=float(rng.uniform(0, 1)),
        hum_hz=float(rng.uniform(45, 70)),
        idle_hz=float(rng.uniform(40, 60)),
    )


def _clanks(build: Build, sample_rate: int) -> tuple[FloatArray, FloatArray]:
    """Return the clanks at the far and at the near end of the stroke."""
    size = build.radius / 80
    far = strike("metal", 1.5 * size, 50, sample_rate)
    near = strike("metal", 2.3 * size, 51, sample_rate)
    return far, 0.8 * near


def _draw_machine(canvas: Canvas, picture: NDArray[np.uint8], build: Build, turns: float) -> None:
    """Draw the frame, the belt with its lugs, the wheels, the rod and the piston."""
    angle = 2 * np.pi * turns
    iron, steel = tint(build.hue, 46, 0.4), tint(build.hue, 120, 0.3)
    canvas.polygon(picture, _box(0, 322, 480, 364), tint(build.hue, 26, 0.4))
    canvas.polygon(picture, _box(build.wheel_x - 14, CROSSHEAD_Y, build.wheel_x + 14, 322), iron)
    _draw_belt(canvas, picture, build, turns)
    centre = (build.wheel_x, CROSSHEAD_Y)
    _draw_wheel(canvas, picture, centre, build.radius, build.spokes, angle, build.hue)
    pin = build.wheel_x + build.crank * np.cos(angle), CROSSHEAD_Y + build.crank * np.sin(angle)
    head = float(pin[0] + np.sqrt(ROD**2 - (pin[1] - CROSSHEAD_Y) ** 2))
    far = build.wheel_x + build.crank + ROD
    near = build.wheel_x - build.crank + ROD
    canvas.polygon(picture, _box(near - 4, CROSSHEAD_Y + 26, far + 52, CROSSHEAD_Y + 34), iron)
    canvas.polygon(picture, _box(near - 4, CROSSHEAD_Y - 34, far + 52, CROSSHEAD_Y - 26), iron)
    canvas.polygon(picture, _box(far + 44, CROSSHEAD_Y - 34, far + 56, CROSSHEAD_Y + 34), steel)
    warm = tint(build.hue + 0.5, 165, 0.6)
    canvas.polygon(picture, _box(head - 6, CROSSHEAD_Y - 24, head + 40, CROSSHEAD_Y + 24), warm)
    canvas.polygon(picture, _bar(pin, (head, CROSSHEAD_Y), 9), tint(build.hue + 0.5, 205, 0.35))
    for joint in (pin, (head, CROSSHEAD_Y)):
        canvas.ellipse(picture, (float(joint[0]), float(joint[1])), (8, 8), tint(0.1, 235, 0.2))


def _draw_wheel(
    canvas: Canvas,
    picture: NDArray[np.uint8],
    centre: tuple[float, float],
    radius: float,
    spokes: int,
    angle: float,
    hue: float,
) -> None:
    """Draw a wheel with a rim and spokes."""
    colour = tint(hue, 135, 0.6)
    for spoke in range(spokes):
        turn = angle + 2 * np.pi * spoke / spokes
        end = centre[0] + radius * np.cos(turn), centre[1] + radius * np.sin(turn)
        canvas.polygon(picture, _bar(centre, end, 0.09 * radius), tint(hue, 95, 0.6))
    canvas.ellipse(picture, centre, (radius, radius), colour, thickness=0.13 * radius)
    canvas.ellipse(picture, centre, (0.2 * radius,) * 2, colour)


def _draw_belt(canvas: Canvas, picture: NDArray[np.uint8], build: Build, turns: float) -> None:
    """Draw a small pulley above, and the belt with lugs that run from the wheel's hub to it."""
    small, hub = PULLEY, (build.wheel_x, CROSSHEAD_Y)
    grip = build.pulley_radius
    way = np.subtract(small, hub)
    length = float(np.hypot(*way))
    along = way / length
    across = np.array([-along[1], along[0]]) * grip
    for side in (-1, 1):
        here, there = hub + side * across, small + side * across
        canvas.polygon(picture, _bar(here, there, 4), tint(build.hue + 0.3, 70, 0.5))
        first = -side * (2 * np.pi * grip * turns) % 34
        for place in np.arange(first, length, 34):
            lug = here + along * place
            dot = float(lug[0]), float(lug[1])
            canvas.ellipse(picture, dot, (5, 5), tint(build.hue + 0.3, 170, 0.7))
    _draw_wheel(canvas, picture, small, grip + 3, 3, 2 * np.pi * turns, build.hue + 0.3)


def _box(left: float, top: float, right: float, bottom: float) -> NDArray[np.float64]:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def _bar(
    one: tuple[float, float] | NDArray[np.floating],
    other: tuple[float, float] | NDArray[np.floating],
    width: float,
) -> NDArray[np.float64]:
    """Return the corners of a straight bar between two points."""
    start, stop = np.asarray(one, np.float64), np.asarray(other, np.float64)
    way = (stop - start) / max(1e-9, float(np.hypot(*(stop - start))))
    side = np.array([-way[1], way[0]]) * width / 2
    return np.stack([start + side, stop + side, stop - side, start - side])
