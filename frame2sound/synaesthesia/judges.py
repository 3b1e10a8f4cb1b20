"""Measures of waveforms and of outlines that no loss of the training uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.small_frames import GREY_WEIGHTS
from frame2sound.sound.loudness import LoudnessMeter
from frame2sound.synaesthesia.sound_windows import RATE
from frame2sound.synaesthesia.svg_reader import Outline

QUIETEST_LUFS = -70.0

STEP = RATE // 50
"""Samples of the steps over which movement is measured: 20 ms."""

FloatArray = NDArray[np.float64]


def judge_sounds(windows: NDArray[np.float32]) -> FloatArray:
    """Return loudness, brightness, noisiness and movement of waveforms, ``(n, 4)``.

    Loudness: integrated, in LUFS (ITU-R BS.1770). Brightness: the centroid of the power spectrum in
    Hz. Noisiness: the flatness of the power spectrum in dB. Movement: the mean change of the level
    in dB from one step of 20 ms to the next.
    """
    return np.array([_judge_sound(window) for window in windows]).reshape(-1, 4)


def judge_outlines(outlines: list[Outline]) -> FloatArray:
    """Return size, spikiness, darkness, thickness, height and side of outlines, ``(n, 6)``.

    Size: the area of the convex hull. Spikiness: the sum of the angles by which an outline turns,
    which is 2 pi for a convex one. Darkness: the luma of the ink. Thickness: the width. Height and
    side: of the middle of the bounding box.
    """
    return np.array([_judge_outline(outline) for outline in outlines]).reshape(-1, 6)


def _judge_sound(window: NDArray[np.float32]) -> list[float]:
    meter = LoudnessMeter(RATE)
    meter.update(window)
    power = np.abs(np.fft.rfft(window.astype(np.float64))) ** 2 + 1e-12
    hertz = np.arange(len(power)) * (RATE / len(window))
    steps = window[: len(window) // STEP * STEP].reshape(-1, STEP).astype(np.float64)
    levels = 10 * np.log10(np.maximum((steps**2).mean(axis=1), 1e-8))
    return [
        max(meter.integrated_lufs, QUIETEST_LUFS),
        float((power * hertz).sum() / power.sum()),
        float(10 * np.log10(np.exp(np.log(power).mean()) / power.mean())),
        float(np.abs(np.diff(levels)).mean()),
    ]


def _judge_outline(outline: Outline) -> list[float]:
    low, high = outline.points.min(axis=0), outline.points.max(axis=0)
    return [
        hull_area(outline.points),
        total_turning(outline.points),
        float(outline.ink @ np.array(GREY_WEIGHTS, np.float32)),
        outline.width,
        1 - float(low[1] + high[1]) / 2,
        float(low[0] + high[0]) / 2,
    ]


def hull_area(points: FloatArray) -> float:
    """Return the area of the convex hull of points, as a share of the page; 0 of a line."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        return float(ConvexHull(points).volume)
    except (QhullError, ValueError):
        return 0.0


def total_turning(points: FloatArray) -> float:
    """Return the sum of the angles by which a closed outline turns, in radians."""
    sides = np.roll(points, -1, axis=0) - points
    sides = sides[np.linalg.norm(sides, axis=1) > 1e-9]
    angles = np.arctan2(sides[:, 1], sides[:, 0])
    turns = np.roll(angles, -1) - angles
    return float(np.abs((turns + np.pi) % (2 * np.pi) - np.pi).sum())
