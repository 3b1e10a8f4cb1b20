"""One closed stroke: a star-shaped outline of few numbers, and the points on it."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ORDERS = 16
"""Fourier orders of the radius: 2 to 17. Order 1 would only move the centre."""

FIRST_ORDER = 2

SHAPE_VALUES = 2 + 1 + 2 * ORDERS + 1
"""Values of a stroke before its colour: centre x and y, log radius, orders, log width."""

POINTS = 96
"""Points on a stroke."""

CENTRE, RADIUS, ORDER_VALUES, WIDTH = slice(0, 2), 2, slice(3, 3 + 2 * ORDERS), 3 + 2 * ORDERS
"""Where a stroke's values are; its colour follows."""

MAX_MOVES = 30
"""Most steps in which a fit moves its centre."""

FloatArray = NDArray[np.float32]


def stroke_points(strokes: Tensor) -> Tensor:
    """Return the points on closed strokes, at equal angles around their centres.

    The radius at the angle ``t`` is ``exp(radius + sum_k a_k cos(k t) + b_k sin(k t))``, which is
    never negative (radial Fourier descriptors; Zahn and Roskies 1972 use the tangent instead).

    Parameters
    ----------
    strokes : Tensor (n, 36 + colours)
        Centre x and y, logarithm of the mean radius, ``a_2, b_2 ... a_17, b_17``, logarithm of the
        width, and the ink of each colour, 0 to 1. The page is the square from 0 to 1; y grows
        downwards.

    Returns
    -------
    Tensor (n, 96, 2)
    """
    waves, directions = (table.to(strokes) for table in _tables())
    log_radius = strokes[:, RADIUS, None] + strokes[:, ORDER_VALUES] @ waves
    return strokes[:, None, CENTRE] + torch.exp(log_radius)[..., None] * directions


def stroke_widths(strokes: Tensor) -> Tensor:
    """Return the widths of strokes, as shares of the page, ``(n,)``."""
    return torch.exp(strokes[:, WIDTH])


def stroke_inks(strokes: Tensor) -> Tensor:
    """Return how much ink of each colour strokes have, ``(n, colours)``, 0 (white) to 1."""
    return strokes[:, SHAPE_VALUES:]


def keep_on_page(strokes: Tensor) -> Tensor:
    """Return strokes moved by as little as brings their whole line onto the page."""
    points, reach = stroke_points(strokes), stroke_widths(strokes)[:, None] / 2
    beyond = torch.relu(reach - points.amin(dim=1)), torch.relu(points.amax(dim=1) + reach - 1)
    return torch.cat([strokes[:, CENTRE] + beyond[0] - beyond[1], strokes[:, RADIUS:]], dim=1)


def fit_stroke(points: NDArray[np.floating], width: float, ink: NDArray[np.floating]) -> FloatArray:
    """Return the stroke nearest to a closed outline.

    Its centre is the point from which the radius has no order 1; an outline of `stroke_points`
    gives its stroke again. Where a ray from the centre crosses an outline more than once, the
    farthest crossing counts.

    Parameters
    ----------
    points : float array (n, 2)
        The outline's points, on a page from 0 to 1.
    width : float
        As a share of the page.
    ink : float array (colours,)

    Returns
    -------
    float32 array (36 + colours,)

    Raises
    ------
    ValueError
        All points are on one line, or there are fewer than three.
    """
    outline = np.asarray(points, np.float64)
    if len(outline) < 3 or np.linalg.matrix_rank(outline - outline.mean(axis=0), 1e-9) < 2:
        raise ValueError("the outline has no area; expected a closed stroke around one")
    centre = _centroid(outline)
    for _ in range(MAX_MOVES):
        log_radius = np.log(_radii(outline, centre))
        shift = 2 * (log_radius @ _directions()) / POINTS * np.exp(log_radius.mean())
        centre = centre + 0.7 * shift
        if np.abs(shift).max() < 1e-6:
            break
    log_radius = np.log(_radii(outline, centre))
    orders = log_radius @ _waves().T * 2 / POINTS
    values = [*centre, log_radius.mean(), *orders, np.log(max(width, 1e-4)), *np.asarray(ink)]
    return np.array(values, np.float32)


@cache
def _tables() -> tuple[Tensor, Tensor]:
    """Return the waves of the orders, ``(32, points)``, and the directions, ``(points, 2)``."""
    return torch.from_numpy(_waves()).float(), torch.from_numpy(_directions()).float()


def _angles() -> NDArray[np.float64]:
    return np.asarray(np.arange(POINTS) * (2 * np.pi / POINTS))


@cache
def _waves() -> NDArray[np.float64]:
    phases = np.arange(FIRST_ORDER, FIRST_ORDER + ORDERS)[:, None] * _angles()
    return np.stack([np.cos(phases), np.sin(phases)], axis=1).reshape(2 * ORDERS, POINTS)


@cache
def _directions() -> NDArray[np.float64]:
    return np.stack([np.cos(_angles()), np.sin(_angles())], axis=1)


def _centroid(outline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the centroid of an outline's area."""
    after = np.roll(outline, -1, axis=0)
    cross = outline[:, 0] * after[:, 1] - outline[:, 1] * after[:, 0]
    total = cross.sum()
    if abs(total) < 1e-9:
        return np.asarray(outline.mean(axis=0))
    return np.asarray(((outline + after) * cross[:, None]).sum(axis=0) / (3 * total))


def _radii(outline: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far from a centre an outline lies at the angles of a stroke's points."""
    begin = outline - centre
    side = np.roll(begin, -1, axis=0) - begin
    ray = _directions()[:, None]
    cross = ray[..., 0] * side[:, 1] - ray[..., 1] * side[:, 0]
    safe = np.where(np.abs(cross) < 1e-15, np.inf, cross)
    along = (begin[:, 0] * side[:, 1] - begin[:, 1] * side[:, 0]) / safe
    share = (begin[:, 0] * ray[..., 1] - begin[:, 1] * ray[..., 0]) / safe
    crosses = (share >= -1e-9) & (share <= 1 + 1e-9) & (along > 0)
    return np.asarray(np.maximum(np.where(crosses, along, 0).max(axis=1), 1e-3))
