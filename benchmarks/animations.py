"""Animations to test brains with, unlike any demo film, each with its true onsets.

`DRAWN` names six that no brain has learned; beside them are a white frame with a click, balls
drawn with a pencil, and variants of any scene: on other grounds, by a shaking hand, with flashes,
at variable rates. A seed determines each. `write_animation` writes one, with its truth as JSON.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.canvas import STAGE_SIZE, Canvas
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.materials import strike
from frame2sound.film.drawing.recordings import RecordingTrack, TimedRecording
from frame2sound.film.drawing.scene import DrawFrame, Scene, clock_and_frame_count
from frame2sound.film.drawing.scene_writer import truth_path
from frame2sound.film.drawing.synthesis import soft_clip
from frame2sound.film.encoding.audio_encoder import AudioEncoder
from frame2sound.film.encoding.containers import audio_codec_for
from frame2sound.film.encoding.video_encoder import RgbEncoder

Picture = NDArray[np.uint8]

SIZE = (320, 240)
SAMPLE_RATE = 48000
DRAWINGS_PER_SECOND = 12
GRAVITY, FLOOR = 1400.0, 300.0  # of the pencil's stage of 480 x 360 units
GROUNDS = {
    "white": (255, 255, 255),
    "black": (0, 0, 0),
    "grey": (128, 128, 128),
    "orange": (255, 150, 40),
    "blue": (30, 70, 200),
}


# Scenes from pictures and times.


def scene_of(
    name: str,
    seed: int,
    seconds: float,
    fps: float | Fraction,
    draw: DrawFrame,
    sounds: Iterable[TimedRecording] = (),
) -> Scene:
    """Return a scene that draws frames, and plays recordings at their times."""
    clock, frames = clock_and_frame_count(seconds, Fraction(fps), SAMPLE_RATE)
    end = float(frames / clock.fps)
    track = RecordingTrack((sound for sound in sounds if sound.seconds < end), clock)

    def synthesise(start: int, stop: int) -> NDArray[np.float32]:
        return soft_clip(track.mix(start, stop), 0.69).astype(np.float32)

    return Scene(
        name,
        seed,
        clock,
        SIZE,
        frames,
        draw,
        synthesise,
        track.onset_frames,
        (None,) * frames,
        track.onset_seconds,
    )


def write_animation(
    scene: Scene, path: Path, *, with_audio: bool = False, shown: Sequence[int] | None = None
) -> Path:
    """Write a scene as H.264 without loss of brightness, and its truth as JSON; return the path.

    Parameters
    ----------
    shown : sequence of int, optional
        Frames to write, ascending from 0; each stands until the next, so the rate is variable.
    """
    codec = audio_codec_for(path)
    with av.open(str(path), "w") as target:
        options = {"crf": "0", "preset": "veryfast"}
        video = RgbEncoder(
            target, "libx264", scene.size, scene.clock.fps, options, pixel_format="yuv420p"
        )
        audio = AudioEncoder(target, codec, SAMPLE_RATE, 1) if with_audio else None
        for frame in range(scene.frame_count) if shown is None else shown:
            target.mux(video.encode(scene.draw(frame), frame))
        if audio is not None:
            for piece in scene.slices():
                audio.write(piece)
        target.mux(video.flush())
        if audio is not None:
            audio.close()
    truth_path(path).write_text(scene.truth.to_json() + "\n")
    return path


# The pencil.


@dataclass(frozen=True)
class Hops:
    """A thing that hops from the floor to the floor, between times of drawings."""

    arcs: tuple[tuple[float, float], ...]  # start and landing
    places: tuple[float, ...]  # before the first arc, and after each

    def position(self, seconds: float) -> tuple[float, float]:
        """Return the horizontal position and the height above the floor, in stage units."""
        number = bisect_right(self.arcs, seconds, key=lambda arc: arc[0]) - 1
        if number < 0:
            return self.places[0], 0.0
        start, stop = self.arcs[number]
        part = min(1.0, (seconds - start) / (stop - start))
        here, there = self.places[number], self.places[number + 1]
        height = GRAVITY / 2 * max(0.0, (seconds - start) * (stop - seconds))
        return here + (there - here) * part, height


def _hops(rng: np.random.Generator, end: float, left: float, right: float, springs: bool) -> Hops:
    """Return bounces that become lower until a rest, or single hops of a figure."""
    arcs: list[tuple[float, float]] = []
    places = [float(rng.uniform(left, right))]
    at = int(rng.integers(4, 10))
    while at < end * DRAWINGS_PER_SECOND:
        length = int(rng.integers(9, 14)) if springs else int(rng.integers(5, 10))
        spring = float(rng.uniform(0.68, 0.8))
        while length >= 2:
            arcs.append((at / DRAWINGS_PER_SECOND, (at + length) / DRAWINGS_PER_SECOND))
            away = float(rng.uniform(-60, 60)) * length / 10
            places.append(float(np.clip(places[-1] + away, left, right)))
            at, length = at + length, min(length - 1, round(length * spring)) if springs else 0
        at += int(rng.integers(3, 12))
    return Hops(tuple(arcs), tuple(places))


def _thuds(hops: Hops, thud: NDArray[np.float64]) -> list[TimedRecording]:
    """Return the sounds of the landings, louder after higher hops."""
    return [TimedRecording(stop, thud, 0.6 * min(1, stop - start)) for start, stop in hops.arcs]


def _stroke(
    canvas: Canvas,
    picture: Picture,
    points: NDArray[np.floating],
    boil: np.random.Generator,
    grey: int = 40,
) -> None:
    """Draw a pencil line through points in stage units; it differs a little in each drawing."""
    shaken = points + boil.normal(0, 0.7, points.shape)
    fixed = np.rint((shaken * canvas.scale - 0.5) * 32).astype(np.int32)
    shade = int(np.clip(grey + boil.normal(0, 8), 0, 120))
    width = max(1, round(2.2 * float(canvas.scale.mean())))
    cv2.polylines(picture, [fixed], False, (shade, shade, shade), width, cv2.LINE_AA, 5)


def _circle(x: float, y: float, radius: float) -> NDArray[np.float64]:
    turn = np.linspace(0, 2.06 * np.pi, 24)
    return np.stack([x + radius * np.cos(turn), y + radius * np.sin(turn)], axis=1)


def _draw_ball(
    canvas: Canvas, picture: Picture, x: float, y: float, radius: float, boil: np.random.Generator
) -> None:
    _stroke(canvas, picture, _circle(x, y, radius), boil)
    for part in (-0.3, 0.1, 0.5):  # hatching
        half = radius * np.sqrt(1 - part**2) * 0.8
        line = np.array([[x + part * radius, y - half], [x + part * radius + 4, y + half]])
        _stroke(canvas, picture, line, boil, 90)


def _draw_figure(
    canvas: Canvas, picture: Picture, x: float, feet: float, air: float, boil: np.random.Generator
) -> None:
    """Draw a figure of lines; in the air its arms go up and its legs apart."""
    hip, neck = feet - 42, feet - 82
    spread = 10 + 12 * air
    _stroke(canvas, picture, _circle(x, neck - 14, 13), boil)
    _stroke(canvas, picture, np.array([[x, neck], [x + 1, hip]]), boil)
    for side in (-1, 1):
        leg = np.array([[x, hip], [x + side * spread * 0.7, hip + 20], [x + side * spread, feet]])
        hand = [x + side * 30, neck + 26 - 46 * air]
        _stroke(canvas, picture, leg, boil)
        _stroke(canvas, picture, np.array([[x, neck + 8], [x + side * 18, neck + 16], hand]), boil)


def _paper(canvas: Canvas, boil: np.random.Generator) -> Picture:
    picture = canvas.blank()
    picture[:] = 255
    across = np.linspace(8, 472, 30)
    _stroke(canvas, picture, np.stack([across, np.full(30, FLOOR)], axis=1), boil)
    return picture


def pencil(seed: int = 0, seconds: float = 30, fps: float | Fraction = 24) -> Scene:
    """Return line drawings on white, 12 a second: a ball that bounces, a figure that hops."""
    rng = np.random.default_rng((seed, 20))
    ball, figure = _hops(rng, seconds, 60, 200, True), _hops(rng, seconds, 300, 430, False)
    canvas = Canvas(SIZE)
    thuds = _thuds(ball, strike("rubber", 0.9, 1, SAMPLE_RATE))
    thuds += _thuds(figure, strike("wood", 1.5, 2, SAMPLE_RATE))

    def draw(frame: int) -> Picture:
        drawing = frame * DRAWINGS_PER_SECOND // Fraction(fps)
        boil = np.random.default_rng((seed, 21, drawing))
        picture = _paper(canvas, boil)
        x, height = ball.position(drawing / DRAWINGS_PER_SECOND)
        _draw_ball(canvas, picture, x, FLOOR - 26 - height, 26, boil)
        x, height = figure.position(drawing / DRAWINGS_PER_SECOND)
        _draw_figure(canvas, picture, x, FLOOR - height, min(1, height / 60), boil)
        return canvas.finish(picture)

    return scene_of("pencil", seed, seconds, fps, draw, thuds)


def pencil_balls(seed: int = 0, seconds: float = 60, fps: float | Fraction = 24) -> Scene:
    """Return one or two balls drawn with a pencil on white, 12 drawings a second, and thuds."""
    rng = np.random.default_rng((seed, 22))
    count = int(rng.integers(1, 3))
    edges = np.linspace(30, 450, count + 1)
    radii = rng.uniform(16, 36, count)
    balls = [
        _hops(rng, seconds, edges[n] + radii[n], edges[n + 1] - radii[n], True)
        for n in range(count)
    ]
    thuds = [
        thud
        for ball, radius in zip(balls, radii, strict=True)
        for thud in _thuds(ball, strike("wood", radius / 20, 3, SAMPLE_RATE))
    ]
    canvas = Canvas(SIZE)

    def draw(frame: int) -> Picture:
        drawing = frame * DRAWINGS_PER_SECOND // Fraction(fps)
        boil = np.random.default_rng((seed, 23, drawing))
        picture = _paper(canvas, boil)
        for ball, radius in zip(balls, radii, strict=True):
            x, height = ball.position(drawing / DRAWINGS_PER_SECOND)
            _draw_ball(canvas, picture, x, FLOOR - radius - height, float(radius), boil)
        return canvas.finish(picture)

    return scene_of("pencil-balls", seed, seconds, fps, draw, thuds)


# Light alone.


def _plain(grey: int) -> Picture:
    return np.full((SIZE[1], SIZE[0], 3), grey, np.uint8)


def strobe(seed: int = 0, seconds: float = 30, fps: float | Fraction = 24) -> Scene:
    """Return black and white in turn, at about 4 or 8 Hz, with pauses; a click with each white."""
    rng = np.random.default_rng((seed, 24))
    rate, frames = float(fps), round(seconds * float(fps))
    white = np.zeros(frames + 1, bool)
    at = round(0.5 * rate)
    while at < frames:
        period = round(rate / float(rng.choice([4, 8])))
        stop = at + round(float(rng.uniform(1, 3)) * rate)
        for start in range(at, stop, period):
            white[start : start + max(1, period // 2)] = True
        at = stop + round(float(rng.uniform(0.5, 1.5)) * rate)
    starts = np.flatnonzero(white[1:] & ~white[:-1]) + 1
    click = strike("wood", 0.5, 4, SAMPLE_RATE)
    sounds = [TimedRecording(float(start / rate), click, 0.4) for start in starts]
    return scene_of(
        "strobe", seed, seconds, fps, lambda frame: _plain(255 * int(white[frame])), sounds
    )


def white_frame_click(seed: int = 0, seconds: float = 30, fps: float | Fraction = 30) -> Scene:
    """Return black with single white frames 0.4 to 1.5 s apart, each with a click."""
    rng = np.random.default_rng((seed, 25))
    times = np.cumsum(rng.uniform(0.4, 1.5, int(seconds / 0.4) + 1))
    white = {int(time * float(fps)) for time in times}
    click = strike("stone", 0.8, 5, SAMPLE_RATE)
    sounds = [TimedRecording(float(frame / Fraction(fps)), click, 0.5) for frame in sorted(white)]
    return scene_of(
        "white-frame-click", seed, seconds, fps, lambda f: _plain(255 * (f in white)), sounds
    )


def fade(seed: int = 0, seconds: float = 30, fps: float | Fraction = 24) -> Scene:
    """Return shapes that fade in and out slowly, of black and of white in turn; no onsets."""
    rng = np.random.default_rng((seed, 26))
    shapes = rng.uniform(0, 1, (int(seconds / 3) + 1, 5))
    canvas = Canvas(SIZE)

    def draw(frame: int) -> Picture:
        at = frame / float(fps) / 3
        number = int(at)
        x, y, wide, high, hue = shapes[number]
        strength = float(np.sin(np.pi * (at - number)) ** 2)
        picture = canvas.blank()
        colour = 255 * strength * np.array([1, 0.6 + 0.4 * hue, 1 - 0.5 * hue])
        where, radii = (80 + 320 * x, 80 + 200 * y), (30 + 90 * wide, 30 + 70 * high)
        canvas.ellipse(picture, where, radii, (colour[0], colour[1], colour[2]))
        black = int(seconds / 6) * 3 > frame / float(fps)
        return canvas.finish(picture) if black else 255 - canvas.finish(picture)

    return scene_of("fade", seed, seconds, fps, draw)


# Things that stand.

WORDS = [
    "THE END",
    "A FILM",
    "MEANWHILE",
    "PART TWO",
    "AT NIGHT",
    "LATER",
    "THE SEA",
    "MORNING",
    "ONCE",
    "SILENCE",
]


def title_cards(seed: int = 0, seconds: float = 30, fps: float | Fraction = 24) -> Scene:
    """Return cards of text that stand 2 to 4 s, with cuts between them; no onsets."""
    rng = np.random.default_rng((seed, 27))
    starts = np.concatenate([[0.0], np.cumsum(rng.uniform(2, 4, int(seconds / 2) + 1))])
    cards = [_card(str(rng.choice(WORDS)), bool(rng.random() < 0.3)) for _ in starts]

    def draw(frame: int) -> Picture:
        return cards[int(np.searchsorted(starts, frame / float(fps), side="right")) - 1].copy()

    return scene_of("title-cards", seed, seconds, fps, draw)


def _card(text: str, dark_on_light: bool) -> Picture:
    """Return a card with a text in its middle and a frame."""
    picture = _plain(12)
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_COMPLEX, 1.1, 2)
    where = ((SIZE[0] - width) // 2, (SIZE[1] + height) // 2)
    cv2.putText(picture, text, where, cv2.FONT_HERSHEY_COMPLEX, 1.1, (235,) * 3, 2, cv2.LINE_AA)
    cv2.rectangle(picture, (16, 16), (SIZE[0] - 17, SIZE[1] - 17), (150,) * 3, 2, cv2.LINE_AA)
    return 255 - picture if dark_on_light else picture


def _busy(seed: int) -> Picture:
    """Return a picture of many shapes of all greys and colours."""
    rng = np.random.default_rng((seed, 28))
    picture = _plain(110)
    for _ in range(160):
        centre = int(rng.integers(0, SIZE[0])), int(rng.integers(0, SIZE[1]))
        axes = int(rng.integers(3, 34)), int(rng.integers(3, 34))
        colour = tuple(int(value) for value in rng.integers(30, 200, 3))
        cv2.ellipse(picture, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1, 16)
    grain = rng.normal(0, 9, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def tiny_dot(seed: int = 0, seconds: float = 30, fps: float | Fraction = 24) -> Scene:
    """Return a tiny white dot that moves on a busy ground, and ticks where it meets an edge."""
    rng = np.random.default_rng((seed, 29))
    ground = _busy(seed)
    span = np.array(SIZE) - 12.0
    speed, start = rng.uniform(90, 170, 2), rng.uniform(0, 1, 2) * span
    tick = strike("metal", 0.6, 6, SAMPLE_RATE)
    times = sorted(
        (edge * span[axis] - start[axis]) / speed[axis]
        for axis in (0, 1)
        for edge in range(1, int((start[axis] + speed[axis] * seconds) / span[axis]) + 1)
    )
    canvas = Canvas(SIZE)

    def draw(frame: int) -> Picture:
        way = (start + speed * frame / float(fps)) % (2 * span)
        x, y = (6 + np.minimum(way, 2 * span - way)) * np.array(STAGE_SIZE) / SIZE
        picture = ground.copy()
        canvas.ellipse(picture, (float(x), float(y)), (4.5, 4.5), (255, 255, 255))
        return picture

    return scene_of(
        "tiny-dot", seed, seconds, fps, draw, [TimedRecording(t, tick, 0.4) for t in times]
    )


def still(seed: int = 0, seconds: float = 10, fps: float | Fraction = 24) -> Scene:
    """Return a busy picture that stands."""
    ground = _busy(seed)
    return scene_of("still", seed, seconds, fps, lambda frame: ground.copy())


def cuts(seed: int = 0, seconds: float = 20, fps: float | Fraction = 24) -> Scene:
    """Return busy pictures that stand about a second, with cuts between them; no onsets."""
    rng = np.random.default_rng((seed, 30))
    times = np.cumsum(rng.uniform(0.6, 1.8, int(seconds / 0.6) + 1))
    pictures = [_busy(seed + 1000 + number) for number in range(8)]

    def draw(frame: int) -> Picture:
        return pictures[int(np.searchsorted(times, frame / float(fps), side="right")) % 8].copy()

    return scene_of("cuts", seed, seconds, fps, draw)


# Many scenes, and variants of one.


def joined(name: str, seed: int, scenes: Sequence[Scene]) -> Scene:
    """Return scenes of one clock and size after each other; their onsets are those of all."""
    first = scenes[0]
    ends = np.cumsum([scene.frame_count for scene in scenes])
    begins = [0, *ends[:-1].tolist()]

    def draw(frame: int) -> Picture:
        number = int(np.searchsorted(ends, frame, side="right"))
        return scenes[number].draw(frame - begins[number])

    def synthesise(start: int, stop: int) -> NDArray[np.float32]:
        whole = np.zeros(max(0, stop - start), np.float32)
        for scene, begin in zip(scenes, begins, strict=True):
            offset = first.clock.start_sample(begin)
            low, high = max(start, offset), min(stop, offset + scene.sample_count)
            if low < high:
                whole[low - start : high - start] = scene.synthesise(low - offset, high - offset)
        return whole

    pairs = list(zip(scenes, begins, strict=True))
    return replace(
        first,
        name=name,
        seed=seed,
        frame_count=int(ends[-1]),
        draw=draw,
        synthesise=synthesise,
        onsets=tuple(frame + begin for scene, begin in pairs for frame in scene.onsets),
        pitch_hz=(None,) * int(ends[-1]),
        onset_seconds=tuple(
            time + float(begin / first.clock.fps)
            for scene, begin in pairs
            for time in scene.truth.onsets
        ),
    )


def three_minutes(seed: int = 0, seconds: float = 180, fps: float | Fraction = 24) -> Scene:
    """Return twelve scenes of equal length after each other: demo films and the others here."""
    long, rate = seconds / 12, Fraction(fps)

    def demo(name: str, number: int) -> Scene:
        return load_scene(name, seconds=long, fps=rate, seed=seed + number, size=SIZE)

    parts = [
        title_cards(seed, long, fps),
        demo("balls", 101),
        pencil(seed, long, fps),
        demo("machine", 102),
        fade(seed, long, fps),
        demo("steps", 103),
        strobe(seed, long, fps),
        demo("lines", 104),
        tiny_dot(seed, long, fps),
        demo("breeze", 105),
        on_ground(demo("bounce", 106), "white"),
        cuts(seed, long, fps),
    ]
    return joined("three-minutes", seed, parts)


def on_ground(scene: Scene, ground: str, inverted: bool = False) -> Scene:
    """Return a scene drawn on black on another ground of `GROUNDS`, as it is or as a negative.

    Light moves the picture from a dark ground towards white and from a bright one towards black,
    so that figures keep their contrast as far as possible.
    """
    colour = np.array(GROUNDS[ground], np.float32)
    room = 255 - colour if colour.mean() <= 128 else -colour

    def draw(frame: int) -> Picture:
        drawn = colour + scene.draw(frame).astype(np.float32) / 255 * room
        picture = np.rint(drawn).astype(np.uint8)
        return 255 - picture if inverted else picture

    name = f"{scene.name}-on-{ground}{'-inverted' if inverted else ''}"
    return replace(scene, name=name, draw=draw)


def hand_held(scene: Scene, seed: int = 0, reach: float = 5.0) -> Scene:
    """Return a scene as a shaking hand films it: moved by up to about ``reach`` pixels."""
    rng = np.random.default_rng((seed, 31))
    hertz, phase = rng.uniform(0.4, 4.0, (2, 4)), rng.uniform(0, 2 * np.pi, (2, 4))

    def draw(frame: int) -> Picture:
        turns = 2 * np.pi * hertz * frame / float(scene.clock.fps) + phase
        move = reach * np.sin(turns).mean(axis=1) * 1.4
        matrix = np.array([[1, 0, move[0]], [0, 1, move[1]]], np.float32)
        drawn = scene.draw(frame)
        shaken = cv2.warpAffine(drawn, matrix, scene.size, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(shaken, np.uint8)

    return replace(scene, name=f"{scene.name}-hand-held", draw=draw)


def flashing(scene: Scene, seed: int = 0) -> Scene:
    """Return a scene with single white frames 1 to 3 s apart, which make no sound."""
    rng = np.random.default_rng((seed, 32))
    seconds = float(scene.frame_count / scene.clock.fps)
    times = np.cumsum(rng.uniform(1, 3, int(seconds) + 1))
    white = {int(time * float(scene.clock.fps)) for time in times}

    def draw(frame: int) -> Picture:
        picture = scene.draw(frame)
        return np.full_like(picture, 255) if frame in white else picture

    return replace(scene, name=f"{scene.name}-flashing", draw=draw)


def irregular_frames(scene: Scene, seed: int = 0, longest: int = 8) -> list[int]:
    """Return frames of a scene at irregular steps of 1 to ``longest``, for `write_animation`."""
    rng = np.random.default_rng((seed, 33))
    steps = rng.integers(1, longest + 1, scene.frame_count)
    frames = np.concatenate([[0], np.cumsum(steps)])
    return [int(frame) for frame in frames if frame < scene.frame_count]


def balls(
    seed: int = 0, seconds: float = 30, fps: float | Fraction = 30, ground: str = "dark"
) -> Scene:
    """Return the demo film of balls in the size of the others, at any frame rate."""
    return load_scene(
        "balls", seconds=seconds, fps=Fraction(fps), seed=seed, size=SIZE, ground=ground
    )


DRAWN: dict[str, Callable[..., Scene]] = {
    "pencil": pencil,
    "strobe": strobe,
    "fade": fade,
    "title-cards": title_cards,
    "tiny-dot": tiny_dot,
    "three-minutes": three_minutes,
}
