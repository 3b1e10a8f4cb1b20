"""What came of a comparison: everything in one table of plain values, and its long form."""

from __future__ import annotations

import csv
import io
import json
import math
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
from frame2sound.comparison.averages import weighted_mean
from frame2sound.comparison.block_stats import BLOCK_SECONDS, STATISTICS
from frame2sound.comparison.bootstrap import CONFIDENCE_LEVEL, RESAMPLES, paired_difference
from frame2sound.comparison.comparison import Comparison, SystemResult
from frame2sound.comparison.records import RECORDED_MEASURES, Record, measure_from_sums
from frame2sound.comparison.segments import Segment
from frame2sound.errors import ComparisonError
from frame2sound.evaluation.measurements import MINUS_INFINITY_DB

RESULTS_JSON, RESULTS_CSV = "results.json", "results.csv"

MIN_SEEDS = 3
"""For a verdict on recipes. One training says nothing of how others of the same recipe would end;
of two, any interval lies between both, and the mean of all lies there one time in two."""


@dataclass(frozen=True)
class MeasureInfo:
    """What a figure is called, its unit and decimals, which is better, and what it means."""

    label: str
    unit: str
    decimals: int
    better: str
    text: str


MEASURES = {
    "onset_f": MeasureInfo(
        "onset F", "", 2, "high", "events found within 50 ms, and none invented"
    ),
    "onset_chance": MeasureInfo(
        "  by chance", "", 2, "", "what as many onsets at random would get"
    ),
    "in_sync": MeasureInfo(
        "in sync", "", 2, "high", "share of onset energy 45 ms early to 125 ms late (BT.1359)"
    ),
    "envelope_correlation": MeasureInfo(
        "envelope", "", 2, "high", "correlation of its loudness over time with the film's own"
    ),
    "spectral_distance_db": MeasureInfo(
        "log-spectral distance", "dB", 1, "low", "how far its spectra are from the film's own"
    ),
    "pitch": MeasureInfo("pitch", "", 2, "high", "share of pitched frames within a semitone"),
    "line_comb_above_db": MeasureInfo(
        "line comb", "dB", 1, "low", "hum at multiples of the frame rate, above the film's own"
    ),
    "tremolo_comb_above_db": MeasureInfo(
        "tremolo comb", "dB", 1, "low", "throbbing at the frame rate, above the film's own"
    ),
    "lag_start_ms": MeasureInfo("lag, start", "ms", 0, "zero", "how late it is at first"),
    "lag_end_ms": MeasureInfo("lag, end", "ms", 0, "zero", "how late it is at last"),
    "black_db": MeasureInfo("black", "dBFS", 0, "low", "what is heard in the dark"),
    "loudness_lufs": MeasureInfo("loudness", "LUFS", 1, "", "integrated, ITU-R BS.1770"),
    "true_peak_dbtp": MeasureInfo("true peak", "dBTP", 1, "", "before limiting"),
}
"""The figures that are shown; results hold all of `KEPT`."""


def collect_results(
    comparison: Comparison, system_results: Sequence[SystemResult]
) -> dict[str, Any]:
    """Return everything that came of a comparison, in plain values; silence is at -200 dB."""
    plan = comparison.plan
    held = [s for s in comparison.segments if s.film.kind == "held out"]
    return {
        "program": f"frame2sound {__version__}",
        "versions": {name: version(name) for name in ("torch", "numpy", "av")}
        | {"python": platform.python_version()},
        "library": plan.split.training.path.name,
        "split": {"kind": plan.split.kind, "learned": plan.training_films(), "held_out": plan.held_out_ranges()},
        "clock": {"fps": str(plan.clock.fps), "sample_rate": plan.clock.sample_rate},
        "mode": plan.mode,
        "seeds": list(range(plan.seeds)),
        "recipes": {entry.label: recipe_table(entry.recipe) for entry in plan.variants},
        "about": {name: vars(about) for name, about in MEASURES.items()},
        "brains": [_brain_entry(comparison, each) for each in system_results if each.system.kind == "brain"],
        "stretches": [_segment_entry(stretch, comparison) for stretch in comparison.segments],
        "figures": {
            group: {"kind": members[0].system.kind, **_pooled_measures(members, held)}
            for group, members in _by_group(system_results).items()
        },
        "differences": list(pairwise_differences(system_results, held)),
        "no_verdict": no_verdict_reason(plan.seeds),
        "bootstrap": {"draws": RESAMPLES, "level": CONFIDENCE_LEVEL, "block_seconds": BLOCK_SECONDS,
                      "blocks": sum(stretch.ground_truth.block_count for stretch in held)},
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
    }  # fmt: skip


