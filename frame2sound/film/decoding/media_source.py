"""What a path means to read from: a film, numbered pictures, or an animated WebP."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import cast

from av.codec.hwaccel import HWAccel
from av.container import InputContainer

from frame2sound.errors import FilmError
from frame2sound.film.decoding.animated_webp import is_animated_webp, open_webp
from frame2sound.film.decoding.ffmpeg_input import open_film
from frame2sound.film.decoding.image_sequence import (
    IMAGE_SUFFIXES,
    image_files,
    is_image_sequence,
    open_image_sequence,
)


def _missing_fps_message(path: Path) -> str:
    try:
        image_files(path)
    except FilmError:
        if path.is_dir():
            return f"{path} is a folder; expected a film file, or a folder of numbered pictures"
        return f"{path}: no such file; expected a film on this machine"
    return f"{path} has pictures without a frame rate; expected one: add --fps 24"


def open_media(
    path: Path,
    fps: Fraction | None = None,
    *,
    hwaccel: HWAccel | None = None,
    max_pixels: int | None = None,
) -> InputContainer:
    """Open whatever gives frames: see `open_film`.

    Parameters
    ----------
    fps : Fraction, optional
        Frames a second of numbered pictures: a folder, or a name with ``%04d`` in it.

    Raises
    ------
    FilmError
        It cannot be read; or pictures have no frame rate, or a film is given one.
    """
    if is_image_sequence(path):
        if fps is None:
            raise FilmError(_missing_fps_message(path))
        return cast(InputContainer, open_image_sequence(path, fps, max_pixels))
    if fps is not None and path.suffix.lower() not in IMAGE_SUFFIXES:
        raise FilmError(f"{path} is a film with a frame rate of its own; leave out --fps")
    if is_animated_webp(path):
        return cast(InputContainer, open_webp(path, max_pixels))
    return open_film(path, hwaccel, max_pixels, fps=fps)
