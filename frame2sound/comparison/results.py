"""Results of a comparison: all of them as JSON, and the measures as CSV."""

from __future__ import annotations

import csv
import io
import json
import math
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from frame2sound import __version__
from frame2sound.atomic import atomic_write
from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.recipe import recipe_table
from frame2sound.comparison.block_stats import BLOCK_SECONDS, STATISTICS, weighted_mean
from frame2sound.comparison.comparison import Comparison, SystemResult
from frame2sound.comparison.differences import (
    paired_differences,
    results_by_group,
    segments_by_film,
    unknown_differences,
)
from frame2sound.comparison.intervals import CONFIDENCE_LEVEL
from frame2sound.comparison.records import (
    RECORDED_MEASURES,
    Record,
    chance_of_films,
    measure_from_sums,
)
from frame2sound.comparison.segments import Segment
from frame2sound.comparison.verdicts import (
    MIN_SEEDS,
    PRIMARY_MEASURE,
    no_verdict_reason,
)
from frame2sound.errors import ComparisonError
from frame2sound.evaluation.measure_table import MEASURES
from frame2sound.evaluation.measurements import MINUS_INFINITY_DB
from frame2sound.untrusted import escape_formula

RESULTS_JSON, RESULTS_CSV = "results.json", "results.csv"

SHOWN_MEASURES = (
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
    "lag_start_ms",
    "lag_end_ms",
    "black_db",
    "loudness_lufs",
    "true_peak_dbtp",
)
"""Measures in the tables of the page; the results have all of `RECORDED_MEASURES`."""


def collect_results(
    comparison: Comparison, system_results: Sequence[SystemResult]
) -> dict[str, Any]:
    """Return all results of a comparison as plain values for JSON; silence has -200 dB."""
    plan = comparison.plan
    held_out = [s for s in comparison.segments if s.film.kind == "held out"]
    differences = paired_differences(plan, system_results, held_out)
    return {
        "program": f"frame2sound {__version__}",
        "versions": {name: version(name) for name in ("torch", "numpy", "av")}
        | {"python": platform.python_version()},
        "library": plan.split.training.path.name,
        "split": {
            "kind": plan.split.kind,
            "learned": plan.training_films(),
            "held_out": plan.held_out_ranges(),
            "left_out_copies": dict(plan.split.left_out_copies),
            "guard_seconds": plan.split.guard_seconds,
        },
        "clock": {"fps": str(plan.clock.fps), "sample_rate": plan.clock.sample_rate},
        "mode": plan.mode,
        "seeds": list(range(plan.seeds)),
        "recipes": {each.label: recipe_table(each.recipe) for each in plan.variants},
        "about": {name: MEASURES[name].to_dict() for name in SHOWN_MEASURES},
        "brains": [
            _brain_entry(comparison, each) for each in system_results if each.system.kind == "brain"
        ],
        "stretches": [_segment_entry(segment, comparison) for segment in comparison.segments],
        "figures": {
            group: {"kind": members[0].system.kind, **_pooled_measures(members, held_out)}
            for group, members in results_by_group(system_results).items()
        },
        "differences": differences,
        "cannot_be_said": unknown_differences(plan, differences),
        "no_verdict": no_verdict_reason(plan.seeds),
        "intervals": {
            "level": CONFIDENCE_LEVEL,
            "min_seeds": MIN_SEEDS,
            "primary": PRIMARY_MEASURE,
            "films": len({segment.film.name for segment in held_out}),
            "block_seconds": BLOCK_SECONDS,
            "blocks": sum(segment.ground_truth.block_count for segment in held_out),
        },
        "soundtracks": [
            {
                "player": each.system.name,
                "group": each.system.group,
                "kind": each.system.kind,
                "seed": each.system.seed,
                "stretches": {name: _finite_values(r.measures) for name, r in each.records.items()},
            }
            for each in system_results
        ],
    }


