"""Steps: things fall onto a stair, are shoved along its steps, and drop from one to the next.

A crate of wood, a tin of metal, a block of stone and one of rubber. Each shove scrapes, the louder
the faster the thing slides, with the noise of its material; each drop ends with an impact, between
frames, in which thing and step sound. Between them the things stand, and nothing sounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.canvas import Canvas, tint
from frame2sound.film.drawing.materials import strike
from frame2sound.film.drawing.recordings import RecordingTrack, TimedRecording
from frame2sound.film.drawing.scene import Scene, clock_and_frame_count
from frame2sound.film.drawing.stereo import place_gains, soft_clip_stereo
from frame2sound.film.drawing.synthesis import FloatArray, band_noise, smooth_step, soft_clip

GRAVITY = 1400.0
STEP_EDGES = (168.0, 318.0, 560.0)  # right edges of the steps, on the stage
STEP_TOPS = (150.0, 226.0, 312.0)
STEP_MATERIALS = ("wood", "stone", "metal")
LOUDEST_IMPACT, LOUDEST_SCRAPE = 0.55, 0.11
FASTEST_FALL, FASTEST_SLIDE = 630.0, 420.0
LANDING_SECONDS = 0.12  # in which a thing that has dropped slides to rest
SCRAPES_HZ = {
    "wood": (250, 1800),
    "metal": (2200, 8500),
    "stone": (700, 4500),
    "rubber": (120, 700),
}
LOOKS = {  # hue, saturation, grey
    "wood": (0.085, 0.65, 150),
    "metal": (0.58, 0.2, 190),
    "stone": (0.65, 0.08, 120),
    "rubber": (0.97, 0.8, 140),
}


@dataclass(frozen=True)
class Thing:
    """A thing: its material, and half its width and height on the stage."""

    material: str
    half: float


@dataclass(frozen=True)
class Motion:
    """A slide (``gravity`` 0) or a fall of a thing, from a time for a duration in seconds.

    The horizontal speed changes evenly from ``speed`` to ``last_speed``.
    """

    thing: Thing
    start: float
    duration: float
    x: float
    y: float  # of the lower edge
    speed: float
    last_speed: float
    gravity: float = 0.0

    @property
    def stop(self) -> float:
        """The time at which it ends."""
        return self.start + self.duration

    def x_at(self, seconds: FloatArray) -> FloatArray:
        """Return the horizontal places of the thing's middle at times of the film."""
        age = np.clip(seconds - self.start, 0, self.duration)
        change = (self.last_speed - self.speed) / self.duration
        return self.x + (self.speed + change * age / 2) * age

    def position(self, seconds: float) -> tuple[float, float]:
        """Return the middle of the thing's lower edge at a time of the film."""
        age = min(max(0.0, seconds - self.start), self.duration)
        change = (self.last_speed - self.speed) / self.duration
        return (
            self.x + (self.speed + change * age / 2) * age,
            self.y + self.gravity / 2 * age**2,
        )


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
) -> Scene:
    """Return a film of things on a stair."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    rate, end = float(clock.fps), frames / float(clock.fps)
    rng = np.random.default_rng((seed, 11))
    hue = float(rng.uniform(0, 1))
    courses = _courses(end, rng)
    impacts = RecordingTrack(_impacts(courses, end, sample_rate), clock)
    slides = [motion for course in courses for motion in course if not motion.gravity]
    loops = {
        material: band_noise(70 + number, low, high, 2**16, sample_rate)
        for number, (material, (low, high)) in enumerate(SCRAPES_HZ.items())
    }
    canvas = Canvas(size)
    stair = _stair(canvas, hue)

    def draw(frame: int) -> NDArray[np.uint8]:
        picture = stair.copy()
        for course in courses:
            if course[0].start <= frame / rate < course[-1].stop:
                _draw_thing(canvas, picture, course, frame / rate)
        return canvas.finish(picture)

    def scrapes(start: int, stop: int) -> Iterator[tuple[Motion, NDArray[np.int64], FloatArray]]:
        """Yield the slides in samples ``[start, stop)``, their samples there, and their sound."""
        for slide in slides:
            begin, until = round(slide.start * sample_rate), round(slide.stop * sample_rate)
            sample = np.arange(max(start, begin), min(stop, until))
            if len(sample):
                loop = loops[slide.thing.material]
                gain = _scrape_gain(slide, sample / sample_rate)
                yield slide, sample, gain * loop[sample % len(loop)]

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        mixed = impacts.mix(start, stop)
        for _, sample, scrape in scrapes(start, stop):
            mixed[sample - start] += scrape
        return soft_clip(mixed, 0.69).astype(np.float32)

    def stereo(start: int, stop: int) -> NDArray[np.float32]:
        mixed = impacts.mix_stereo(start, stop)
        for slide, sample, scrape in scrapes(start, stop):
            mixed[:, sample - start] += place_gains(slide.x_at(sample / sample_rate)) * scrape
        return soft_clip_stereo(mixed, 0.69)

    shoves = (m.start for course in courses for m in course if not m.gravity and _is_shove(m))
    onsets = tuple(sorted({*impacts.onset_seconds, *(at for at in shoves if at < end)}))
    onset_frames = tuple(sorted({int(at * clock.fps) for at in onsets}))
    return Scene(
        "steps",
        seed,
        clock,
        size,
        frames,
        draw,
        sound,
        onset_frames,
        (None,) * frames,
        onsets,
        stereo,
    )


def _courses(end: float, rng: np.random.Generator) -> list[list[Motion]]:
    """Return the motions of each thing; the next falls when the last is on the lowest step."""
    courses: list[list[Motion]] = []
    at, material = 0.3, ""
    while at < end:
        material = str(rng.choice([name for name in LOOKS if name != material]))
        courses.append(_course(Thing(material, float(rng.uniform(15, 30))), at, rng))
        at = courses[-1][-1].start + float(rng.uniform(0.1, 0.5))
    return courses


def _course(thing: Thing, start: float, rng: np.random.Generator) -> list[Motion]:
    """Return the motions of a thing, from its fall onto the stair until it is off the stage."""
    x, at = float(rng.uniform(50, 80)), start
    motions = []
    for number, (edge, top) in enumerate(zip(STEP_EDGES, STEP_TOPS, strict=True)):
        above = STEP_TOPS[number - 1] if number else -40.0
        speed = motions[-1].last_speed if motions else 0.0
        fall = float(np.sqrt(2 * (top - above) / GRAVITY))
        motions.append(Motion(thing, at, fall, x, above, speed, speed, GRAVITY))
        x, at = x + speed * fall, at + fall
        if number:
            motions.append(Motion(thing, at, LANDING_SECONDS, x, top, 0.5 * speed, 0.0))
            x, at = x + 0.25 * speed * LANDING_SECONDS, at + LANDING_SECONDS
        while x < edge:
            at += float(rng.uniform(0.25, 0.9))
            motions.append(_shove(thing, at, x, top, edge, rng))
            at = motions[-1].stop
            x = motions[-1].position(at)[0] + 1e-6
    return motions


def _shove(
    thing: Thing, at: float, x: float, top: float, edge: float, rng: np.random.Generator
) -> Motion:
    """Return a slide that comes to rest on the step, or one that reaches its edge moving."""
    speed = float(rng.uniform(0.45, 1) * FASTEST_SLIDE)
    reach = speed * float(rng.uniform(0.2, 0.4)) / 2
    if x + reach < edge - 2 * thing.half:
        return Motion(thing, at, 2 * reach / speed, x, top, speed, 0.0)
    last = float(rng.uniform(110, 180))
    return Motion(thing, at, 2 * (edge - x) / (speed + last), x, top, speed, last)


def _is_shove(motion: Motion) -> bool:
    """Return whether a slide is a shove, and not the end of a drop."""
    return motion.duration != LANDING_SECONDS


def _impacts(courses: list[list[Motion]], end: float, sample_rate: int) -> list[TimedRecording]:
    """Return the sounds of the falls' ends: of the thing, and more softly of the step."""
    impacts = []
    steps = [strike(name, 3.0, 80 + n, sample_rate) for n, name in enumerate(STEP_MATERIALS)]
    for course in courses:
        thing = course[0].thing
        struck = strike(thing.material, thing.half / 15, 84, sample_rate)
        falls = [motion for motion in course if motion.gravity]
        for step, fall in zip(steps, falls, strict=True):
            gain = LOUDEST_IMPACT * (GRAVITY * fall.duration / FASTEST_FALL) ** 1.3
            gain *= (thing.half / 30) ** 0.5
            if fall.stop < end:
                x = fall.position(fall.stop)[0]
                impacts.append(TimedRecording(fall.stop, struck, gain, x))
                impacts.append(TimedRecording(fall.stop, step, 0.4 * gain, x))
    return impacts


