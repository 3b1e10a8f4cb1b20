"""Results of a comparison: all of them as JSON, and the measures as CSV."""

from __future__ import annotations

import csv
import io
import json
import math
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from frame2sound import __version__
from frame2sound.atomic import atomic_write
from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.recipe import recipe_table
from frame2sound.comparison.block_stats import BLOCK_SECONDS, STATISTICS, weighted_mean
from frame2sound.comparison.bootstrap import CONFIDENCE_LEVEL, RESAMPLES, paired_difference
from frame2sound.comparison.comparison import Comparison, SystemResult
from frame2sound.comparison.records import (
    RECORDED_MEASURES,
    Record,
    measure_from_sums,
    pooled_chance,
)
from frame2sound.comparison.segments import Segment
from frame2sound.errors import ComparisonError
from frame2sound.evaluation.measure_table import MEASURES
from frame2sound.evaluation.measurements import MINUS_INFINITY_DB
from frame2sound.untrusted import escape_formula

RESULTS_JSON, RESULTS_CSV = "results.json", "results.csv"

MIN_SEEDS = 3
"""Fewest seeds that allow a verdict on recipes.

One seed says nothing about others of the same recipe; an interval of two lies between both, and
contains the mean of all seeds in one of two cases only."""


SHOWN_MEASURES = (
    "onset_f",
    "onset_chance",
    "onset_chance_high",
    "in_sync",
    "envelope_correlation",
    "spectral_distance_db",
    "pitch",
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
            for group, members in _by_group(system_results).items()
        },
        "differences": list(pairwise_differences(system_results, held_out)),
        "no_verdict": no_verdict_reason(plan.seeds),
        "bootstrap": {
            "draws": RESAMPLES,
            "level": CONFIDENCE_LEVEL,
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


def pairwise_differences(
    system_results: Sequence[SystemResult], held_out: Sequence[Segment]
) -> Iterator[dict[str, Any]]:
    """Yield the difference of each pair of recipes in each measure, with its confidence interval.

    ``better`` is the name of the better recipe if the interval excludes 0. With fewer seeds than
    `MIN_SEEDS` it is None, and ``no_verdict`` is the reason.
    """
    brains = {g: m for g, m in _by_group(system_results).items() if m[0].system.kind == "brain"}
    for (ours, mine), (theirs, yours) in combinations(brains.items(), 2):
        for name, statistic in STATISTICS.items():
            sums = [_sums(members, held_out, name) for members in (mine, yours)]
            if any(each is None for each in sums):
                continue
            one, other = (each for each in sums if each is not None)
            difference = paired_difference(one, other, statistic)
            if difference is None:
                continue
            reason, better = no_verdict_reason(len(mine)), None
            if difference.excludes_zero and reason is None:
                is_more_better = MEASURES[name].better == "high"
                better = ours if (difference.value > 0) == is_more_better else theirs
            yield {
                "ours": ours,
                "theirs": theirs,
                "figure": name,
                "difference": difference.value,
                "low": difference.low,
                "high": difference.high,
                "excludes_zero": difference.excludes_zero,
                "better": better,
                "no_verdict": reason,
            }


def no_verdict_reason(seeds: int) -> str | None:
    """Return why a number of seeds allows no verdict; None if it does.

    >>> no_verdict_reason(1), no_verdict_reason(3)
    ('one seed; train 3 or more', None)
    """
    if seeds >= MIN_SEEDS:
        return None
    trained = "one seed" if seeds == 1 else f"{seeds} seeds"
    return f"{trained}; train {MIN_SEEDS} or more"


def _sums(
    members: Sequence[SystemResult], held_out: Sequence[Segment], name: str
) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """Return the sums of a measure, (seeds, blocks, k), of the segments that have it."""
    seeds = []
    for each in members:
        all_sums = [each.records[segment.name].block_sums for segment in held_out]
        known = [sums[name] for sums in all_sums if name in sums]
        if not known:
            return None
        seeds.append(np.concatenate(known))
    return np.stack(seeds)


def _by_group(system_results: Sequence[SystemResult]) -> dict[str, list[SystemResult]]:
    groups: dict[str, list[SystemResult]] = {}
    for each in system_results:
        groups.setdefault(each.system.group, []).append(each)
    return groups


def _pooled_measures(
    members: Sequence[SystemResult], held_out: Sequence[Segment]
) -> dict[str, Any]:
    """Return the measures of a group, pooled over the held-out segments: seeds, mean and deviation.

    Silent seeds count for neither, unless all are silent.
    """
    pooled: dict[str, Any] = {}
    for name in RECORDED_MEASURES:
        seeds = [_pooled([each.records[s.name] for s in held_out], name) for each in members]
        known = [value for value in seeds if value is not None]
        if not known:
            continue
        finite = [value for value in known if math.isfinite(value)]
        pooled[name] = {
            "mean": mean(finite) if finite else MINUS_INFINITY_DB,
            "spread": stdev(finite) if len(finite) > 1 else None,
            "seeds": [_finite(value) for value in seeds],
        }
    return pooled


def _pooled(records: Sequence[Record], name: str) -> float | None:
    """Return a measure of several segments: of all blocks, or the mean weighted by seconds."""
    if name in STATISTICS:
        sums = [record.block_sums[name] for record in records if name in record.block_sums]
        return measure_from_sums(name, np.concatenate(sums)) if sums else None
    if name in ("onset_chance", "onset_chance_high"):
        chance = pooled_chance(records)
        if chance is None:
            return None
        return chance.mean if name == "onset_chance" else chance.high
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
