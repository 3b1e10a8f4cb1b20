"""Drawings to train on and to read: rasters and measures of SVGs, pictures and films."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.errors import FilmError, SynaesthesiaError
from frame2sound.film.decoding.image_sequence import IMAGE_SUFFIXES
from frame2sound.film.small_frames import GREY_WEIGHTS
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.synaesthesia.descriptors import DRAWING_WORDS, describe_outlines
from frame2sound.synaesthesia.drawing_process import decode_small_pictures
from frame2sound.synaesthesia.raster import SIZE, rasterise, rasterise_outlines
from frame2sound.synaesthesia.square_pictures import unsqueeze
from frame2sound.synaesthesia.stroke import (
    SHAPE_VALUES,
    fit_stroke,
    stroke_inks,
    stroke_points,
    stroke_widths,
)
from frame2sound.synaesthesia.svg_reader import Outline, read_svg

LONGEST_SIDE = 1 / 64
"""Sides of outlines are divided until they are no longer than this share of the page."""

MAX_PARTS_OF_SIDE, MAX_DIVIDED_POINTS = 256, 500_000
"""Most parts of a side, and most points of a drawing whose sides are divided."""

FRAME_SPACING = Fraction(1, 5)
"""Seconds from one frame that is taken from a film to the next."""

MAX_INKED = 0.5
"""Share of pixels that are inked in a drawing of strokes, at most; photographs have more."""

FloatArray = NDArray[np.float32]

Content = list[Outline] | NDArray[np.uint8]
"""What is in a file: outlines, or a picture in RGB, ``(128, 128, 3)`` or ``(64, 64, 3)``."""


class ReadDrawing(NamedTuple):
    """A drawing as it was read.

    Attributes
    ----------
    name : str
    path : Path
        Its file.
    content : list of Outline, or uint8 array (side, side, 3)
    end_seconds : Fraction
        Up to when a film shows it, from the end of the one before; 0 for other drawings.
    """

    name: str
    path: Path
    content: Content
    end_seconds: Fraction = Fraction(0)


@dataclass(frozen=True)
class Drawings:
    """Rasters of drawings, and their measures.

    Attributes
    ----------
    names : list of str
    rasters : float32 array (n, colours, side, side)
        Ink, 0 to 1; sides are 32, those of the raster kind 64.
    measures : float32 array (n, 6)
        As in `describe_outlines`; of the raster kind as in `describe_pictures`.
    strokes : float32 array (n, 36 + colours)
        The nearest stroke of each, as in `stroke_points`; ``(n, 0)`` for the raster kind.
    """

    names: list[str]
    rasters: FloatArray
    measures: FloatArray
    strokes: FloatArray

    def __len__(self) -> int:
        return len(self.names)

    def select(self, indices: NDArray[np.int64]) -> Drawings:
        """Return some of the drawings."""
        names = [self.names[index] for index in indices]
        parts = (self.rasters, self.measures, self.strokes)
        return Drawings(names, *(part[indices] for part in parts))

    def statistics(self) -> FloatArray:
        """Return what a generator starts from: the ranges of strokes, or else the mean picture.

        The mean picture is in logits of ink, ``(colours, 64, 64)``.
        """
        if self.strokes.shape[1]:
            return self.stroke_ranges()
        mean = np.clip(self.rasters.mean(axis=0), 0.01, 0.99)
        return np.asarray(np.log(mean / (1 - mean)), np.float32)

    def stroke_ranges(self) -> FloatArray:
        """Return mean, spread, lowest and highest values of the strokes, ``(4, 36 + colours)``.

        The rarest strokes do not count for the lowest and highest.
        """
        mean, spread = self.strokes.mean(axis=0), np.maximum(self.strokes.std(axis=0), 1e-3)
        lowest, highest = np.percentile(self.strokes, (0.2, 99.8), axis=0)
        lowest, highest = lowest - spread / 5, highest + spread / 5
        inks = slice(SHAPE_VALUES, None)
        lowest[inks], highest[inks] = np.clip(lowest[inks], 0, 0.9), np.clip(highest[inks], 0.1, 1)
        return np.stack([mean, spread, lowest, highest]).astype(np.float32)


def load_drawings(
    paths: Iterable[Path],
    colours: int = 1,
    on_progress: ProgressCallback = ignore_progress,
    spacing: Fraction = FRAME_SPACING,
) -> Drawings:
    """Return the drawings in files, in folders of SVGs and pictures, and in the frames of films.

    Of films one frame is taken in ``spacing`` seconds; with 0, all are.

    Raises
    ------
    SynaesthesiaError
        There is none, a file cannot be read, or one is no drawing on plain paper.
    """
    names, rasters, measures, strokes = [], [], [], []
    for drawing in read_drawings(paths, on_progress, spacing):
        names.append(drawing.name)
        rasters.append(raster_of_drawing(drawing, colours))
        outline = _outline_of(drawing.content)
        measures.append(measure_outline(outline, colours))
        strokes.append(nearest_stroke(outline, colours))
    return Drawings(
        names,
        np.array(rasters, np.float32).reshape(-1, colours, SIZE, SIZE),
        np.array(measures, np.float32).reshape(-1, len(DRAWING_WORDS)),
        np.array(strokes, np.float32).reshape(-1, SHAPE_VALUES + colours),
    )


def drawings_of_strokes(strokes: FloatArray) -> Drawings:
    """Return the drawings of one stroke each; see `stroke_points`."""
    rasters, measures = [], []
    for part in torch.split(torch.from_numpy(np.ascontiguousarray(strokes)), 128):
        rasters.append(rasterise(part))
        measures.append(
            describe_outlines(stroke_points(part), stroke_widths(part), stroke_inks(part))
        )
    names = [f"{number:04d}" for number in range(len(strokes))]
    return Drawings(names, torch.cat(rasters).numpy(), torch.cat(measures).numpy(), strokes)


def find_drawings(paths: Iterable[Path]) -> list[Path]:
    """Return files and the drawings in folders, in the order of their names."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            kinds = {".svg", *IMAGE_SUFFIXES}
            found = sorted(each for each in path.iterdir() if each.suffix.lower() in kinds)
            if not found:
                raise SynaesthesiaError(f"{path} holds no drawings; expected SVG or PNG files")
            files += found
        elif path.exists():
            files.append(path)
        else:
            raise SynaesthesiaError(f"{path}: no such file; expected drawings")
    return files


