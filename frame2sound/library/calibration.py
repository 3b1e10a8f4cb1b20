"""The calibration film: black and white screens that are silent."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from frame2sound.atomic import atomic_folder
from frame2sound.clock import Clock
from frame2sound.errors import LibraryError
from frame2sound.film.decoding.frame_resizer import picture_shape
from frame2sound.library.checksums import Checksums
from frame2sound.library.folders import CARD_FILE
from frame2sound.library.npy_writer import NpyWriter
from frame2sound.library.store import Card, Library, PickledFilm

CALIBRATION_NAME = "calibration"
SECONDS_PER_SCREEN = 30
_FPS = Fraction(30)


def add_calibration_film(library: Library) -> PickledFilm:
    """Add 30 s of black and 30 s of white screen with silence to a library, once.

    Without it white sounds loud and black need not be silent (Hindle, "Deep Learning Bitmaps to
    PCM", 2015, asked for just this film).
    """
    folder = library.path / CALIBRATION_NAME
    known = next((film for film in library.readable_films() if film.path == folder), None)
    if known is not None:
        return known
    clock = Clock(_FPS, library.sample_rate)
    each = int(SECONDS_PER_SCREEN * _FPS)
    screens = np.repeat(np.array([0, 255], np.uint8), each)
    samples = clock.start_sample(2 * each)
    card = Card(
        source=CALIBRATION_NAME,
        digest=f"{CALIBRATION_NAME}-{SECONDS_PER_SCREEN}-{_FPS}",
        fps=_FPS,
        frames=2 * each,
        samples=samples,
        sample_rate=library.sample_rate,
        audio_range=(0, samples),
    )
    with atomic_folder(folder, LibraryError, CARD_FILE) as partial:
        shape = picture_shape(library.colour)
        with NpyWriter(partial / "frames.npy", np.uint8, shape) as frames:
            levels = screens.reshape(-1, *(1 for _ in shape))
            frames.append(np.broadcast_to(levels, (2 * each, *shape)))
        with NpyWriter(partial / "times.npy", np.float64) as times:
            times.append(clock.frame_times(2 * each + 1))
        with NpyWriter(partial / "sound.npy", np.float32) as sound:
            sound.append(np.zeros(samples, np.float32))
        card = replace(card, checksums=Checksums.from_folder(partial))
        (partial / CARD_FILE).write_text(card.to_json() + "\n")
    return PickledFilm(folder, card, library.colour)


def is_calibration(film: PickledFilm) -> bool:
    """Tell the calibration film from films to learn from."""
    return film.card.source == CALIBRATION_NAME
