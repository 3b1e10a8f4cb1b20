"""Squiggles that the project draws itself: closed strokes to train on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.synaesthesia.stroke import (
    FIRST_ORDER,
    ORDERS,
    RADIUS,
    keep_on_page,
    stroke_points,
    stroke_widths,
)
from frame2sound.synaesthesia.svg_writer import stroke_svg

MIN_RADIUS, MAX_RADIUS = 0.09, 0.34
MIN_WIDTH, MAX_WIDTH = 0.025, 0.06
"""Ranges of the mean radius and of the width of squiggles, as shares of the page."""

MAX_SIDE = 0.98
"""Largest height and width of a squiggle."""

MIN_PETAL = 0.02
"""The radius over the order of petals, at least."""


def draw_squiggles(count: int, seed: int, colours: int = 1) -> NDArray[np.float32]:
    """Return squiggles: round, dented, petalled and spiky closed strokes.

    Parameters
    ----------
    count : int
    seed : int
        The same seed gives the same squiggles; the first ones do not depend on ``count``.
    colours : {1, 3}
        Grey, or red, green and blue.

    Returns
    -------
    float32 array (count, 36 + colours)
        As in `stroke_points`.
    """
    drawn = [_squiggle(np.random.default_rng((seed, n)), colours) for n in range(count)]
    strokes = torch.from_numpy(np.array(drawn, np.float32).reshape(count, -1))
    points = stroke_points(strokes)
    sides = (points.amax(dim=1) - points.amin(dim=1)).amax(dim=1)
    strokes[:, RADIUS] += torch.log((MAX_SIDE - stroke_widths(strokes)) / sides).clamp_max(0)
    return np.asarray(keep_on_page(strokes).numpy())


def write_squiggles(folder: Path, count: int, seed: int, colours: int = 1) -> Iterator[Path]:
    """Write squiggles as SVG files into a folder, and yield the path of each."""
    for number, stroke in enumerate(draw_squiggles(count, seed, colours)):
        path = folder / f"{number:04d}.svg"
        path.write_text(stroke_svg(stroke[None]), "utf-8")
        yield path


def _squiggle(rng: np.random.Generator, colours: int) -> list[float]:
    radius = float(np.exp(rng.uniform(np.log(MIN_RADIUS), np.log(MAX_RADIUS))))
    orders = _orders(rng, radius)
    room = max(0.48 - radius * np.exp(np.abs(orders).max() * 1.5), 0.02)
    centre = 0.5 + rng.uniform(-1, 1, 2) * min(room, 0.15)
    width = np.exp(rng.uniform(np.log(MIN_WIDTH), np.log(MAX_WIDTH)))
    ink = rng.uniform(0.6, 1.0, colours)
    return [*centre, np.log(radius), *orders.ravel(), np.log(width), *ink]


def _orders(rng: np.random.Generator, radius: float) -> NDArray[np.float64]:
    """Return the Fourier coefficients of the log radius, ``(orders, 2)``.

    They are a smooth random outline and, more often than not, one order of petals or spikes: more
    of them on large squiggles than on small ones, as of one pen.
    """
    order = np.arange(FIRST_ORDER, FIRST_ORDER + ORDERS)
    fall = (FIRST_ORDER / order) ** rng.uniform(1.0, 3.0)
    rough = rng.normal(0, 1, (ORDERS, 2)) * fall[:, None] * rng.uniform(0.02, 0.15)
    spiky = rng.uniform(0, 0.4) * (rng.random() < 0.65)
    turn = rng.uniform(0, 2 * np.pi)
    most = int(np.clip(radius / MIN_PETAL, 3, ORDERS - 2))
    rough[rng.integers(1, most)] += spiky * np.array([np.cos(turn), np.sin(turn)])
    return np.clip(rough, -0.5, 0.5)
