"""Records: the measures of one soundtrack of one segment, cached in a file."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write
from frame2sound.comparison.block_stats import (
    STATISTICS,
    GroundTruth,
    SumsByMeasure,
    counted_onsets,
    sum_blocks,
)
from frame2sound.comparison.segments import Segment
from frame2sound.errors import ComparisonError
from frame2sound.evaluation.measurements import MINUS_INFINITY_DB, Reference
from frame2sound.evaluation.onsets import OnsetChance, mean_chance
from frame2sound.evaluation.soundtrack_evaluation import measure_soundtrack
from frame2sound.sound.onset_matching import count_shifted_matches
from frame2sound.untrusted import read_json

if TYPE_CHECKING:
    from frame2sound.comparison.segment_judge import SegmentJudge

RECORD_VERSION = 2
"""Version of what is measured and how; records of other versions are measured again."""

MAX_RECORD_BYTES = 1 << 24
"""Largest file of a record."""

RECORDED_MEASURES = (
    "onset_f",
    "onset_chance",
    "onset_chance_high",
    "in_sync",
    "envelope_correlation",
    "spectral_distance_db",
    "pitch",
    "judge",
    "judge_chance",
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
"""Measures in a record."""


@dataclass(frozen=True, eq=False)
class Record:
    """Measures of a soundtrack of a segment, and the block sums from which some are computed.

    Attributes
    ----------
    seconds : float
        Length of the segment.
    measures : dict
        Has every name of `RECORDED_MEASURES`; None is what could not be measured, and minus
        infinity is silence.
    block_sums : dict
        As `sum_blocks` returns them.
    chance_matches : array of shape (shifts,)
        Onsets that match after each circular shift; empty without known onsets. See
        `pooled_chance`.
    """

    seconds: float
    measures: dict[str, float | None]
    block_sums: SumsByMeasure
    chance_matches: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


def measure_segment(
    samples: NDArray[np.float32], segment: Segment, judge: SegmentJudge | None = None
) -> Record:
    """Measure a soundtrack of lead-in and segment, with a judge if one is given."""
    truth, clock = segment.ground_truth, segment.clock
    rate, reference = clock.sample_rate, None
    if truth.reference is not None:
        original = truth.reference[truth.lead_in_samples :]
        reference = Reference(original, rate, clock.fps, truth.onsets)
    found = measure_soundtrack(
        samples[segment.lead_in_samples :],
        rate,
        clock.fps,
        picture_seconds=Fraction(segment.sample_count, rate),
        black_frames=segment.black_frames(),
        reference=reference,
    )
    sums = sum_blocks(samples, truth)
    judged = None if judge is None else judge.sums(samples, segment)
    if judged is not None:
        sums["judge"] = judged
    values: dict[str, float | None] = {name: getattr(found, name) for name in RECORDED_MEASURES}
    values |= {name: measure_from_sums(name, sums.get(name)) for name in STATISTICS}
    if judge is not None and judged is not None:
        values["judge_chance"] = judge.chance
    record = Record(
        segment.seconds,
        {name: _silence_to_infinity(value) for name, value in values.items()},
        sums,
        _chance_matches(samples, truth),
    )
    chance = pooled_chance([record])
    record.measures["onset_chance"] = None if chance is None else chance.mean
    record.measures["onset_chance_high"] = None if chance is None else chance.high
    return record


def _chance_matches(samples: NDArray[np.float32], truth: GroundTruth) -> NDArray[np.int64]:
    onsets = counted_onsets(samples, truth)
    if onsets is None:
        return np.zeros(0, np.int64)
    return count_shifted_matches(onsets.estimated, onsets.reference, truth.seconds)


def pooled_chance(records: Iterable[Record]) -> OnsetChance | None:
    """Return chance of several segments, pooled as their onset F is: by counts.

    None if no segment has onsets, or all are too short.
    """
    return chance_of_films([records])


def chance_of_films(films: Iterable[Iterable[Record]]) -> OnsetChance | None:
    """Return chance of the mean onset F of films, each with the records of its segments."""
    return mean_chance(
        [
            (record.chance_matches, int(record.block_sums["onset_f"][:, 1:].sum()))
            for record in records
            if "onset_f" in record.block_sums
        ]
        for records in films
    )


def _silence_to_infinity(value: float | None) -> float | None:
    """Return minus infinity for levels of -200 dB or less, and other values as they are."""
    return -math.inf if value is not None and value <= MINUS_INFINITY_DB else value


def measure_from_sums(measure: str, sums: NDArray[np.float64] | None) -> float | None:
    """Return a measure from its sums, (blocks, k); None if there are none, or it has no value."""
    if sums is None:
        return None
    value = float(STATISTICS[measure](sums.sum(0)))
    return value if math.isfinite(value) else None


def record_key(*parts: Any) -> str:
    """Return a hash that identifies a record: version, system and segment."""
    return hashlib.sha256(json.dumps([RECORD_VERSION, *parts]).encode()).hexdigest()


def write_record(record: Record, key: str, path: Path) -> None:
    """Write a record to a file, atomically."""
    finite = {
        name: MINUS_INFINITY_DB if v == -math.inf else v for name, v in record.measures.items()
    }
    table = {
        "key": key,
        "seconds": record.seconds,
        "figures": finite,
        "tally": {name: sums.tolist() for name, sums in record.block_sums.items()},
        "chance": record.chance_matches.tolist(),
    }
    with atomic_write(path, ComparisonError) as partial:
        partial.write_text(json.dumps(table) + "\n", encoding="utf-8")


def read_record(path: Path, key: str) -> Record | None:
    """Return the record of a file; None if it is missing, is damaged, or has another key."""
    try:
        table = read_json(path, MAX_RECORD_BYTES)
        if table["key"] != key:
            return None
        values = {name: table["figures"][name] for name in RECORDED_MEASURES}
        sums = {name: np.array(table["tally"][name], np.float64) for name in table["tally"]}
        values = {n: -math.inf if v == MINUS_INFINITY_DB else v for n, v in values.items()}
        return Record(float(table["seconds"]), values, sums, np.array(table["chance"], np.int64))
    except (OSError, ValueError, LookupError, TypeError):
        return None
