"""Blur a picture: onsets soften, tones broaden into haze."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.filters.cells import Cells, Filtered, directions, spans, turns
from frame2sound.carriers.filters.consistency import agree
from frame2sound.carriers.parameters import Kind
from frame2sound.carriers.spectrum_points import Spectra

REACH = 4.0
"""How far a Gaussian is followed, in standard deviations."""

SEAM = 8
"""Columns before a block whose phases its own continue, more than share a sample."""


def blur(cells: Cells, width: float) -> Filtered:
    """Return the cells under a Gaussian whose standard deviation is ``width`` cells.

    Levels are blurred as luma is: in dB, in time and in frequency alike. A cell begins with the
    phase of the mean of what it received, each neighbour's turned on as a sine in the middle of
    its bin would be; then phases are turned until overlapping windows agree.
    """

    def blocks() -> Iterator[Spectra]:
        before = cells.read(0, 0)
        for first, end in spans(cells.total):
            made = _blurred_columns(cells, first, end + SEAM, width)
            if cells.parameters.kind is not Kind.MAGNITUDE:
                held = before.shape[1]
                joined = np.concatenate([before, made], axis=1)
                made = agree(joined, cells.parameters, held)[:, held:]
            before = made[:, : end - first][:, -SEAM:]
            yield made[:, : end - first]

    return Filtered(cells.parameters, blocks())


def _blurred_columns(cells: Cells, first: int, end: int, width: float) -> Spectra:
    context = int(np.ceil(REACH * width))
    around = cells.read(first - context, end + context)
    columns = np.arange(first - context, end + context)[:, None]
    turned = turns(cells.parameters, np.arange(cells.parameters.rows), columns)
    still = around * np.conj(turned)
    phases = directions(_blurred(still.real, width) + 1j * _blurred(still.imag, width))
    shares = _blurred(cells.scale.shares(np.abs(around)), width)
    made: Spectra = cells.scale.magnitudes(shares) * phases * turned
    return made[:, context : context + end - first]


def _blurred(values: NDArray[np.floating[Any]], width: float) -> NDArray[np.floating[Any]]:
    from scipy.ndimage import gaussian_filter

    smooth: NDArray[np.floating[Any]] = gaussian_filter(
        values.astype(np.float64), (0, width, width), mode="nearest", truncate=REACH
    )
    return smooth
