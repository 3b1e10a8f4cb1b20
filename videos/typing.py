"""Typing: keys light up when they are struck, and each has its own click.

The light of a key fades within 0.3 s. Its click, tuned along a scale from the bottom row to the
top, lasts 0.25 s and does not depend on the seed, which only changes what is typed. A strike
starts exactly with a frame, two keys are never struck in the same frame, and a key is not struck
again before it is dark. So the picture determines the sound: which keys sound, and for how long.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.canvas import STAGE_SIZE, Canvas, Colour, tint
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

ROWS = ("qwertyuiop", "asdfghjkl;", "zxcvbnm,.-", " ")
KEYS = "".join(ROWS)
LIT_SECONDS = Fraction(3, 10)
CLICK_SECONDS = 0.25
BEAT_SECONDS = 1 / 6
TONES = Scale.equal(12, tonic_hz=note_to_hz("G3"), degrees=(0, 2, 3, 5, 7, 9, 10))
TEXT = (
    "quartz jukebox vex why lynx fjord zephyr waltz quick brown fox jumps over the lazy dog "
    "pack my box with five dozen jugs frame sound film light shadow quiet voice grain picture "
    "blind screen tune rhythm echo kazoo oxide vinyl jog quiz axis fuse black white hydra zinc "
    "vapour quaver glyph judo exit view maze pixel haze hum loud soft wave song burst cry "
    "kept mix verb bake gaze crow dusk jib chord"
)
WORDS = tuple(TEXT.split())


@dataclass(frozen=True)
class Strike:
    """A key that is struck, and the range of frames in which it is lit."""

    start: int
    stop: int
    key: int


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
) -> Scene:
    """Return a film of typing."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    typed = Timeline(_strikes(frames, clock.fps, seed), clock)
    clicks = [_click(key, sample_rate) for key in range(len(KEYS))]
    board = _Board(size)

    def draw(frame: int) -> NDArray[np.uint8]:
        lit = {
            s.key: float((frame - s.start) / clock.fps / LIT_SECONDS)
            for s in typed.events_at(frame)
        }
        return board.picture(lit)

    def synthesise_strike(strike: Strike, age: NDArray[np.int64]) -> NDArray[np.floating]:
        return recording_samples(clicks[strike.key], age)

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        return soft_clip(typed.mix(start, stop, synthesise_strike), 0.69).astype(np.float32)

    def stereo(start: int, stop: int) -> NDArray[np.float32]:
        return soft_clip_stereo(typed.mix_stereo(start, stop, synthesise_strike, _strike_x), 0.69)

    pitches = typed.pitches_hz(frames, lambda strike: _hertz(strike.key))
    return Scene(
        "typing",
        seed,
        clock,
        size,
        frames,
        draw,
        sound,
        typed.onsets,
        pitches,
        synthesise_stereo=stereo,
    )


def _strike_x(strike: Strike) -> float:
    """Return the horizontal middle of the struck key."""
    left, _, right, _ = _place(strike.key)
    return (left + right) / 2


def _strikes(frames: int, fps: Fraction, seed: int) -> list[Strike]:
    """Return random words in rhythm: one beat per letter, two after a word, then a rest."""
    rng = np.random.default_rng((seed, 1))
    lit = math.ceil(LIT_SECONDS * fps)
    at = 0.5
    strikes: list[Strike] = []
    dark_again = dict.fromkeys(range(len(KEYS)), 0)
    counts = np.zeros(len(KEYS))
    while True:
        text, rest = _phrase(rng, counts)
        for letter in text:
            key = KEYS.index(letter)
            earliest = max(dark_again[key], strikes[-1].start + 1 if strikes else 0)
            start = max(round(at * float(fps)), earliest)
            if start + lit > frames:
                return strikes
            strikes.append(Strike(start, start + lit, key))
            dark_again[key] = start + lit + 1
            beats = (2 if letter == " " else 1) + (rng.random() < 0.12)
            at = start / float(fps) + BEAT_SECONDS * beats
        at += BEAT_SECONDS * rest


def _phrase(rng: np.random.Generator, counts: NDArray[np.float64]) -> tuple[str, int]:
    """Return random words with a punctuation mark, and the number of beats to rest after them.

    Words whose letters were struck least are preferred, so that a minute has every key.
    """
    words = []
    for _ in range(rng.integers(2, 5)):
        choice = rng.choice(WORDS, 8, replace=False)
        words.append(
            str(min(choice, key=lambda word: np.mean([counts[KEYS.index(c)] for c in word])))
        )
        for letter in words[-1]:
            counts[KEYS.index(letter)] += 1
    marks = [KEYS.index(mark) for mark in ";,.-"]
    mark = min(marks, key=lambda key: counts[key] + rng.random())
    counts[mark] += 1
    return " ".join(words) + KEYS[mark], int(rng.integers(3, 7))


def _hertz(key: int) -> float:
    """Return the pitch of a key, which rises from left to right and from row to row."""
    if KEYS[key] == " ":
        return TONES.step_to_hz(-3)
    row, column = divmod(key, 10)
    return TONES.step_to_hz((2 - row) * 8 + column + (row == 0))


