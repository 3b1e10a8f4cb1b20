"""Hear films of a library: the features of their windows that are not silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.library.film_loudness import film_gain_db
from frame2sound.library.store import PickledFilm
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.sorting.window_features import WindowFeatures, compute_features
from frame2sound.sorting.windows import HOP_SECONDS, WINDOW_SECONDS, window_starts

TASK = "hearing films"


@dataclass(frozen=True, eq=False)
class FilmWindows:
    """The windows of a film that are not silent, and their first samples, (n,)."""

    features: WindowFeatures
    starts: NDArray[np.int64]

    @property
    def seconds(self) -> float:
        """About how much sound they cover, overlaps counted once."""
        if not len(self.starts):
            return 0.0
        return WINDOW_SECONDS + HOP_SECONDS * (len(self.starts) - 1)


def hear_films(
    films: Sequence[PickledFilm], on_progress: ProgressCallback = ignore_progress
) -> list[FilmWindows]:
    """Return the windows of films, each brought to one loudness.

    Raises
    ------
    LibraryError
        A film is damaged.
    """
    heard = []
    for number, film in enumerate(films):
        on_progress(TASK, number, len(films), film.name)
        heard.append(_hear_film(film))
    on_progress(TASK, len(films), len(films), "")
    return heard


def _hear_film(film: PickledFilm) -> FilmWindows:
    rate = film.card.sample_rate
    starts = window_starts(*film.card.audio_range, rate)
    features, silent = compute_features(film.sound, starts, rate, film_gain_db(film))
    return FilmWindows(features.select(~silent), starts[~silent])
