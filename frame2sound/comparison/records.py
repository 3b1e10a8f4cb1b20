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

from frame2sound.atomic import atomic_write
from frame2sound.comparison.block_stats import (
    STATISTICS,
    SumsByMeasure,
    onsets_after_lead_in,
    sum_blocks,
)
from frame2sound.comparison.segments import Segment
from frame2sound.errors import ComparisonError
from frame2sound.evaluation import measures
from frame2sound.evaluation.measurements import MINUS_INFINITY_DB, Reference
from frame2sound.evaluation.soundtrack_evaluation import measure_soundtrack
from frame2sound.untrusted import read_json

RECORD_VERSION = 1
"""Of what is measured and how; records of another version are measured again."""

MAX_RECORD_BYTES = 1 << 24
"""Bytes of a record."""

RECORDED_MEASURES = (
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
    measures: dict[str, float | None]
    block_sums: SumsByMeasure


def measure_segment(samples: NDArray[np.float32], segment: Segment) -> Record:
    """Measure a soundtrack of a stretch and its lead."""
    held, clock = segment.ground_truth, segment.clock
    rate, plain = clock.sample_rate, samples[segment.lead_in_samples :]
    reference = None
    if held.reference is not None:
        own = held.reference[held.lead_in_samples :]
        reference = Reference(own, rate, clock.fps, held.onsets)
    found = measure_soundtrack(
        plain,
        rate,
        clock.fps,
        picture_seconds=Fraction(segment.sample_count, rate),
        black_frames=segment.black_frames(),
        reference=reference,
    )
    sums = sum_blocks(samples, held)
    figures: dict[str, float | None] = {name: getattr(found, name) for name in RECORDED_MEASURES}
    figures |= {name: measure_from_sums(name, sums[name]) for name in STATISTICS if name in sums}
    if held.onsets is not None and reference is None:
        count = len(onsets_after_lead_in(samples, rate, held.lead_in_samples))
        figures["onset_chance"] = measures.onset_chance(count, held.onsets, held.seconds)
    return Record(
        segment.seconds, {name: _silence_to_infinity(v) for name, v in figures.items()}, sums
    )


def _silence_to_infinity(value: float | None) -> float | None:
    """Return minus infinity for levels that are as good as silence."""
    return -math.inf if value is not None and value <= MINUS_INFINITY_DB else value


def measure_from_sums(measure: str, sums: NDArray[np.float64]) -> float | None:
    """Return a figure from its sums, ``(blocks, k)``; None where it cannot be measured."""
    value = float(STATISTICS[measure](sums.sum(0)))
    return value if math.isfinite(value) else None


def record_key(*parts: Any) -> str:
    """Return what tells one record from another: who played what, and how it was measured."""
    return hashlib.sha256(json.dumps([RECORD_VERSION, *parts]).encode()).hexdigest()


def write_record(record: Record, key: str, path: Path) -> None:
    """Write a record; the file appears whole or not at all."""
    silent = {
        name: MINUS_INFINITY_DB if v == -math.inf else v for name, v in record.measures.items()
    }
    table = {
        "key": key,
        "seconds": record.seconds,
        "figures": silent,
        "tally": {name: sums.tolist() for name, sums in record.block_sums.items()},
    }
    with atomic_write(path, ComparisonError) as partial:
        partial.write_text(json.dumps(table) + "\n", encoding="utf-8")


def read_record(path: Path, key: str) -> Record | None:
    """Return a record; None if it is not there, is damaged, or is of something else."""
    try:
        table = read_json(path, MAX_RECORD_BYTES)
        if table["key"] != key:
            return None
        figures = {name: table["figures"][name] for name in RECORDED_MEASURES}
        sums = {name: np.array(table["tally"][name], np.float64) for name in table["tally"]}
        loud = {n: -math.inf if v == MINUS_INFINITY_DB else v for n, v in figures.items()}
        return Record(float(table["seconds"]), loud, sums)
    except (OSError, ValueError, LookupError, TypeError):
        return None
