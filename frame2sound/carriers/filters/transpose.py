"""Move a picture in frequency: by a ratio, which transposes, or by rows, which does not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from frame2sound.carriers.filters.cells import Cells, Filtered, spans, turns
from frame2sound.carriers.filters.peaks import Levels, find_peaks, joint_levels, nearest_peak
from frame2sound.carriers.parameters import Kind
from frame2sound.carriers.spectrum_points import Spectra


def shift_rows(cells: Cells, rows: int) -> Filtered:
    """Return the cells so many rows higher: all frequencies rise by as many Hz.

    A row is ``sample_rate / n_fft``. Hues turn on as those of the row they come to.
    """
    count = cells.parameters.rows
    rows = max(-count, min(rows, count))
    source = slice(max(-rows, 0), count - max(rows, 0))
    target = slice(max(rows, 0), count - max(-rows, 0))

    def blocks() -> Iterator[Spectra]:
        for first, end in spans(cells.total):
            columns = np.arange(first, end)[:, None]
            turned = turns(cells.parameters, np.array([rows]), columns)
            moved = np.zeros((cells.parameters.channels, end - first, count), np.complex64)
            moved[..., target] = cells.read(first, end)[..., source] * turned
            yield moved

    return Filtered(cells.parameters, blocks())


def transpose(cells: Cells, semitones: float) -> Filtered:
    """Return the cells with all frequencies times ``2 ** (semitones / 12)``, as long as before.

    Resized rows would make the lines of tones thicker or thinner; instead each peak moves to its
    new frequency, with the bins around it, and turns as much faster as it is higher (Laroche and
    Dolson 1999, "New phase-vocoder techniques for pitch-shifting, harmonizing and other exotic
    effects"). Between peaks that move apart the lowest level between them is held. 0 changes
    nothing.
    """
    mover = _PeakMover(cells, 2 ** (semitones / 12))

    def blocks() -> Iterator[Spectra]:
        for first, end in spans(cells.total):
            yield mover.move(cells.read(first - 1, end))

    return Filtered(cells.parameters, blocks())


class _PeakMover:
    """Moves peaks to frequencies in a ratio, and keeps the phase that each has gained."""

    def __init__(self, cells: Cells, ratio: float) -> None:
        parameters = cells.parameters
        self._scale, self._ratio = cells.scale, ratio
        self._rows = np.arange(parameters.rows)
        self._radians_per_row = 2 * np.pi * parameters.hop / parameters.n_fft
        self._has_phases = parameters.kind is not Kind.MAGNITUDE
        self._is_above = self._rows > ratio * self._rows[-1] + 0.5
        self._gained = np.zeros(parameters.rows)

    def move(self, spectra: Spectra) -> Spectra:
        """Return columns ``(channels, n, rows)`` of those and the one before, ``n + 1``."""
        here = spectra[:, 1:]
        joint = joint_levels(here)
        frequencies = self._frequencies(spectra, joint)
        shares = self._scale.shares(np.abs(here))
        moved = np.zeros(here.shape, np.complex64)
        for number, column in enumerate(joint):
            peaks = find_peaks(column)
            frequency = frequencies[number, peaks]
            region = nearest_peak(peaks, len(self._rows))
            radians = (self._ratio - 1) * frequency * self._radians_per_row
            gained = np.mod(self._gained[peaks] + radians, 2 * np.pi)
            places, turned = self._sources(peaks, frequency, region, gained)
            levels = self._scale.magnitudes(_between(shares[:, number], places))
            nearest = here[:, number, np.rint(places).astype(np.int64)]
            moved[:, number] = levels * np.exp(1j * (np.angle(nearest) + turned))
            self._gained = gained[region]
        moved[..., self._is_above] = 0
        return moved

    def _frequencies(self, spectra: Spectra, joint: Levels) -> Levels:
        """Return the frequency at each bin in rows: by how much its phase turned, or its shape."""
        if not self._has_phases:
            return self._rows + _parabola_tips(joint)
        products = np.sum(spectra[:, 1:] * np.conj(spectra[:, :-1]), axis=0)
        centred = products * np.exp(-1j * self._radians_per_row * self._rows)
        away: Levels = np.angle(centred) / self._radians_per_row
        return self._rows + away

    def _sources(
        self,
        peaks: NDArray[np.int64],
        frequency: Levels,
        region: NDArray[np.int64],
        gained: Levels,
    ) -> tuple[Levels, Levels]:
        """Return from where each row has its level, in rows, and the phase that it gains."""
        moves = (self._ratio - 1) * frequency
        arrived = peaks + moves
        order = np.argsort(arrived, kind="stable")
        peak = order[nearest_peak(arrived[order], len(self._rows))]
        numbers = np.arange(len(peaks))
        lowest = np.searchsorted(region, numbers, "left")[peak]
        highest = np.searchsorted(region, numbers, "right")[peak] - 1
        places = np.clip(self._rows - moves[peak], lowest, highest)
        return places, gained[peak]


def _between(values: Levels, places: Levels) -> Levels:
    """Return values ``(channels, rows)`` between rows, by cubics, which keep a peak's height."""
    below = places.astype(np.int64)
    t = places - below
    last = values.shape[1] - 1
    before, here, after, next_after = (
        values[:, np.clip(below + offset, 0, last)] for offset in (-1, 0, 1, 2)
    )
    slope, next_slope = (after - before) / 2, (next_after - here) / 2
    rise = after - here
    between: Levels = here + t * (
        slope + t * (3 * rise - 2 * slope - next_slope + t * (slope + next_slope - 2 * rise))
    )
    return between


def _parabola_tips(levels: Levels) -> Levels:
    """Return how far from each bin the tip of a parabola through three log levels lies."""
    logs = np.log(np.maximum(levels, 1e-12))
    before, here, after = logs[:, :-2], logs[:, 1:-1], logs[:, 2:]
    curve = before - 2 * here + after
    tips = (before - after) / (2 * np.minimum(curve, -1e-9))
    padded: Levels = np.pad(np.clip(tips, -0.5, 0.5), ((0, 0), (1, 1)))
    return padded
