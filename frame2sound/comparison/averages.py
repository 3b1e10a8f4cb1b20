"""Figures of several stretches in one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from frame2sound.evaluation.figures import Figures

Rows = dict[str, Figures]
"""Figures by what they are the figures of."""


def averaged(blocks: Sequence[tuple[float, Mapping[str, Figures]]], names: Iterable[str]) -> Rows:
    """Return the means of some figures over blocks of so many seconds, weighted by them."""
    rows, names = {}, tuple(names)
    for label in blocks[0][1]:
        found: dict[str, Any] = {
            name: mean_over([(seconds, getattr(row[label], name)) for seconds, row in blocks])
            for name in names
        }
        rows[label] = Figures(**found)
    return rows


def mean_over(blocks: Iterable[tuple[float, float | None]]) -> float | None:
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
