"""Eclipse: two discs wander, and a tone sounds as loud as one covers the other.

The height at which they meet is the pitch. Apart, they are silent, however bright or near: only
their overlap sounds. The picture varies smoothly, and the sound follows it without delay.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.canvas import Canvas, tint
from frame2sound.film.drawing.scene import Scene, clock_and_frame_count
from frame2sound.film.drawing.synthesis import FloatArray, read_wavetable, wavetable
from frame2sound.sound.scale import note_to_hz

RADII = (62.0, 46.0)
LOW_HZ, HIGH_HZ = note_to_hz("A3"), note_to_hz("A5")
VOICE = wavetable([1, 0.3, 0.25, 0.1, 0.12, 0.04])
LOUDEST = 0.42
FAINTEST = 0.004


def scene(
    seconds: float = 20,
    fps: Fraction = Fraction(30),
    seed: int = 0,
    size: tuple[int, int] = (480, 360),
    sample_rate: int = 48000,
) -> Scene:
    """Return a film of two discs."""
    clock, frames = clock_and_frame_count(seconds, fps, sample_rate)
    times = np.arange(frames + 1) / float(clock.fps)
    rng = np.random.default_rng((seed, 28))
    centres = np.stack([_path(times, 0.30, rng), _path(times, 0.43, rng)])
    distance = np.linalg.norm(centres[0] - centres[1], axis=1)
    gain = overlap(distance) ** 0.7
    gain[gain < FAINTEST] = 0
    height = np.clip((300 - centres[:, :, 1].mean(axis=0)) / 240, 0, 1)
    hertz = LOW_HZ * (HIGH_HZ / LOW_HZ) ** height
    bounds = clock.sample_bounds(frames)
    cycles = np.concatenate(
        [[0.0], np.cumsum((hertz[1:] + hertz[:-1]) / 2 * np.diff(bounds) / sample_rate)]
    )
    canvas = Canvas(size)

    def draw(frame: int) -> NDArray[np.uint8]:
        layers = []
        for disc, (hue, grey) in enumerate(((0.6, 90.0), (0.08, 110.0))):
            layer = canvas.blank()
            middle = centres[disc, frame : frame + 2].mean(axis=0)
            centre, radius = (float(middle[0]), float(middle[1])), RADII[disc]
            canvas.ellipse(layer, centre, (radius, radius), tint(hue, grey, 0.5))
            layers.append(layer.astype(np.uint16))
        return canvas.finish(np.minimum(layers[0] + layers[1], 255).astype(np.uint8))

    def sound(start: int, stop: int) -> NDArray[np.float32]:
        sample = np.arange(start, stop)
        level = np.interp(sample, bounds, gain)
        phase = np.interp(sample, bounds, cycles)
        return (LOUDEST * level * read_wavetable(VOICE, phase)).astype(np.float32)

    mean_gain = (gain[1:] + gain[:-1]) / 2
    shown = mean_gain > 0
    onsets = np.flatnonzero(shown & ~np.concatenate([[False], shown[:-1]]))
    mean_hertz = (hertz[1:] + hertz[:-1]) / 2
    pitches = tuple(float(hz) if on else None for hz, on in zip(mean_hertz, shown, strict=True))
    return Scene("eclipse", seed, clock, size, frames, draw, sound, tuple(onsets.tolist()), pitches)


def overlap(distance: FloatArray) -> FloatArray:
    """Return which share of the smaller disc is covered at distances of the centres, 0 to 1."""
    large, small = RADII
    apart = np.clip(distance, large - small + 1e-9, large + small - 1e-9)
    to_large = (apart**2 + large**2 - small**2) / (2 * apart)
    to_small = apart - to_large
    area = large**2 * np.arccos(to_large / large) + small**2 * np.arccos(to_small / small)
    area -= apart * np.sqrt(np.maximum(large**2 - to_large**2, 0))
    share = area / (np.pi * small**2)
    covered: FloatArray = np.where(
        distance >= large + small, 0.0, np.where(distance <= large - small, 1.0, share)
    )
    return covered


def _path(times: FloatArray, hertz: float, rng: np.random.Generator) -> FloatArray:
    """Return a smooth random way on the stage, ``(n, 2)``: a sum of four slow waves each way."""
    way = np.zeros((len(times), 2))
    for axis in range(2):
        for number in range(4):
            speed = hertz * (0.5 + 0.45 * number) * float(rng.uniform(0.85, 1.15))
            way[:, axis] += np.sin(2 * np.pi * (speed * times + rng.uniform())) / (1 + 0.5 * number)
    return np.array([240.0, 180.0]) + way * np.array([95.0, 62.0])