def write_results(table: dict[str, Any], out: Path) -> None:
    """Write ``results.json`` and ``results.csv``, a row a player, stretch and figure."""
    with atomic_write(out / RESULTS_JSON, ComparisonError) as partial:
        partial.write_text(json.dumps(table, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["player", "kind", "seed", "film", "stretch", "from", "to", "figure", "value"])
    places = {stretch["name"]: stretch for stretch in table["stretches"]}
    for track in table["soundtracks"]:
        seed = "" if track["seed"] is None else track["seed"]
        for name, figures in track["stretches"].items():
            at = places[name]
            place = [at["film"], name, at["from"], at["to"]]
            for figure, value in figures.items():
                if value is not None:
                    row = [track["group"], track["kind"], seed, *place, figure, value]
                    rows.writerow(map(_escape_formula, row))
    with atomic_write(out / RESULTS_CSV, ComparisonError) as partial:
        partial.write_text(text.getvalue(), encoding="utf-8")


def _escape_formula(value: object) -> object:
    """Return a cell in which no spreadsheet sees a formula: an apostrophe goes before such text.

    As OWASP advises against "CSV injection"; numbers stay numbers, and a cell one line.
    """
    if not isinstance(value, str):
        return value
    formula = value.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    return ("'" * formula + value).replace("\r", "\\r").replace("\n", "\\n")


def pairwise_differences(
    system_results: Sequence[SystemResult], held_out: Sequence[Segment]
) -> Iterator[dict[str, Any]]:
    """Yield by how much each recipe exceeds each later one in each figure, with its interval.

    ``better`` names the recipe that is better where the interval says so. Where there are fewer
    seeds than `FEWEST_SEEDS` it is None, and ``no_verdict`` says why.
    """
    brains = {g: m for g, m in _by_group(system_results).items() if m[0].system.kind == "brain"}
    for (ours, mine), (theirs, yours) in combinations(brains.items(), 2):
        for name, statistic in STATISTICS.items():
            sums = [_sums(members, held_out, name) for members in (mine, yours)]
            if any(each is None for each in sums):
                continue
            one, other = (each for each in sums if each is not None)
            found = paired_difference(one, other, statistic)
            if found is None:
                continue
            why_not, better = no_verdict_reason(len(mine)), None
            if found.excludes_zero and why_not is None:
                better = ours if (found.value > 0) == (MEASURES[name].better == "high") else theirs
            yield {
                "ours": ours,
                "theirs": theirs,
                "figure": name,
                "difference": found.value,
                "low": found.low,
                "high": found.high,
                "excludes_zero": found.excludes_zero,
                "better": better,
                "no_verdict": why_not,
            }


def no_verdict_reason(seeds: int) -> str | None:
    """Return why so many seeds allow no verdict; None where they do.

    >>> no_verdict(1), no_verdict(3)
    ('one seed; train 3 or more', None)
    """
    if seeds >= MIN_SEEDS:
        return None
    trained = "one seed" if seeds == 1 else f"{seeds} seeds"
    return f"{trained}; train {MIN_SEEDS} or more"


def _sums(
    members: Sequence[SystemResult], held_out: Sequence[Segment], name: str
) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """Return the sums of a figure, ``(seeds, blocks, k)``, over the stretches that have it."""
    seeds = []
    for each in members:
        tallies = [each.records[stretch.name].block_sums for stretch in held_out]
        known = [sums[name] for sums in tallies if name in sums]
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
    """Return each figure of a group, pooled over what is held out: for each seed, mean, spread.

    Seeds that are silent count for neither, unless all are.
    """
    found: dict[str, Any] = {}
    for name in RECORDED_MEASURES:
        seeds = [_pooled([each.records[s.name] for s in held_out], name) for each in members]
        known = [value for value in seeds if value is not None]
        if not known:
            continue
        finite = [value for value in known if math.isfinite(value)]
        found[name] = {
            "mean": mean(finite) if finite else MINUS_INFINITY_DB,
            "spread": stdev(finite) if len(finite) > 1 else None,
            "seeds": [_finite(value) for value in seeds],
        }
    return found


def _pooled(records: Sequence[Record], name: str) -> float | None:
    """Return a figure over several stretches: of all their blocks, or else the mean by seconds."""
    if name in STATISTICS:
        sums = [record.block_sums[name] for record in records if name in record.block_sums]
        return measure_from_sums(name, np.concatenate(sums)) if sums else None
    return weighted_mean([(record.seconds, record.measures[name]) for record in records])


def _brain_entry(comparison: Comparison, system_result: SystemResult) -> dict[str, Any]:
    plan, player = comparison.plan, system_result.system
    assert player.seed is not None
    entry = next(entry for entry in plan.variants if entry.label == player.group)
    path = plan.brain_path(entry, player.seed)
    brain = load_brain(path)
    told = brain.provenance
    names = "seconds", "epochs", "best_epoch", "loss", "held_out_loss", "held_out_loss_of_mean"
    return {
        "recipe": player.group,
        "seed": player.seed,
        "file": str(path.relative_to(plan.out)),
        "parameters": brain.parameter_count,
        **{name: told.get(name) for name in names},
        "pairs": told.get("pairs"),
    }


def _segment_entry(segment: Segment, comparison: Comparison) -> dict[str, Any]:
    rate = segment.clock.sample_rate
    known = segment.film.truth is not None
    events = "the truth" if known else "heard in its own sound"
    return {
        "name": segment.name,
        "film": segment.film.name,
        "kind": segment.film.kind,
        "from": round(segment.start_sample / rate, 6),
        "to": round((segment.start_sample + segment.sample_count) / rate, 6),
        "events": None if segment.ground_truth.onsets is None else events,
        "onsets": None
        if segment.ground_truth.onsets is None
        else segment.ground_truth.onsets.round(4).tolist(),
        "blocks": segment.ground_truth.block_count,
        "shown": segment in comparison.shown_segments,
    }


def _finite_values(figures: dict[str, float | None]) -> dict[str, float | None]:
    return {name: _finite(value) for name, value in figures.items()}


def _finite(value: float | None) -> float | None:
    return MINUS_INFINITY_DB if value == -math.inf else value