def write_results(table: dict[str, Any], out: Path) -> None:
    """Write ``results.json``, and ``results.csv`` with a row per system, segment and measure."""
    with atomic_write(out / RESULTS_JSON, ComparisonError) as partial:
        partial.write_text(json.dumps(table, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["player", "kind", "seed", "film", "stretch", "from", "to", "figure", "value"])
    segments = {segment["name"]: segment for segment in table["stretches"]}
    for track in table["soundtracks"]:
        seed = "" if track["seed"] is None else track["seed"]
        for name, values in track["stretches"].items():
            segment = segments[name]
            place = [segment["film"], name, segment["from"], segment["to"]]
            for measure, value in values.items():
                if value is not None:
                    row = [track["group"], track["kind"], seed, *place, measure, value]
                    rows.writerow(map(escape_formula, row))
    with atomic_write(out / RESULTS_CSV, ComparisonError) as partial:
        partial.write_text(text.getvalue(), encoding="utf-8")


def _pooled_measures(
    members: Sequence[SystemResult], held_out: Sequence[Segment]
) -> dict[str, Any]:
    """Return the measures of a group, averaged over held-out films: mean and deviation of seeds.

    Silent seeds count for neither, unless all are silent.
    """
    pooled: dict[str, Any] = {}
    films = segments_by_film(held_out).values()
    for name in RECORDED_MEASURES:
        seeds = [
            _mean_of_films([[each.records[s.name] for s in film] for film in films], name)
            for each in members
        ]
        known = [value for value in seeds if value is not None]
        if not known:
            continue
        finite = [value for value in known if math.isfinite(value)]
        pooled[name] = {
            "mean": _mean(finite, name) if finite else MINUS_INFINITY_DB,
            "spread": stdev(finite) if len(finite) > 1 else None,
            "seeds": [_finite(value) for value in seeds],
        }
    return pooled


def _mean_of_films(films: Sequence[Sequence[Record]], name: str) -> float | None:
    """Return the mean of a measure over films, each with the records of its segments."""
    if name in ("onset_chance", "onset_chance_high"):
        chance = chance_of_films(films)
        if chance is None:
            return None
        return chance.mean if name == "onset_chance" else chance.high
    known = [value for records in films if (value := _pooled(records, name)) is not None]
    if name in STATISTICS and known:
        return _mean(known, name)
    return weighted_mean([(1.0, value) for value in known])


def _mean(values: Sequence[float], name: str) -> float:
    """Return the mean of a measure over films or seeds, on its scale if it has one."""
    if name in STATISTICS:
        return float(STATISTICS[name].mean_of_films(np.array(values)))
    return mean(values)


def _pooled(records: Sequence[Record], name: str) -> float | None:
    """Return a measure of the segments of a film: of all blocks, or weighted by seconds."""
    if name in STATISTICS:
        sums = [record.block_sums[name] for record in records if name in record.block_sums]
        return measure_from_sums(name, np.concatenate(sums)) if sums else None
    return weighted_mean([(record.seconds, record.measures[name]) for record in records])


def _brain_entry(comparison: Comparison, system_result: SystemResult) -> dict[str, Any]:
    plan, system = comparison.plan, system_result.system
    assert system.seed is not None
    variant = next(variant for variant in plan.variants if variant.label == system.group)
    path = plan.brain_path(variant, system.seed)
    brain = load_brain(path)
    names = "seconds", "epochs", "best_epoch", "loss", "held_out_loss", "held_out_loss_of_mean"
    return {
        "recipe": system.group,
        "seed": system.seed,
        "file": str(path.relative_to(plan.out)),
        "parameters": brain.parameter_count,
        **{name: brain.provenance.get(name) for name in names},
        "pairs": brain.provenance.get("pairs"),
    }


def _segment_entry(segment: Segment, comparison: Comparison) -> dict[str, Any]:
    truth = segment.at_loudness(comparison.plan.loudness).ground_truth
    rate = segment.clock.sample_rate
    source = "the truth" if segment.film.truth is not None else "heard in its own sound"
    return {
        "name": segment.name,
        "film": segment.film.name,
        "kind": segment.film.kind,
        "from": round(segment.start_sample / rate, 6),
        "to": round((segment.start_sample + segment.sample_count) / rate, 6),
        "events": None if truth.onsets is None else source,
        "onsets": None if truth.onsets is None else truth.onsets.round(4).tolist(),
        "blocks": truth.block_count,
        "shown": segment in comparison.shown_segments,
    }


def _finite_values(measures: dict[str, float | None]) -> dict[str, float | None]:
    return {name: _finite(value) for name, value in measures.items()}


def _finite(value: float | None) -> float | None:
    return MINUS_INFINITY_DB if value == -math.inf else value
