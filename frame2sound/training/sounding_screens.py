"""On which plain screens, black or white, the films of a library sound."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.screens import SCREEN_LEVELS
from frame2sound.library.store import PickledFilm

MAX_DEVIATION = 16
"""A frame all of whose values are this near to black, or white, is a screen: codecs add noise."""

SOUNDING_DB = -20.0
"""The level, relative to its film's, above which a frame sounds."""

MIN_SCREENS = 4
"""Fewer screens in a film are no evidence."""

CHUNK_FRAMES = 1024
"""Frames that are read at once."""


def find_sounding_screens(films: Iterable[PickledFilm]) -> set[int]:
    """Return the `SCREEN_LEVELS` on which at least as many films sound as are silent.

    A film sounds on a screen if at least half of its frames that show it do: neither one noisy
    frame nor the tail of a sound that ends on black is enough.
    """
    balance = dict.fromkeys(SCREEN_LEVELS, 0)
    sounding = set()
    for film in films:
        for level, shares in _sounding_shares(film).items():
            sounding |= {level} if shares >= 0.5 else set()
            balance[level] += 1 if shares >= 0.5 else -1
    return {level for level in sounding if balance[level] >= 0}


def _sounding_shares(film: PickledFilm) -> dict[int, float]:
    """Return, for each screen that a film shows, the share of its frames that sound."""
    screens = _screen_levels(film)
    shown = [level for level in SCREEN_LEVELS if (screens == level).sum() >= MIN_SCREENS]
    if not shown:
        return {}
    power = _frame_power(film)
    has_sound = power >= 0
    threshold = 10 ** (SOUNDING_DB / 10) * power[has_sound].mean() if has_sound.any() else 0.0
    shares = {}
    for level in shown:
        of_level = power[(screens == level) & has_sound]
        if len(of_level) >= MIN_SCREENS:
            shares[level] = float((of_level > threshold).mean())
    return shares


def _screen_levels(film: PickledFilm) -> NDArray[np.int64]:
    """Return, for each frame of a film, the one of `SCREEN_LEVELS` that fills it, or -1."""
    levels = np.full(len(film.frames), -1)
    for first in range(0, len(levels), CHUNK_FRAMES):
        frames = film.frames[first : first + CHUNK_FRAMES]
        pixels = frames.reshape(len(frames), -1)
        part = levels[first : first + CHUNK_FRAMES]
        part[pixels.max(axis=1) <= SCREEN_LEVELS[0] + MAX_DEVIATION] = SCREEN_LEVELS[0]
        part[pixels.min(axis=1) >= SCREEN_LEVELS[1] - MAX_DEVIATION] = SCREEN_LEVELS[1]
        film.release_memory()
    return levels


def _frame_power(film: PickledFilm) -> NDArray[np.float64]:
    """Return the mean power of the sound in each frame; -1 where the film has no recorded sound."""
    edges = np.round(film.times * film.card.sample_rate).astype(np.int64)
    edges = np.minimum(edges, len(film.sound))
    first, stop = film.card.audio_range
    power = np.full(len(edges) - 1, -1.0)
    for frame in np.flatnonzero((edges[:-1] >= first) & (edges[1:] <= stop) & (np.diff(edges) > 0)):
        part = np.asarray(film.sound[edges[frame] : edges[frame + 1]], np.float64)
        power[frame] = np.mean(part**2)
    film.release_memory()
    return power
