"""The calibration film: silent black and white screens."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from frame2sound.atomic import atomic_folder
from frame2sound.clock import Clock
from frame2sound.errors import LibraryError
from frame2sound.film.small_frames import picture_shape
from frame2sound.library.checksums import Checksums
from frame2sound.library.folders import CARD_FILE
from frame2sound.library.npy_writer import NpyWriter
from frame2sound.library.store import Card, Library, PickledFilm

CALIBRATION_NAME = "calibration"
SECONDS_PER_SCREEN = 30
_FPS = Fraction(30)


def add_calibration_film(library: Library) -> PickledFilm:
    """Return the calibration film of a library; add it if the library has none.

    It shows 30 s of black and 30 s of white, with silence. Without it, a brain plays white loudly
    and black may not be silent (Hindle, "Deep Learning Bitmaps to PCM", 2015, proposes it).
    """
    folder = library.path / CALIBRATION_NAME
    known = next((film for film in library.readable_films() if film.path == folder), None)
    if known is not None:
        return known
    clock = Clock(_FPS, library.sample_rate)
    frames_per_screen = int(SECONDS_PER_SCREEN * _FPS)
    frame_count = 2 * frames_per_screen
    screens = np.repeat(np.array([0, 255], np.uint8), frames_per_screen)
    samples = clock.start_sample(frame_count)
    card = Card(
        source=CALIBRATION_NAME,
        digest=f"{CALIBRATION_NAME}-{SECONDS_PER_SCREEN}-{_FPS}",
        fps=_FPS,
        frames=frame_count,
        samples=samples,
        sample_rate=library.sample_rate,
        audio_range=(0, samples),
    )
    with atomic_folder(folder, LibraryError, CARD_FILE) as partial:
        shape = picture_shape(library.colour)
        with NpyWriter(partial / "frames.npy", np.uint8, shape) as frames:
            levels = screens.reshape(-1, *(1 for _ in shape))
            frames.append(np.broadcast_to(levels, (frame_count, *shape)))
        with NpyWriter(partial / "times.npy", np.float64) as times:
            times.append(clock.frame_times(frame_count + 1))
        with NpyWriter(partial / "sound.npy", np.float32) as sound:
            sound.append(np.zeros(samples, np.float32))
        card = replace(card, checksums=Checksums.from_folder(partial))
        (partial / CARD_FILE).write_text(card.to_json() + "\n")
    return PickledFilm(folder, card, library.colour)


def is_calibration(film: PickledFilm) -> bool:
    """Return whether a film is the calibration film."""
    return film.card.source == CALIBRATION_NAME
