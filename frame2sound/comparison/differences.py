"""Differences between systems of a comparison, with their intervals and verdicts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal, get_args

import numpy as np

from frame2sound.comparison.block_stats import STATISTICS
from frame2sound.comparison.comparison import SystemResult
from frame2sound.comparison.intervals import Difference, paired_difference
from frame2sound.comparison.plan import ComparisonPlan
from frame2sound.comparison.segments import Segment
from frame2sound.comparison.systems import baseline_suffixes
from frame2sound.comparison.verdicts import (
    PRIMARY_MEASURE,
    SIGNIFICANCE_LEVEL,
    UNKNOWN,
    holm,
    no_verdict_reason,
    population,
)
from frame2sound.evaluation.controls import SILENCE
from frame2sound.evaluation.measure_table import MEASURES
from frame2sound.library.split import SplitKind

JUDGED_BASELINES = ("mean", "linear", "nearest")
"""Baselines from which the difference of each recipe is taken, beside silence."""

Family = Literal["primary", "recipes", "baselines"]


@dataclass(frozen=True)
class _Pair:
    """A difference of two systems in a measure, and the family in which it is corrected."""

    ours: str
    theirs: str
    measure: str
    family: Family
    difference: Difference
    blocks: int

    @property
    def better(self) -> str:
        """The system with the better mean."""
        is_more_better = MEASURES[self.measure].better == "high"
        return self.ours if (self.difference.value > 0) == is_more_better else self.theirs


def paired_differences(
    plan: ComparisonPlan, system_results: Sequence[SystemResult], held_out: Sequence[Segment]
) -> list[dict[str, Any]]:
    """Return the differences of recipes, from each other and from baselines, in each measure.

    Each has its confidence interval, and a verdict: ``better`` is the better of the two if the
    difference is clear, and ``speaks_of`` says of what. With fewer seeds than `MIN_SEEDS`,
    ``better`` is None and ``no_verdict`` is the reason. The primary difference, the envelope of
    the first two recipes, is tested alone; all other differences of recipes are corrected for their
    number by Holm's procedure, and so are those from baselines, in ``p_corrected``.
    """
    pairs = list(_pairs(plan, results_by_group(system_results), held_out))
    corrected: dict[int, float] = {}
    for family in get_args(Family):
        members = [at for at, pair in enumerate(pairs) if pair.family == family]
        p_values = [pairs[at].difference.p_value for at in members]
        corrected |= dict(zip(members, holm(p_values), strict=True))
    kind = plan.split.kind
    return [_difference_entry(pair, corrected[at], kind) for at, pair in enumerate(pairs)]


def _pairs(
    plan: ComparisonPlan, groups: dict[str, list[SystemResult]], held_out: Sequence[Segment]
) -> Iterator[_Pair]:
    recipes = [variant.label for variant in plan.variants]
    suffixes = baseline_suffixes(plan)
    against: list[tuple[str, str, Family]] = [
        (ours, theirs, "recipes") for ours, theirs in combinations(recipes, 2)
    ]
    for recipe in recipes:
        baselines = [name + suffixes[recipe] for name in JUDGED_BASELINES] + [SILENCE]
        against += [(recipe, name, "baselines") for name in baselines if name in groups]
    for number, (ours, theirs, family) in enumerate(against):
        for name, statistic in STATISTICS.items():
            one, other = (_film_sums(groups[group], held_out, name) for group in (ours, theirs))
            shared = [film for film in one if film in other]
            if not shared:
                continue
            difference = paired_difference(
                [one[film] for film in shared], [other[film] for film in shared], statistic
            )
            if difference is not None:
                is_primary = family == "recipes" and number == 0 and name == PRIMARY_MEASURE
                blocks = sum(one[film].shape[1] for film in shared)
                used: Family = "primary" if is_primary else family
                yield _Pair(ours, theirs, name, used, difference, blocks)


def unknown_differences(
    plan: ComparisonPlan, differences: Sequence[dict[str, Any]]
) -> dict[str, str]:
    """Return the measures without any difference, with the reason why none can be said."""
    known = {each["figure"] for each in differences}
    if plan.judge is None:  # not asked for
        known.add("judge")
    return {name: UNKNOWN[name] for name in STATISTICS if name not in known}


def _difference_entry(pair: _Pair, p_corrected: float, kind: SplitKind) -> dict[str, Any]:
    found = pair.difference
    reason = no_verdict_reason(found.seeds)
    is_clear = reason is None and p_corrected < SIGNIFICANCE_LEVEL
    return {
        "ours": pair.ours,
        "theirs": pair.theirs,
        "figure": pair.measure,
        "family": pair.family,
        "difference": found.value,
        "low": found.low if math.isfinite(found.low) else None,
        "high": found.high if math.isfinite(found.high) else None,
        "p": found.p_value,
        "p_corrected": p_corrected,
        "films": found.films,
        "seeds": found.seeds,
        "excludes_zero": found.excludes_zero,
        "better": pair.better if is_clear else None,
        "no_verdict": reason,
        "speaks_of": None if reason else population(kind, found.films, pair.blocks),
    }


def _film_sums(
    members: Sequence[SystemResult], held_out: Sequence[Segment], name: str
) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """Return the sums of a measure by film, (seeds, blocks, k), where all members have it."""
    found = {}
    for film, segments in segments_by_film(held_out).items():
        records = [[each.records.get(segment.name) for segment in segments] for each in members]
        sums = [
            [record.block_sums[name] for record in row if record and name in record.block_sums]
            for row in records
        ]
        if all(sums):
            found[film] = np.stack([np.concatenate(row) for row in sums])
    return found


def segments_by_film(held_out: Sequence[Segment]) -> dict[str, list[Segment]]:
    """Return segments by the name of their film."""
    films: dict[str, list[Segment]] = {}
    for segment in held_out:
        films.setdefault(segment.film.name, []).append(segment)
    return films


def results_by_group(system_results: Sequence[SystemResult]) -> dict[str, list[SystemResult]]:
    """Return the results of systems by the label of their recipe, or the name of a baseline."""
    groups: dict[str, list[SystemResult]] = {}
    for each in system_results:
        groups.setdefault(each.system.group, []).append(each)
    return groups
