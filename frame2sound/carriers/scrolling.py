"""Which columns of sound a frame of a scrolling film shows: the middle one is heard then."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from frame2sound.carriers.parameters import CarrierParameters
from frame2sound.carriers.spectrum_points import Spectra


def first_column(parameters: CarrierParameters, frame: int) -> int:
    """Return the number of the leftmost column of a frame; below 0 before the sound begins."""
    heard = Fraction(frame * parameters.sample_rate, parameters.hop) / parameters.fps
    return math.floor(heard) - parameters.columns // 2


def frame_count(parameters: CarrierParameters) -> int:
    """Return how many frames show a sound up to its end."""
    return math.ceil(Fraction(parameters.samples, parameters.sample_rate) * parameters.fps) + 1


class ColumnCollector:
    """Takes the columns of frames, and yields each once, from the frame that has it most central.

    Frames may be missing, repeated, or out of order by less than half a width.

    Attributes
    ----------
    missing : int
        Columns that no frame had.
    """

    def __init__(self, parameters: CarrierParameters) -> None:
        self._parameters = parameters
        self._waiting: dict[int, tuple[int, Spectra]] = {}
        self._next = 0
        self.missing = 0

    def add(self, frame: int, spectra: Spectra) -> Iterator[tuple[int, Spectra]]:
        """Add a frame ``(columns, ...)``; yield columns that are complete, with their numbers."""
        first, width = first_column(self._parameters, frame), self._parameters.columns
        for place, column in enumerate(spectra):
            number, distance = first + place, abs(place - width // 2)
            known = self._waiting.get(number)
            if number >= self._next and (known is None or distance < known[0]):
                self._waiting[number] = distance, column
        yield from self._release(first + width // 4)

    def flush(self) -> Iterator[tuple[int, Spectra]]:
        """Yield the columns that are left."""
        yield from self._release(max(self._waiting, default=0) + 1)

    def _release(self, end: int) -> Iterator[tuple[int, Spectra]]:
        while self._next < end:
            distance_and_column = self._waiting.pop(self._next, None)
            if distance_and_column is not None:
                yield self._next, distance_and_column[1]
            else:
                self.missing += 1
            self._next += 1
