"""Pictures of films in a library: a strip of frames, and a spectrogram."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.comparison.spectrograms import draw_spectrogram
from frame2sound.errors import StudioError
from frame2sound.library.store import PickledFilm

STRIP_FRAMES = 16


def draw_film_picture(film: PickledFilm, kind: str, cache: Path) -> Path:
    """Return a WebP of a film, drawn once: its ``strip`` of 16 frames, or its ``spectrogram``.

    Raises
    ------
    LibraryError
        The film is not whole.
    StudioError
        The cache cannot be written.
    """
    path = cache / f"{film.path.name}.{kind}.webp"
    if not path.exists():
        if kind == "strip":
            _write_webp(_strip(film), path)
        else:
            draw_spectrogram(film.sound, film.card.sample_rate, path)
    return path


def _strip(film: PickledFilm) -> NDArray[np.uint8]:
    """Return frames from the middles of sixteen equal parts, side by side, as OpenCV has colour."""
    places = (np.arange(STRIP_FRAMES) + 0.5) / STRIP_FRAMES * len(film.frames)
    strip = np.concatenate([film.frames[int(place)] for place in places], axis=1)
    return strip[..., ::-1] if film.colour else strip


def _write_webp(image: NDArray[np.uint8], path: Path) -> None:
    with atomic_write(path, StudioError) as partial:
        content = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 80])[1]
        partial.write_bytes(content.tobytes())
