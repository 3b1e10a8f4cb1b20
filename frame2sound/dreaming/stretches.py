"""Where every second of a dream came from."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.dreaming.sources import Sources
from frame2sound.dreaming.tokens import TOKENS_PER_SECOND
from frame2sound.dreaming.units import TokenUnits
from frame2sound.errors import DreamError
from frame2sound.untrusted import escape_formula

COLUMNS = (
    "start_seconds", "end_seconds", "film", "film_start_seconds", "film_end_seconds", "stage",
)  # fmt: skip


@dataclass(frozen=True)
class Stretch:
    """A part of a dream that goes on in one film without a join.

    Attributes
    ----------
    start_seconds, end_seconds : float
        In the dream.
    film : str
    film_start_seconds, film_end_seconds : float
        In the film, to a unit's shift of at most 5 ms.
    stage : int
        The part of the dream, from 1 on.
    """

    start_seconds: float
    end_seconds: float
    film: str
    film_start_seconds: float
    film_end_seconds: float
    stage: int


def find_stretches(
    chosen: NDArray[np.int64], units: TokenUnits, sources: Sources, stages: Sequence[int]
) -> list[Stretch]:
    """Return the stretches of a dream, in order; ``stages`` has the number of tokens of each."""
    stage = np.repeat(np.arange(1, len(stages) + 1), stages)
    goes_on = units.database.next_unit[chosen[:-1]] == chosen[1:]
    cuts = np.flatnonzero(~goes_on | (np.diff(stage) != 0)) + 1
    edges = [0, *cuts.tolist(), len(chosen)]
    stretches = []
    for first, last in pairwise(edges):
        source = sources.films[units.films[chosen[first]]]
        begin = source.begin_seconds + units.frames[chosen[first]] / TOKENS_PER_SECOND
        length = (last - first) / TOKENS_PER_SECOND
        start = first / TOKENS_PER_SECOND
        stretches.append(
            Stretch(start, start + length, source.name, begin, begin + length, int(stage[first]))
        )
    return stretches


def write_stretches(stretches: Sequence[Stretch], path: Path, *, overwrite: bool) -> None:
    """Write stretches as CSV, with the columns of `COLUMNS`."""
    with (
        atomic_write(path, DreamError, overwrite=overwrite) as partial,
        partial.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for each in stretches:
            times = (each.start_seconds, each.end_seconds)
            own = (each.film_start_seconds, each.film_end_seconds)
            writer.writerow(
                [*(f"{t:.3f}" for t in times), escape_formula(each.film),
                 *(f"{t:.3f}" for t in own), each.stage]
            )  # fmt: skip
