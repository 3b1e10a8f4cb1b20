"""Bouncing balls as frames and sound in memory, without a film file."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene import Scene
from frame2sound.film.small_frames import luma


def balls(
    seconds: float, seed: int = 0, fps: int | Fraction = 30, sample_rate: int = 16000
) -> Scene:
    """Return a film of balls in the size of 128 x 96."""
    return load_scene(
        "balls",
        seconds=seconds,
        fps=Fraction(fps),
        seed=seed,
        size=(128, 96),
        sample_rate=sample_rate,
    )


def grey_frames(scene: Scene) -> NDArray[np.uint8]:
    """Return all frames, ``(n, 64, 64)``."""
    pictures = [scene.draw(frame) for frame in range(scene.frame_count)]
    small = [cv2.resize(each, (64, 64), interpolation=cv2.INTER_AREA) for each in pictures]
    return luma(np.stack(small))


def sound_of(scene: Scene) -> NDArray[np.float32]:
    """Return all samples."""
    return np.concatenate(list(scene.slices()))
