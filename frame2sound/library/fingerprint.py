"""Fingerprints of a film's pictures, to find copies that were encoded differently."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.small_frames import luma
from frame2sound.library.store import PickledFilm

SAMPLED_FRAMES = 16
"""Frames in a fingerprint, evenly spread over the film's duration."""

SAMPLE_OFFSET = 0.487
"""Position of each frame in its sixteenth of the film, away from where frames often change."""

GRID_SIZE = 16
"""Rows and columns of cells to which each frame is downscaled."""

MIN_LEVEL_DIFFERENCE = 3.0
"""Cells that differ by fewer grey levels count as equal, because encoders shift them as much."""

MIN_MARKS = 128
"""Fingerprints with fewer marks (set bits) belong to almost uniform films and are not compared."""

MAX_DUPLICATE_DISTANCE = 0.3
"""Films show the same picture if at most this share of their marks differs.

Demo films and real films, encoded again at another size, quality, speed or with another codec,
differ in at most 0.15; demo films with different seeds differ in at least 0.73.
"""

MAX_DURATION_DIFFERENCE = 0.05
"""Share by which durations may differ: 24 frames per second played as 25 are 4 % shorter."""


def compute_fingerprint(film: PickledFilm) -> bytes:
    """Return the signs of brightness differences in a film, two bits each: brighter, darker.

    The differences are those between neighbouring cells, which describe the scene, and between
    successive frames, which describe the events in it.
    """
    times = (np.arange(SAMPLED_FRAMES) + SAMPLE_OFFSET) * film.seconds / SAMPLED_FRAMES
    rows = np.searchsorted(film.times, times, side="right") - 1
    frames = film.frames[rows.clip(0)]
    side = frames.shape[1] // GRID_SIZE
    grey = (luma(frames) if film.colour else frames).astype(np.float64)
    cells = grey.reshape(SAMPLED_FRAMES, GRID_SIZE, side, GRID_SIZE, side).mean(axis=(2, 4))
    across, later = np.diff(cells, axis=2), np.diff(cells, axis=0)
    return _pack_signs(across) + _pack_signs(later)


def fingerprint_distance(first: bytes, second: bytes) -> float:
    """Return the share of marks, 0 to 1, in which two fingerprints differ; 1 if they have too few.

    It is the larger of the share in space and the share in time, so that films of one scene with
    different events are distinguished.
    """
    cut = 2 * SAMPLED_FRAMES * GRID_SIZE * (GRID_SIZE - 1) // 8
    scene = _hamming_share(first[:cut], second[:cut])
    events = _hamming_share(first[cut:], second[cut:])
    return max((share for share in (scene, events) if share is not None), default=1.0)


def _pack_signs(differences: NDArray[np.float64]) -> bytes:
    marks = np.stack([differences > MIN_LEVEL_DIFFERENCE, differences < -MIN_LEVEL_DIFFERENCE])
    return np.packbits(marks).tobytes()


def _hamming_share(first: bytes, second: bytes) -> float | None:
    """Return the Hamming distance as a share of all marks; None if there are too few marks."""
    left, right = int.from_bytes(first), int.from_bytes(second)
    marks = (left | right).bit_count()
    return (left ^ right).bit_count() / marks if marks >= MIN_MARKS else None