def raster_of_drawing(drawing: ReadDrawing, colours: int = 1) -> FloatArray:
    """Return the raster of a drawing of strokes, ``(colours, 32, 32)``.

    Raises
    ------
    SynaesthesiaError
        It is no drawing on plain paper.
    """
    if isinstance(drawing.content, list):
        return raster_of_outlines(drawing.content, colours)
    try:
        return raster_of_picture(drawing.content, colours)
    except ValueError as error:
        raise SynaesthesiaError(
            f"{drawing.path}: {error}; trace it, give drawings, or use the recipe raster"
        ) from error


def raster_of_outlines(outlines: list[Outline], colours: int = 1, size: int = SIZE) -> FloatArray:
    """Return the raster of a drawing of several strokes, ``(colours, size, size)``.

    Where strokes cross, each lets as much light through as alone.
    """
    light = torch.ones(colours, size, size)
    for outline in outlines:
        points = torch.from_numpy(dense_points(outline)).float()[None]
        inks = torch.from_numpy(in_colours(outline.ink, colours))[None]
        widths = torch.tensor([outline.width]).float()
        light *= 1 - rasterise_outlines(points, widths, inks, size)[0]
    return (1 - light).numpy()


def measure_outline(outline: Outline, colours: int = 1) -> FloatArray:
    """Return the measures of a stroke, ``(6,)``; see `describe_outlines`."""
    measured = describe_outlines(
        torch.from_numpy(outline.points).float()[None],
        torch.tensor([outline.width]).float(),
        torch.from_numpy(in_colours(outline.ink, colours))[None],
    )
    return np.asarray(measured[0].numpy())


def nearest_stroke(outline: Outline, colours: int = 1) -> FloatArray:
    """Return the closed stroke nearest to a line; a small circle for a line without area."""
    ink = in_colours(outline.ink, colours)
    try:
        return fit_stroke(outline.points, outline.width, ink)
    except ValueError:
        turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        return fit_stroke(outline.points.mean(axis=0) + circle / 100, outline.width, ink)


def longest_outline(outlines: list[Outline]) -> Outline:
    """Return the longest stroke of a drawing."""
    return max(outlines, key=lambda each: _length(each.points))


def raster_of_picture(picture: NDArray[np.uint8], colours: int = 1) -> FloatArray:
    """Return the raster of a picture: its difference from its paper, ``(colours, 32, 32)``.

    Parameters
    ----------
    picture : uint8 array (side, side, 3)
        ``side`` is a multiple of 32. The paper is the median of the border; on dark paper, light
        lines are ink.

    Raises
    ------
    ValueError
        More than half of it is not paper.
    """
    ink = _ink_of(picture)
    if np.mean(ink.max(axis=2) > 0.15) > MAX_INKED:
        raise ValueError("it looks like a photograph or a painting, expected lines on plain paper")
    return average_over_squares(ink, colours, SIZE)


