"""The map of a film in a library to light figures on black."""

from __future__ import annotations

import numpy as np

from frame2sound.brain.ground import GroundMap, estimate_ground
from frame2sound.library.calibration import is_calibration
from frame2sound.library.store import PickledFilm

GROUND_FRAMES = 256
"""Most frames of a film, evenly spread over it, in which its ground is looked for."""


def estimate_film_ground(film: PickledFilm) -> GroundMap:
    """Return the map of a film to light figures on black; the calibration film stays as it is."""
    if is_calibration(film):
        return GroundMap()
    count = min(len(film.frames), GROUND_FRAMES)
    times = (np.arange(count) + 0.5) / count * film.seconds
    rows = np.searchsorted(film.times[:-1], times, side="right") - 1
    ground_map = estimate_ground(film.frames[row] for row in np.maximum(rows, 0))
    film.release_memory()
    return ground_map