def _scrape_gain(slide: Motion, seconds: FloatArray) -> FloatArray:
    """Return the RMS of a scrape, which grows with the speed."""
    part = (seconds - slide.start) / slide.duration
    speed = slide.speed + (slide.last_speed - slide.speed) * part
    edges = smooth_step(seconds - slide.start, 0.004) * smooth_step(slide.stop - seconds, 0.004)
    gain: FloatArray = LOUDEST_SCRAPE * np.maximum(0, speed / FASTEST_SLIDE) * edges
    return gain


def _stair(canvas: Canvas, hue: float) -> NDArray[np.uint8]:
    """Return the picture without things: a stair before a dark wall."""
    picture = canvas.blank()
    picture[:] = np.rint(tint(hue, 12, 0.4)).astype(np.uint8)
    left = -5.0
    for edge, top, material in zip(STEP_EDGES, STEP_TOPS, STEP_MATERIALS, strict=True):
        colour, saturation, grey = LOOKS[material]
        for down, light in ((0, 0.45), (3, 0.26), (14, 0.17)):
            corners = [[left, top + down], [edge, top + down], [edge, 365], [left, 365]]
            canvas.polygon(picture, np.array(corners), tint(colour, grey * light, saturation))
        left = edge
    return picture


def _draw_thing(
    canvas: Canvas, picture: NDArray[np.uint8], course: list[Motion], seconds: float
) -> None:
    """Draw a thing as a block with a lighter face, tilted while it falls from a step."""
    motion = [motion for motion in course if motion.start <= seconds][-1]
    x, y = motion.position(seconds)
    half = motion.thing.half
    hue, saturation, grey = LOOKS[motion.thing.material]
    fallen = min(1.0, (seconds - motion.start) / motion.duration)
    tilt = 0.35 * np.sin(np.pi * fallen) if motion.gravity and motion.speed else 0.0
    turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    middle = np.array([x, y - half])
    for part, light in ((1.0, 0.6), (0.86, 1.0), (0.5, 0.8)):
        corners = _outline(motion.thing.material) * half * part
        canvas.polygon(picture, middle + corners @ turn, tint(hue, grey * light, saturation))


def _outline(material: str) -> NDArray[np.float64]:
    """Return the outline of a thing of a material, in [-1, 1]."""
    cut = {"wood": 0.0, "metal": 0.3, "stone": 0.55, "rubber": 0.42}[material]
    quarter = np.array([[1, cut - 1], [1, 1], [-1, 1], [-1, cut - 1], [cut - 1, -1], [1 - cut, -1]])
    return quarter.astype(np.float64)
