"""Scratch: vertical scratches on black film, each a band of noise.

The width of a scratch is its loudness; its horizontal position is its place in the spectrum, from
120 Hz at the left to 10 kHz at the right. Between scratches the film is black and silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.canvas import Canvas, tint
from frame2sound.film.drawing.scene import Scene, clock_and_frame_count
from frame2sound.film.drawing.stereo import place_gains, soft_clip_stereo
from frame2sound.film.drawing.synthesis import FloatArray, band_noise, smooth_step, soft_clip
from frame2sound.film.drawing.timeline import Timeline

BANDS = 16
LOW_HZ, HIGH_HZ = 120.0, 10000.0
WIDEST = 20.0  # stage units
LOUDEST = 0.14  # RMS of the widest scratch
EDGE_SECONDS = 0.003
DOWN = np.linspace(0, 1, 41)


@dataclass(frozen=True)
class Scratch:
    """A scratch in a range of frames, around a position, with a mean width."""

    start: int
    stop: int
    number: int
    place: float  # 0 is left, 1 is right
    drift: float  # total change of its position
    width: float  # 0 to 1


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
) -> Scene:
    """Return a film of scratches."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    scratches = Timeline(_scratches(frames, float(clock.fps), seed), clock)
    canvas = Canvas(size)
    edges = np.geomspace(LOW_HZ, HIGH_HZ, BANDS + 1)
    loops = np.stack(
        [
            band_noise(band, edges[band], edges[band + 1], 2**17, sample_rate)
            for band in range(BANDS)
        ]
    ).astype(np.float32)

    def draw(frame: int) -> NDArray[np.uint8]:
        picture = canvas.blank()
        for scratch in scratches.events_at(frame):
            _draw_scratch(canvas, picture, scratch, frame, seed)
        return canvas.finish(picture, glow=0.5, glow_radius=4)

    def gains(frame: int, side: int | None) -> FloatArray:
        """Return the gain of each band in a frame, ``(BANDS,)``, in mono or in a channel."""
        loud = np.zeros(BANDS)
        for scratch in scratches.events_at(frame) if 0 <= frame < frames else ():
            place, width = _mark(scratch, frame, seed)
            band = place * (BANDS - 1)
            low = min(int(band), BANDS - 2)
            pan = 1.0 if side is None else float(place_gains(480 * place)[side])
            loud[low] += pan * LOUDEST * width * np.sqrt(1 - (band - low))
            loud[low + 1] += pan * LOUDEST * width * np.sqrt(band - low)
        return loud

    def mix(start: int, stop: int, side: int | None = None) -> FloatArray:
        first = int(start * clock.fps / sample_rate) - 1
        last = int(stop * clock.fps / sample_rate) + 2
        loud = np.stack([gains(frame, side) for frame in range(first - 1, last + 1)])
        mixed = np.zeros(stop - start)
        bounds = clock.sample_bounds(last - first, first)
        for index in range(last - first):
            low, high = max(start, bounds[index]), min(stop, bounds[index + 1])
            active = np.flatnonzero(loud[index + 1])
            if low < high and len(active):
                sample = np.arange(low, high)
                entering = smooth_step((sample - bounds[index]) / sample_rate, EDGE_SECONDS)
                leaving = smooth_step((bounds[index + 1] - sample) / sample_rate, EDGE_SECONDS)
                here = loud[index + 1, active, None]
                before, after = (
                    np.minimum(loud[i, active, None], here) for i in (index, index + 2)
                )
                level = (before + (here - before) * entering) * (after + (here - after) * leaving)
                noise = loops[active[:, None], sample % loops.shape[1]]
                mixed[low - start : high - start] = (level / here * noise).sum(axis=0)
        return mixed

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        return soft_clip(mix(start, stop), 0.69).astype(np.float32)

    def stereo(start: int, stop: int) -> NDArray[np.float32]:
        return soft_clip_stereo(np.stack([mix(start, stop, side) for side in (0, 1)]), 0.69)

    silence = (None,) * frames
    return Scene(
        "scratch",
        seed,
        clock,
        size,
        frames,
        draw,
        sound,
        scratches.onsets,
        silence,
        synthesise_stereo=stereo,
    )


def _scratches(frames: int, fps: float, seed: int) -> list[Scratch]:
    """Return random scratches in bursts, with black between them."""
    rng = np.random.default_rng((seed, 5))
    scratches: list[Scratch] = []
    at = 0.5
    while at * fps < frames:
        burst = float(rng.uniform(0.8, 3.0))
        for number in range(rng.integers(2, 6)):
            late = float(rng.uniform(0, 0.6)) * burst if number else 0.0
            start = round((at + late) * fps)
            length = max(1, round(float(rng.choice([0.1, 0.25, 0.5, 0.9])) * burst * fps))
            stop = min(start + length, round((at + burst) * fps), frames)
            place, width = rng.uniform(0.04, 0.96), rng.beta(1.3, 1.6)
            drift = rng.normal(0, 0.09)
            if stop > start:
                scratches.append(
                    Scratch(start, stop, len(scratches), place, drift, 0.1 + 0.9 * width)
                )
        at += burst + float(rng.uniform(0.3, 0.8))
    return scratches


def _mark(scratch: Scratch, frame: int, seed: int) -> tuple[float, float]:
    """Return the position and the width of a scratch in a frame, both 0 to 1, with jitter."""
    rng = np.random.default_rng((seed, 6, scratch.number, frame))
    run = (frame - scratch.start) / (scratch.stop - scratch.start)
    place = scratch.place + scratch.drift * run + rng.normal(0, 0.004)
    width = scratch.width * (1 + 0.3 * np.sin(9 * run + scratch.number)) * rng.uniform(0.75, 1)
    return float(np.clip(place, 0.02, 0.98)), float(np.clip(width, 0.05, 1))


def _draw_scratch(
    canvas: Canvas, picture: NDArray[np.uint8], scratch: Scratch, frame: int, seed: int
) -> None:
    """Draw a scratch from top to bottom with ragged edges, amber with a white core if wide."""
    place, width = _mark(scratch, frame, seed)
    rng = np.random.default_rng((seed, 7, scratch.number, frame))
    ragged = 1 + 0.25 * rng.uniform(-1, 1, len(DOWN))
    wander = np.cumsum(rng.normal(0, 0.45, len(DOWN)))
    spine = np.stack([480 * place + wander - wander.mean(), -4 + 368 * DOWN], axis=1)
    widths = WIDEST * width * ragged / ragged.mean()
    canvas.ribbon(picture, spine, widths, tint(0.11 + 0.06 * np.sin(scratch.number), 190, 0.8))
    if width > 0.25:
        core = spine + np.array([0.12 * WIDEST * width, 0])
        canvas.ribbon(picture, core, 0.6 * widths, (250, 250, 238))
