"""Morph one picture into another: what both have stays, what one has fades."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from frame2sound.carriers.filters.cells import Cells, Filtered, directions, spans
from frame2sound.carriers.page_writer import total_columns
from frame2sound.carriers.parameters import Kind
from frame2sound.carriers.spectrum_points import LevelScale, Spectra

ALIKE = ("kind", "sample_rate", "channels", "rows", "n_fft", "hop")
"""What two pictures must have in common for their cells to be of the same times and bins."""


def morph(cells: Cells, other: Cells, weight: float) -> Filtered:
    """Return cells between two pictures, as long as the longer.

    Levels are mixed as luma is, in dB: the mean of two magnitudes is the geometric one. The phase
    is that of the sum of both spectra at these weights, so of the louder. A weight of 0 gives the
    first picture and 1 the other.

    Raises
    ------
    ValueError
        The pictures' cells are not of the same times and frequencies.
    """
    one, two = cells.parameters, other.parameters
    for name in ALIKE:
        values = [getattr(each, name) for each in (one, two)]
        if values[0] != values[1]:
            this, that = (v.name.lower() if isinstance(v, Kind) else v for v in values)
            raise ValueError(f"{name} of {this} and {that}, expected the same")
    mixed = replace(
        one,
        samples=max(one.samples, two.samples),
        reference_db=round((1 - weight) * one.reference_db + weight * two.reference_db, 2),
        range_db=round((1 - weight) * one.range_db + weight * two.range_db),
    )
    scale = LevelScale(mixed.reference_db, mixed.range_db)

    def blocks() -> Iterator[Spectra]:
        for first, end in spans(total_columns(mixed)):
            here, there = cells.read(first, end), other.read(first, end)
            shares = (1 - weight) * cells.scale.shares(np.abs(here))
            shares = shares + weight * other.scale.shares(np.abs(there))
            phases = directions((1 - weight) * here + weight * there)
            yield scale.magnitudes(shares) * phases

    return Filtered(mixed, blocks())
