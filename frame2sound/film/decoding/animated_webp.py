"""Animated WebP, which FFmpeg does not read: Pillow does."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
from av.container import InputContainer

from frame2sound.errors import FilmError
from frame2sound.film.decoding.ffmpeg_input import open_regular_file
from frame2sound.film.decoding.image_sequence import ImageSequence, TimedImage

MIN_DELAY_MS, DEFAULT_DELAY_MS = 11, 100
"""Milliseconds: what is to be shown for less than the first is shown for the second, as browsers
do."""


def is_animated_webp(path: Path) -> bool:
    """Whether a file is a WebP with more than one picture (its VP8X chunk says so)."""
    try:
        with path.open("rb") as file:
            head = file.read(21)
    except OSError:
        return False
    return head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and bool(head[20] & 2)


def open_webp(path: Path, max_pixels: int | None = None) -> ImageSequence:
    """Open an animated WebP.

    Raises
    ------
    FilmError
        It cannot be read, or is larger than ``most_pixels``.
    """
    from PIL import Image

    file = os.fdopen(open_regular_file(path), "rb")
    try:
        Image.MAX_IMAGE_PIXELS = None  # the limit is ours
        image = Image.open(file, formats=["WEBP"])
        if max_pixels is not None and image.width * image.height > max_pixels:
            raise FilmError(
                f"{path} has pictures of {image.width}x{image.height}, expected "
                f"{max_pixels / 1e6:g} megapixels at most; if you trust this file, raise "
                "--most-megapixels"
            )
        first = _first(image)
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise FilmError(f"{path} is not readable as a WebP ({error}); copy it again") from error
    return ImageSequence(first, _timed_images(image), Fraction(1, 1000), None)


def _first(image: Any) -> InputContainer:
    content, options = io.BytesIO(_png(image)), {"framerate": "1000"}
    return cast(InputContainer, av.open(content, format="png_pipe", options=options))


def _timed_images(image: Any) -> Iterator[TimedImage]:
    for number in range(image.n_frames):
        image.seek(number)
        content = _png(image)
        shown = int(image.info.get("duration") or 0)
        yield TimedImage(content, DEFAULT_DELAY_MS if shown < MIN_DELAY_MS else shown)


def _png(image: Any) -> bytes:
    """Encode as PNG, fast: it is decoded at once."""
    memory = io.BytesIO()
    image.convert("RGBA").save(memory, "PNG", compress_level=0)
    return memory.getvalue()