def _click(key: int, sample_rate: int) -> FloatArray:
    """Return the click of a key: a burst of noise and a short tone at the key's pitch."""
    hertz = _hertz(key)
    ring = modal_tone(
        [(hertz, 1.0, 0.06), (2.76 * hertz, 0.3, 0.025), (5.4 * hertz, 0.12, 0.012)],
        CLICK_SECONDS,
        sample_rate,
    )
    time = np.arange(len(ring)) / sample_rate
    snap = np.diff(white_noise(1000 + key, 0, len(ring) + 1)) * np.exp(-time / 0.0025)
    sound = (ring + 0.55 * snap) * smooth_step(time, 0.0003)
    click: FloatArray = 0.42 * sound / np.abs(sound).max()
    return click


class _Board:
    """The unlit keyboard, and the light mask of each key, drawn once."""

    def __init__(self, size: tuple[int, int]) -> None:
        canvas = Canvas(size)
        draw_idle = partial(_cap, canvas, fill=(4, 4, 5), edge=(18, 18, 21), letter=(20, 20, 23))
        idle = canvas.blank()
        for key in range(len(KEYS)):
            draw_idle(idle, key)
        self.idle = canvas.finish(idle)
        self.lights = [_light(canvas, key) for key in range(len(KEYS))]

    def picture(self, lit: dict[int, float]) -> NDArray[np.uint8]:
        """Return the keyboard with lit keys, each with its age from 0 (new) to 1 (dark).

        The light of a key dims, and also disappears from the top of the key to the bottom.
        """
        picture = self.idle.copy()
        for key, age in sorted(lit.items()):
            light = self.lights[key]
            colour = np.array(tint(0.13 - 0.1 * age, 235 * (1 - 0.6 * age), 0.75))
            full = 0.2 + 0.8 * np.clip((light.down - age) / 0.1 + 0.5, 0, 1)
            shine = light.mask * full[:, None, None] * colour.astype(np.float32) + np.float32(0.5)
            there = picture[light.rows, light.columns]
            np.maximum(there, shine.astype(np.uint8), out=there)
        return picture


@dataclass(frozen=True)
class _Light:
    """The light of a key: its region, its mask, and the height of each row on the key."""

    rows: slice
    columns: slice
    mask: NDArray[np.float32]  # rows, columns, 1; from 0 to 1
    down: NDArray[np.float32]  # rows; 0 is the top of the cap, 1 the bottom


def _light(canvas: Canvas, key: int) -> _Light:
    """Return the light of a key."""
    picture = canvas.blank()
    _cap(canvas, picture, key, fill=(255,) * 3, edge=(255,) * 3, letter=(70,) * 3)
    light = canvas.finish(picture, glow=0.3, glow_radius=7)[:, :, 0]
    rows, columns = np.flatnonzero(light.any(axis=1)), np.flatnonzero(light.any(axis=0))
    where = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    _, top, _, bottom = (edge * canvas.size[1] / STAGE_SIZE[1] for edge in _place(key))
    down = ((rows + 0.5 - top) / (bottom - top)).astype(np.float32)
    return _Light(*where, light[where][:, :, None].astype(np.float32) / np.float32(255), down)


def _cap(
    canvas: Canvas, picture: NDArray[np.uint8], key: int, fill: Colour, edge: Colour, letter: Colour
) -> None:
    """Draw a key cap with its outline and its letter."""
    left, top, right, bottom = _place(key)
    canvas.polygon(picture, _rounded(left, top, right, bottom, 8), edge)
    canvas.polygon(picture, _rounded(left + 1.5, top + 1.5, right - 1.5, bottom - 1.5, 7), fill)
    across, down = canvas.scale
    face = KEYS[key].upper()
    height = 0.7 * down
    (width, rise_), _ = cv2.getTextSize(face, cv2.FONT_HERSHEY_SIMPLEX, height, 1)
    where = (left + right) / 2 * across - width / 2, (top + bottom) / 2 * down + rise_ / 2
    corner = round(where[0]), round(where[1])
    thickness = max(1, round(1.3 * down))
    cv2.putText(
        picture, face, corner, cv2.FONT_HERSHEY_SIMPLEX, height, letter, thickness, cv2.LINE_AA
    )


def _place(key: int) -> tuple[float, float, float, float]:
    """Return the left, top, right and bottom of a key cap on the stage."""
    if KEYS[key] == " ":
        return 120, 276, 360, 342
    row, column = divmod(key, 10)
    left, top = 4 + 12 * row + 44.8 * column, 18 + 86 * row
    return left, top, left + 41, top + 70


def _rounded(
    left: float, top: float, right: float, bottom: float, radius: float
) -> NDArray[np.float64]:
    """Return the outline of a rectangle with round corners."""
    turn = np.linspace(0, np.pi / 2, 7)
    arc = radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    inner = [
        (right - radius, bottom - radius, 1, 1),
        (left + radius, bottom - radius, -1, 1),
        (left + radius, top + radius, -1, -1),
        (right - radius, top + radius, 1, -1),
    ]
    corners = []
    for index, (x, y, to_x, to_y) in enumerate(inner):
        corner = np.array([x, y]) + arc * (to_x, to_y)
        corners.append(corner[::-1] if index % 2 else corner)
    return np.concatenate(corners)
