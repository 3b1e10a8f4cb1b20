"""Figures of several stretches in one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from frame2sound.evaluation.measurements import Measurements

MeasurementsByLabel = dict[str, Measurements]
"""Figures by what they are the figures of."""


def average_measurements(
    blocks: Sequence[tuple[float, Mapping[str, Measurements]]], measures: Iterable[str]
) -> MeasurementsByLabel:
    """Return the means of some figures over blocks of so many seconds, weighted by them."""
    rows, measures = {}, tuple(measures)
    for label in blocks[0][1]:
        found: dict[str, Any] = {
            name: weighted_mean([(seconds, getattr(row[label], name)) for seconds, row in blocks])
            for name in measures
        }
        rows[label] = Measurements(**found)
    return rows


def weighted_mean(blocks: Iterable[tuple[float, float | None]]) -> float | None:
    """Return the mean of what is finite; minus infinity where only silence was measured.

    Parameters
    ----------
    blocks : pairs of seconds, the weight, and a figure
    """
    known = [(seconds, value) for seconds, value in blocks if value is not None]
    finite = [(seconds, value) for seconds, value in known if math.isfinite(value)]
    if not finite:
        return -math.inf if known else None
    return sum(s * value for s, value in finite) / sum(s for s, _ in finite)
