"""Write drawings of a sound as stills: one of a second, or one for each frame of a film."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_folder, atomic_write
from frame2sound.errors import SynaesthesiaError
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.synaesthesia.drawing_film import Voices, frame_count
from frame2sound.synaesthesia.moving_drawing import MovingDrawing
from frame2sound.synaesthesia.painter import paint_drawn
from frame2sound.synaesthesia.svg_writer import stroke_svg

FloatArray = NDArray[np.float32]

STILL_FPS = Fraction(10)
"""The loudest second is looked for at so many places a second."""


def write_still(
    path: Path,
    voices: Voices,
    drawing: MovingDrawing,
    at_seconds: Fraction | None,
    size: int,
    *,
    overwrite: bool = False,
) -> None:
    """Write a drawing of one second as ``.svg`` or ``.png``: around a time, else of the loudest.

    Raises
    ------
    SynaesthesiaError
        The output exists or cannot be written, or the time is beyond the end.
    """
    with atomic_write(path, SynaesthesiaError, overwrite=overwrite) as partial:
        strokes = drawing.frame(_second(voices, at_seconds))
        partial.write_bytes(_still(strokes, path.suffix.lower(), size))


def write_stills(
    folder: Path,
    voices: Voices,
    drawing: MovingDrawing,
    fps: Fraction,
    on_progress: ProgressCallback = ignore_progress,
) -> int:
    """Write a new folder of SVGs, one a frame, numbered from 0; return how many.

    Raises
    ------
    SynaesthesiaError
        The folder exists or cannot be written.
    """
    count = frame_count(voices.seconds, fps)
    if folder.exists():
        raise SynaesthesiaError(f"{folder} exists already; choose another name")
    with atomic_folder(folder, SynaesthesiaError) as partial:
        for number, window in enumerate(voices.windows(fps)):
            text = stroke_svg(drawing.frame(window))
            (partial / f"{number:06d}.svg").write_text(text, "utf-8")
            on_progress(folder.name, number + 1, count, "")
    return count


def _second(voices: Voices, at_seconds: Fraction | None) -> FloatArray:
    """Return the second of sounds around a time, or their loudest."""
    if at_seconds is None:
        return max(voices.windows(STILL_FPS), key=lambda window: float(np.square(window).sum()))
    if at_seconds >= voices.seconds:
        raise SynaesthesiaError(
            f"got `at_seconds` {float(at_seconds):g} s, expected a time before the end, "
            f"{float(voices.seconds):.3f} s"
        )
    return voices.second_around(at_seconds)


def _still(strokes: FloatArray, suffix: str, size: int) -> bytes:
    if suffix == ".svg":
        return stroke_svg(strokes).encode()
    _, content = cv2.imencode(".png", paint_drawn(strokes, size)[..., ::-1])
    return bytes(content)
