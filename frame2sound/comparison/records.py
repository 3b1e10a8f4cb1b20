"""What was measured of one soundtrack of one stretch, kept in a file so that it is not repeated."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.comparison.stretches import Stretch
from frame2sound.comparison.tallies import STATISTICS, Tally, heard_onsets, tally
from frame2sound.errors import ComparisonError
from frame2sound.evaluation import measures
from frame2sound.evaluation.figures import SILENCE_DB, Reference
from frame2sound.evaluation.report import measure_sound
from frame2sound.safe import whole_file
from frame2sound.untrusted import read_json

VERSION = 1
"""Of what is measured and how; records of another version are measured again."""

MOST_RECORD = 1 << 24
"""Bytes of a record."""

KEPT = (
    "onset_f",
    "onset_chance",
    "in_sync",
    "envelope_correlation",
    "spectral_distance_db",
    "pitch",
    "line_comb_above_db",
    "tremolo_comb_above_db",
    "line_comb_db",
    "tremolo_comb_db",
    "lag_start_ms",
    "lag_end_ms",
    "envelope_error",
    "black_db",
    "loudness_lufs",
    "true_peak_dbtp",
)
"""The figures that are kept."""


@dataclass(frozen=True, eq=False)
class Record:
    """Figures of a soundtrack of a stretch, and the sums that some of them are made of.

    ``figures`` has every name of `KEPT`; None is what could not be measured, and minus infinity is
    silence.
    """

    seconds: float
    figures: dict[str, float | None]
    tally: Tally


def measured(sound: NDArray[np.float32], stretch: Stretch) -> Record:
    """Measure a soundtrack of a stretch and its lead."""
    held, clock = stretch.held, stretch.clock
    rate, plain = clock.sample_rate, sound[stretch.lead_samples :]
    reference = None
    if held.own is not None:
        own = held.own[held.lead :]
        reference = Reference(own, rate, clock.fps, held.onsets)
    found = measure_sound(
        plain,
        rate,
        clock.fps,
        seconds=Fraction(stretch.samples, rate),
        screen=stretch.screen(),
        reference=reference,
    )
    sums = tally(sound, held)
    figures: dict[str, float | None] = {name: getattr(found, name) for name in KEPT}
    figures |= {name: value_of(name, sums[name]) for name in STATISTICS if name in sums}
    if held.onsets is not None and reference is None:
        count = len(heard_onsets(sound, rate, held.lead))
        figures["onset_chance"] = measures.onset_chance(count, held.onsets, held.seconds)
    return Record(stretch.seconds, {name: _audible(v) for name, v in figures.items()}, sums)


def _audible(value: float | None) -> float | None:
    """Return minus infinity for levels that are as good as silence."""
    return -math.inf if value is not None and value <= SILENCE_DB else value


def value_of(name: str, sums: NDArray[np.float64]) -> float | None:
    """Return a figure from its sums, ``(blocks, k)``; None where it cannot be measured."""
    value = float(STATISTICS[name](sums.sum(0)))
    return value if math.isfinite(value) else None


def key_of(*parts: Any) -> str:
    """Return what tells one record from another: who played what, and how it was measured."""
    return hashlib.sha256(json.dumps([VERSION, *parts]).encode()).hexdigest()


def write_record(record: Record, key: str, path: Path) -> None:
    """Write a record; the file appears whole or not at all."""
    silent = {name: SILENCE_DB if v == -math.inf else v for name, v in record.figures.items()}
    table = {
        "key": key,
        "seconds": record.seconds,
        "figures": silent,
        "tally": {name: sums.tolist() for name, sums in record.tally.items()},
    }
    with whole_file(path, ComparisonError) as partial:
        partial.write_text(json.dumps(table) + "\n", encoding="utf-8")


def read_record(path: Path, key: str) -> Record | None:
    """Return a record; None if it is not there, is damaged, or is of something else."""
    try:
        table = read_json(path, MOST_RECORD)
        if table["key"] != key:
            return None
        figures = {name: table["figures"][name] for name in KEPT}
        sums = {name: np.array(table["tally"][name], np.float64) for name in table["tally"]}
        loud = {n: -math.inf if v == SILENCE_DB else v for n, v in figures.items()}
        return Record(float(table["seconds"]), loud, sums)
    except (OSError, ValueError, LookupError, TypeError):
        return None
