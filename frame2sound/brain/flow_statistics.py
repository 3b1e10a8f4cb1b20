"""Statistics of how pictures change and of their optical flow, for batches of pictures.

Those of a picture do not depend on its batch.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

CELLS, DIRECTIONS = 8, 8
"""Cells along a side of the grid, and directions of the histograms."""

QUANTILE = 0.95
"""The largest change, and the largest speed, is that which a twentieth of the pixels exceed."""

_ANGLES = np.arange(DIRECTIONS // 2) * (2 * np.pi / DIRECTIONS)
_DIRECTION_VECTORS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1).astype(np.float32)
"""The first half of the directions; the others are opposite."""


def measure_change(
    pictures: NDArray[np.uint8], previous: NDArray[np.uint8], gaps: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and the largest change of pixels, and by how much they are lighter."""
    count = len(pictures)
    sizes = np.stack([cv2.absdiff(*pair) for pair in zip(pictures, previous, strict=True)])
    flat = sizes.reshape(count, -1)
    places = flat + 256 * np.arange(count)[:, None]
    counts = np.bincount(places.ravel(), minlength=256 * count).reshape(count, 256)
    rank = round(QUANTILE * (flat.shape[1] - 1))
    largest = (counts.cumsum(axis=1) > rank).argmax(axis=1)
    lighter = pictures.sum(axis=(1, 2), dtype=np.int64) - previous.sum(axis=(1, 2), dtype=np.int64)
    change = counts @ np.arange(256) / flat.shape[1]
    return change / gaps, largest / gaps, lighter / flat.shape[1] / gaps


def measure_flow(planes: FloatArray, camera: FloatArray) -> dict[str, NDArray[Any]]:
    """Return the numbers, direction cells and histograms of flows ``(2, n, 64, 64)``."""
    right, down = planes
    count = len(right)
    rows = right.reshape(count, -1), down.reshape(count, -1)
    speed, angle = (np.asarray(part, np.float32) for part in cv2.cartToPolar(*rows))
    octant = (angle * np.float32(DIRECTIONS / (2 * np.pi))).astype(np.int64) % DIRECTIONS
    places = octant + DIRECTIONS * np.arange(count)[:, None]
    histogram = np.bincount(places.ravel(), speed.ravel(), DIRECTIONS * count)
    divergence = np.stack([_divergence(*flow) for flow in zip(right, down, strict=True)])
    divergence = divergence.reshape(count, -1)
    rank = round(QUANTILE * (speed.shape[1] - 1))
    return {
        "speed": speed.mean(axis=1),
        "largest speed": np.partition(speed, rank, axis=1)[:, rank],
        "divergence": np.abs(divergence).mean(axis=1),
        "mean divergence": divergence.mean(axis=1),
        "downward speed": rows[1].mean(axis=1),
        "camera speed": np.hypot(*camera),
        "histogram": histogram.reshape(count, DIRECTIONS) / speed.shape[1],
        "cells": _direction_cells(right, down),
    }


def _divergence(right: FloatArray, down: FloatArray) -> FloatArray:
    across = cv2.Sobel(right, cv2.CV_32F, 1, 0)
    return np.asarray(across + cv2.Sobel(down, cv2.CV_32F, 0, 1), np.float32)


def _direction_cells(right: FloatArray, down: FloatArray) -> FloatArray:
    """Return the mean speed in each direction and cell, ``(n, 8, 8, 8)``.

    The speed against a direction is what the mean towards it lacks.
    """
    cells = np.empty((len(right), CELLS, CELLS, DIRECTIONS), np.float32)
    for direction, (cosine, sine) in enumerate(_DIRECTION_VECTORS):
        speed = right * cosine + down * sine
        towards = _cell_means(np.maximum(speed, 0))
        cells[..., direction] = towards
        cells[..., direction + DIRECTIONS // 2] = np.maximum(towards - _cell_means(speed), 0)
    return cells


def _cell_means(planes: FloatArray) -> FloatArray:
    """Return the means of the cells of planes ``(n, 64, 64)``, ``(n, 8, 8)``."""
    side = planes.shape[1] // CELLS
    rows = planes.reshape(len(planes), CELLS, side, -1).sum(axis=2)
    means: FloatArray = rows.reshape(len(planes), CELLS, CELLS, side).mean(axis=3) / side
    return means