def average_over_squares(ink: FloatArray, colours: int, size: int) -> FloatArray:
    """Return the ink of a picture, ``(side, side, 3)``, as ``(colours, size, size)``."""
    part = len(ink) // size
    small = ink.reshape(size, part, size, part, 3).mean(axis=(1, 3))
    return np.moveaxis(in_colours(small, colours), 2, 0)


def outline_of_picture(picture: NDArray[np.uint8]) -> Outline:
    """Return the longest outline in a picture; a dot if it has none."""
    import cv2

    ink = _ink_of(picture).max(axis=2)
    dark = (ink > max(ink.max() / 2, 0.05)).astype(np.uint8)
    found, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    lines = [cv2.approxPolyDP(line, 0.7, True)[:, 0] for line in found]
    longest = max(lines, key=_length, default=np.full((3, 2), len(ink) // 2))
    width = float(dark.sum()) / max(_length(longest), 1.0) / len(ink)
    level = np.full(3, ink.max(), np.float32)
    return Outline((longest + 0.5) / len(ink), True, max(width, 1e-3), level)


def dense_points(outline: Outline) -> NDArray[np.float64]:
    """Return the points of a stroke with its sides divided; an open one goes back as it came."""
    points = _loop(outline)
    after = np.roll(points, -1, axis=0)
    parts = [
        begin + (end - begin) * (np.arange(count) / count)[:, None]
        for begin, end, count in zip(points, after, _parts_of_sides(points), strict=True)
    ]
    return np.concatenate(parts)


def _loop(outline: Outline) -> NDArray[np.float64]:
    """Return the points of a stroke; an open one goes back as it came."""
    points = outline.points
    return points if outline.closed else np.concatenate([points, points[-2:0:-1]])


def _parts_of_sides(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return in how many parts the side after each point is divided."""
    lengths = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
    parts = np.clip(np.ceil(lengths / LONGEST_SIDE), 1, MAX_PARTS_OF_SIDE)
    return np.asarray(parts, np.int64)


def read_drawings(
    paths: Iterable[Path],
    on_progress: ProgressCallback = ignore_progress,
    spacing: Fraction = FRAME_SPACING,
) -> Iterator[ReadDrawing]:
    """Yield each drawing as it is read; see `load_drawings`."""
    files = find_drawings(paths)
    pictures = decode_small_pictures([path for path in files if _is_picture(path)])
    try:
        for done, path in enumerate(files):
            if path.suffix.lower() == ".svg":
                yield ReadDrawing(path.name, path, _read_outlines(path))
            elif _is_picture(path):
                yield ReadDrawing(path.name, path, next(pictures))
            else:
                yield from _read_film(path, spacing)
            on_progress("drawings", done + 1, len(files), "")
    except FilmError as error:
        raise SynaesthesiaError(str(error)) from error


def _read_outlines(path: Path) -> list[Outline]:
    outlines = read_svg(path)
    if sum(int(_parts_of_sides(_loop(each)).sum()) for each in outlines) > MAX_DIVIDED_POINTS:
        raise SynaesthesiaError(
            f"{path}: got lines of more than {MAX_DIVIDED_POINTS} points, {1 / LONGEST_SIDE:.0f} "
            "across the page; draw it more simply"
        )
    return outlines


def _read_film(path: Path, spacing: Fraction) -> Iterator[ReadDrawing]:
    from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader

    reader, due = SubprocessFilmReader(path), Fraction(0)
    size = reader.streams.width * reader.streams.pixel_aspect, reader.streams.height
    width, height = size[::-1] if reader.streams.quarter_turns % 2 else size
    for number, frame in enumerate(reader.frames(colour=True)):
        if frame.end_seconds > due:
            due = frame.start_seconds + spacing
            picture = unsqueeze(frame.picture, width, height)
            yield ReadDrawing(f"{path.name} {number}", path, picture, frame.end_seconds)


def _outline_of(content: Content) -> Outline:
    return longest_outline(content) if isinstance(content, list) else outline_of_picture(content)


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES


def _ink_of(picture: NDArray[np.uint8]) -> FloatArray:
    """Return how far the levels of a picture are from its paper, 0 to 1."""
    levels = picture.astype(np.float32) / 255
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    paper = np.median(border, axis=0)
    if paper.mean() < 0.5:
        levels, paper = 1 - levels, 1 - paper
    return np.asarray(np.clip((paper - levels) / np.maximum(paper, 0.2), 0, 1), np.float32)


def in_colours(ink: FloatArray, colours: int) -> FloatArray:
    """Return ink of three colours, in the last axis, as one or three."""
    if colours == 3:
        return np.asarray(ink, np.float32)
    grey = ink @ np.array(GREY_WEIGHTS, np.float32)
    return np.asarray(grey[..., None], np.float32)


def _length(points: NDArray[np.floating]) -> float:
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
