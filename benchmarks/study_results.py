"""The results of the study: one CSV for each film and learned length, with sums by block."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from study_design import Design

from frame2sound.atomic import atomic_write
from frame2sound.errors import ComparisonError
from frame2sound.locks import exclusive_lock

HEADER = ("film", "law", "seconds", "arm", "seed", "segment", "block", "measure", "sums")
NO_SEED = -1
"""Stands for the seed of what has none."""

WHOLE_CELL = -1
"""Stands for the block of what is measured of a training, not of blocks."""

RUN_LOCK, RUN_HOLDER, APPEND_LOCK = ".run", ".run.json", ".append"
"""Files in a folder of results: of the lock of a run, and of that of its workers."""

DESIGN = "design.json"
"""The file that says what the results in its folder are of."""

FAILED = "failed"
"""The measure of a training that failed."""

Key = tuple[str, int]
"""Arm and seed."""

Sums = dict[str, NDArray[np.float64]]
"""Sums (blocks, k) by measure."""


@dataclass(frozen=True)
class Row:
    """One line of a CSV."""

    film: str
    law: str
    seconds: int
    arm: str
    seed: int
    segment: int
    block: int
    measure: str
    sums: tuple[float, ...]

    def cells(self) -> tuple[str, ...]:
        """Return the texts of the line."""
        plain = (self.film, self.law, self.seconds, self.arm, self.seed, self.segment, self.block)
        return (*map(str, plain), self.measure, " ".join(f"{value:.9g}" for value in self.sums))


def csv_path(folder: Path, film: str, seconds: int) -> Path:
    """Return the file of a film and a learned length."""
    return folder / f"{film}-{seconds}.csv"


def append(path: Path, rows: Iterable[Row]) -> None:
    """Add rows to a file once all are there, also beside others that add to it.

    It is replaced as a whole, so it never ends within a row.
    """
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(row.cells() for row in rows)
    with FileLock(path.with_name(APPEND_LOCK)):
        text = path.read_text(encoding="utf-8") if path.exists() else ",".join(HEADER) + "\n"
        with atomic_write(path, ComparisonError, overwrite=True) as partial:
            partial.write_text(text + out.getvalue(), encoding="utf-8")


def read(path: Path) -> Iterator[Row]:
    """Yield the rows of a file; none if it is missing."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        for film, law, seconds, arm, seed, segment, block, measure, sums in csv.reader(file):
            if film != HEADER[0]:
                numbers = tuple(map(float, sums.split()))
                plain = int(seconds), arm, int(seed), int(segment), int(block)
                yield Row(film, law, *plain, measure, numbers)


def done(path: Path) -> set[Key]:
    """Return the arms and seeds that a file has, those whose training failed too."""
    return {(row.arm, row.seed) for row in read(path)}


def cells(path: Path) -> dict[Key, Sums]:
    """Return the sums of all blocks of a file, by arm and seed; a failed training has none."""
    found: dict[Key, dict[str, list[Row]]] = {}
    for row in read(path):
        found.setdefault((row.arm, row.seed), {}).setdefault(row.measure, []).append(row)
    return {
        key: {
            measure: np.array([row.sums for row in rows])
            for measure, rows in measures.items()
            if measure != FAILED
        }
        for key, measures in found.items()
    }


@contextmanager
def lock_results(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder of results for the body of the ``with`` statement.

    Raises
    ------
    ComparisonError
        Another run is at work in it.
    """
    busy = f"{{holder}} is at work in {folder}; wait until it has ended"
    holder = folder / RUN_HOLDER
    with exclusive_lock(folder, folder / RUN_LOCK, holder, ComparisonError, busy):
        yield


def film_laws(folder: Path) -> dict[str, str]:
    """Return the law or group of each film of a folder of results."""
    table = json.loads((folder / DESIGN).read_text(encoding="utf-8"))
    return {film: each["law"] for film, each in table["films"].items()}


def require_design(folder: Path, design: Design) -> None:
    """Write what a design is into a folder of results, or compare it with what is there.

    Raises
    ------
    ComparisonError
        The results are those of another design.
    """
    path = folder / DESIGN
    table = json.loads(json.dumps(design.identity(), default=str))
    if path.exists():
        if json.loads(path.read_text(encoding="utf-8")) != table:
            raise ComparisonError(f"{path} is of another design; give another folder with --out")
        return
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, ComparisonError) as partial:
        partial.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", encoding="utf-8")
