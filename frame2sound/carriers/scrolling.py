"""Which columns of sound a frame of a scrolling film shows: the middle one is heard then."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from frame2sound.carriers.colours import Planes
from frame2sound.carriers.parameters import CarrierParameters


def first_column(parameters: CarrierParameters, frame: int) -> int:
    """Return the number of the leftmost column of a frame; below 0 before the sound begins."""
    heard = Fraction(frame * parameters.sample_rate, parameters.hop) / parameters.fps
    return math.floor(heard) - parameters.columns // 2


def frame_count(parameters: CarrierParameters) -> int:
    """Return how many frames show a sound up to its end."""
    return math.ceil(Fraction(parameters.samples, parameters.sample_rate) * parameters.fps) + 1


@dataclass
class Run:
    """Successive columns that one frame has most central.

    Attributes
    ----------
    first : int
        The number of the first of them in the sound.
    begin, end : int
        Their places in the frame.
    cells : float array (rows, tiles * columns)
        The whole frame.
    """

    first: int
    begin: int
    end: int
    cells: Planes

    def continues(self, number: int, place: int, cells: Planes) -> bool:
        """Return whether a column of a frame is the next one."""
        is_next = number - self.first == place - self.begin == self.end - self.begin
        return is_next and cells is self.cells


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
        self._waiting: dict[int, tuple[int, int, Planes]] = {}
        self._next = 0
        self.missing = 0

    def add(self, frame: int, cells: Planes) -> Iterator[Run]:
        """Add the cells of a frame; yield the columns that are complete, in order."""
        first, width = first_column(self._parameters, frame), self._parameters.columns
        for place in range(max(self._next - first, 0), width):
            distance = abs(place - width // 2)
            known = self._waiting.get(first + place)
            if known is None or distance < known[0]:
                self._waiting[first + place] = distance, place, cells
        yield from self._release(first + width // 4)

    def flush(self) -> Iterator[Run]:
        """Yield the columns that are left."""
        yield from self._release(max(self._waiting, default=0) + 1)

    def _release(self, end: int) -> Iterator[Run]:
        run: Run | None = None
        for number in range(self._next, end):
            found = self._waiting.pop(number, None)
            if found is None:
                self.missing += 1
                continue
            _, place, cells = found
            if run is not None and run.continues(number, place, cells):
                run.end += 1
                continue
            if run is not None:
                yield run
            run = Run(number, place, place + 1, cells)
        self._next = max(self._next, end)
        if run is not None:
            yield run
