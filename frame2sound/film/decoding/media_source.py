"""Open whatever contains frames: a film, numbered pictures, or an animated WebP."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.container import InputContainer

from frame2sound.errors import FilmError
from frame2sound.film.decoding.ffmpeg_input import open_film, open_regular_file
from frame2sound.film.decoding.image_sequence import (
    IMAGE_SUFFIXES,
    ImageSequence,
    TimedImage,
    image_files,
    is_image_sequence,
    open_image_sequence,
)
from frame2sound.film.limits import Limits

MAX_IGNORED_DELAY_SECONDS, DEFAULT_DELAY_SECONDS = Fraction(1, 100), Fraction(1, 10)
"""Delays of animated images up to the first are taken as the second, as browsers do.

Firefox, Chrome and Safari agree. FFmpeg 8.1 has options for this of its GIF demuxer, but its GIF
parser overrides them.
"""


def open_media(
    path: Path,
    fps: Fraction | None = None,
    *,
    hwaccel: HWAccel | None = None,
    limits: Limits | None = None,
) -> InputContainer:
    """Open whatever contains frames; see `open_film`.

    Parameters
    ----------
    fps : Fraction, optional
        Frame rate of numbered pictures: a folder, or a name with ``%04d`` in it.

    Raises
    ------
    FilmError
        It cannot be read, numbered pictures have no frame rate, or a film is given one.
    """
    if is_image_sequence(path):
        if fps is None:
            raise FilmError(_missing_fps_message(path))
        return cast(InputContainer, open_image_sequence(path, fps, limits))
    if fps is not None and path.suffix.lower() not in IMAGE_SUFFIXES:
        raise FilmError(f"{path} is a film with a frame rate of its own; leave out `fps`")
    if is_animated_webp(path):
        return cast(InputContainer, open_webp(path, limits))
    return open_film(path, hwaccel, limits, fps=fps)


def hardware_device(name: str) -> HWAccel:
    """Return a device that decodes video into main memory.

    Raises
    ------
    FilmError
        FFmpeg was built without support for it.
    """
    known = hwdevices_available()
    if name not in known:
        raise FilmError(
            f"got the decoding device {name}, expected one that is built in here: "
            f"{', '.join(known)}; or leave out `hardware`"
        )
    return HWAccel(name)


def is_animated_webp(path: Path) -> bool:
    """Return whether a file is a WebP with several pictures, by its VP8X chunk."""
    try:
        with path.open("rb") as file:
            head = file.read(21)
    except OSError:
        return False
    return head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and bool(head[20] & 2)


def open_webp(path: Path, limits: Limits | None = None) -> ImageSequence:
    """Open an animated WebP with Pillow, as FFmpeg does not decode it.

    Raises
    ------
    FilmError
        It cannot be read, or its pictures are larger than the limits.
    """
    from PIL import Image

    file = os.fdopen(open_regular_file(path), "rb")
    try:
        Image.MAX_IMAGE_PIXELS = None  # `limits` apply instead
        image = Image.open(file, formats=["WEBP"])
        if limits is not None:
            limits.check_picture_size(path, image.width, image.height)
        first = _open_first_image(image)
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise FilmError(f"{path} is not readable as a WebP ({error}); copy it again") from error
    return ImageSequence(first, _timed_images(image), Fraction(1, 1000), None)


def _open_first_image(image: Any) -> InputContainer:
    content, options = io.BytesIO(_to_png(image)), {"framerate": "1000"}
    return cast(InputContainer, av.open(content, format="png_pipe", options=options))


def _timed_images(image: Any) -> Iterator[TimedImage]:
    for number in range(image.n_frames):
        image.seek(number)
        content = _to_png(image)
        delay_ms = int(image.info.get("duration") or 0)
        if Fraction(delay_ms, 1000) <= MAX_IGNORED_DELAY_SECONDS:
            delay_ms = int(1000 * DEFAULT_DELAY_SECONDS)
        yield TimedImage(content, delay_ms)


def _to_png(image: Any) -> bytes:
    """Return a picture as an uncompressed PNG, since it is decoded at once."""
    memory = io.BytesIO()
    image.convert("RGBA").save(memory, "PNG", compress_level=0)
    return memory.getvalue()


def _missing_fps_message(path: Path) -> str:
    try:
        image_files(path)
    except FilmError:
        if path.is_dir():
            return f"{path} is a folder; expected a film file, or a folder of numbered pictures"
        return f"{path}: no such file; expected a film on this machine"
    return f"{path} has pictures without a frame rate; expected one: give `fps`, such as 24"
