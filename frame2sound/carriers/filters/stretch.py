"""Stretch a picture in time: the same pitch, longer or shorter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.filters.cells import Cells, Filtered, spans
from frame2sound.carriers.filters.peaks import find_peaks, joint_levels, nearest_peak
from frame2sound.carriers.page_writer import total_columns
from frame2sound.carriers.spectrum_points import Spectra


def stretch(cells: Cells, factor: float) -> Filtered:
    """Return the cells ``factor`` times as wide.

    Levels are resized as luma is. Resized hues would turn more slowly and no longer fit the
    frequency of their row; instead each peak turns by as much from column to column as it did,
    and the bins around it keep their phases relative to it (identity phase locking: Laroche and
    Dolson 1999, "Improved phase vocoder time-scale modification of audio"). A factor of 1 changes
    nothing.
    """
    parameters = cells.parameters
    samples = max(round(parameters.samples * factor), 1)
    longer = replace(parameters, samples=samples)

    def blocks() -> Iterator[Spectra]:
        phases = np.angle(cells.read(0, 1)[:, 0]).astype(np.float64)
        for first, end in spans(total_columns(longer)):
            places = np.arange(first, end) / factor
            before = np.floor(places).astype(np.int64)
            here, following = cells.at(before), cells.at(before + 1)
            share = (places - before)[:, None]
            levels = cells.scale.magnitudes(
                (1 - share) * cells.scale.shares(np.abs(here))
                + share * cells.scale.shares(np.abs(following))
            )
            turned = np.angle(following * np.conj(here))
            shown = np.angle(np.where(share < 0.5, here, following))
            made = np.empty(here.shape, np.complex64)
            for number, column in enumerate(joint_levels(levels)):
                phases = _locked(phases, shown[:, number], find_peaks(column))
                made[:, number] = levels[:, number] * np.exp(1j * phases)
                phases = np.mod(phases + turned[:, number], 2 * np.pi)
            yield made

    return Filtered(longer, blocks())


def _locked(
    phases: NDArray[np.float64], shown: NDArray[np.float64], peaks: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return phases whose differences from their peak's are those that the picture shows."""
    peak = peaks[nearest_peak(peaks, phases.shape[1])]
    locked: NDArray[np.float64] = phases[:, peak] + shown - shown[:, peak]
    return locked
