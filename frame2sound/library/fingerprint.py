"""Fingerprints of pictures: whether two films show the same, however they were encoded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.film.decoding.frame_resizer import luma
from frame2sound.library.store import PickledFilm

SAMPLED_FRAMES = 16
"""Frames that are looked at, evenly spread over the film's time."""

SAMPLE_OFFSET = 0.487
"""Where in its sixteenth of the film each is: not where frames of usual lengths would meet."""

GRID_SIZE = 16
"""Each is shrunk to so many rows and columns."""

MIN_LEVEL_DIFFERENCE = 3.0
"""Grey levels; cells that differ by less are alike, for encoders move them so far."""

MIN_MARKS = 128
"""A fingerprint of fewer marks is of films that show next to nothing, and tells none apart."""

MAX_DUPLICATE_DISTANCE = 0.3
"""Films are the same picture when at most this share of their marks differ.

Demo films and real ones encoded anew, smaller, coarser, faster or by another codec, differ in 0.15
at most; demo films of other seeds in 0.73 at least.
"""

MAX_DURATION_DIFFERENCE = 0.05
"""Share by which their lengths may differ: 24 frames a second played as 25 are 4 % shorter."""


def compute_fingerprint(film: PickledFilm) -> bytes:
    """Return the signs of differences in a film, two bits each: brighter, darker or alike.

    Differences are those between neighbouring cells, and between a moment and the next: the first
    know the scene, the second what happens in it.
    """
    moments = (np.arange(SAMPLED_FRAMES) + SAMPLE_OFFSET) * film.seconds / SAMPLED_FRAMES
    frames = film.frames[np.searchsorted(film.times, moments, side="right") - 1]
    side = frames.shape[1] // GRID_SIZE
    grey = (luma(frames) if film.colour else frames).astype(np.float64)
    cells = grey.reshape(SAMPLED_FRAMES, GRID_SIZE, side, GRID_SIZE, side).mean(axis=(2, 4))
    across, later = np.diff(cells, axis=2), np.diff(cells, axis=0)
    return _pack_signs(across) + _pack_signs(later)


def fingerprint_distance(first: bytes, second: bytes) -> float:
    """Return the share of marks, 0 to 1, in which two fingerprints differ; 1 if they have too few.

    It is the larger of that in space and that in time, so that films of one scene in which other
    things happen are told apart.
    """
    cut = 2 * SAMPLED_FRAMES * GRID_SIZE * (GRID_SIZE - 1) // 8
    scene = _hamming_share(first[:cut], second[:cut])
    events = _hamming_share(first[cut:], second[cut:])
    return max((share for share in (scene, events) if share is not None), default=1.0)


def _pack_signs(differences: NDArray[np.float64]) -> bytes:
    marks = np.stack([differences > MIN_LEVEL_DIFFERENCE, differences < -MIN_LEVEL_DIFFERENCE])
    return np.packbits(marks).tobytes()


def _hamming_share(first: bytes, second: bytes) -> float | None:
    """Return the Hamming distance as a share of all marks; None where there are too few."""
    left, right = int.from_bytes(first), int.from_bytes(second)
    marks = (left | right).bit_count()
    return (left ^ right).bit_count() / marks if marks >= MIN_MARKS else None
