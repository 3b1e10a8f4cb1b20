"""Compare brains with and without depth and memory, for kinds and lengths of film.

    python benchmarks/study.py [--films bounce lines] [--seconds 20 60] [--seeds 3] [-o FOLDER]

For each demo film, brains are trained on --seconds of one seed and measured on 30 s of another, by
`frame2sound compare`, with its baselines and intervals. Each comparison has a folder in FOLDER/work
and is resumed if it was interrupted; the results are collected in FOLDER: `results.json`, and
`README.md` with all tables. `--table` only collects.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from footage import draw_film

from frame2sound.cli.progress import Progress
from frame2sound.comparison.plan import ComparisonPlan, load_variants
from frame2sound.comparison.segments import EvaluationFilm
from frame2sound.film.drawing.demo_films import demo_film_names
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.pickler import pickle_film
from frame2sound.library.split import split_library
from frame2sound.library.store import Library
from frame2sound.studio import run_comparison

RECIPES = ("shallow", "deep", "deep input.history=3 input.motion=true", "memory")
SIZE = (480, 360)
TEST_SECONDS, TEST_SEED = 30.0, 1
MEASURES = {
    "onset_f": ("onset F", ".2f"),
    "envelope_correlation": ("envelope", ".2f"),
    "spectral_distance_db": ("distance, dB", ".2f"),
    "pitch": ("pitch", ".2f"),
}
PAIRS = (("deep", "shallow"), ("memory", "deep"), ("memory", RECIPES[2]), (RECIPES[2], "deep"))
"""Pairs of recipes whose differences are shown."""

Table = dict[str, Any]


def compare(film: str, seconds: float, recipes: list[str], seeds: int, work: Path) -> None:
    """Compare recipes on a film, or resume the comparison."""
    out = work / f"{film}-{seconds:g}"
    training_film = draw_film(work / "films", film, seconds, 0, SIZE)
    test_film = draw_film(work / "films", film, TEST_SECONDS, TEST_SEED, SIZE)
    library = Library.create(out / "library")
    add_calibration_film(library)
    for path in (training_film, test_film):
        pickle_film(path, library)
    held_out_films = [
        each.name for each in library.films() if each.card.source.endswith(test_film.name)
    ]
    split = split_library(library, None, held_out_films)
    films = tuple(map(EvaluationFilm.from_held_out, split.held_out))
    plan = ComparisonPlan(
        out / "comparison", load_variants(recipes), seeds, split, films, "overlap-add"
    )
    with Progress() as progress:
        run_comparison(plan, "cpu", progress.show)


def load_results(work: Path) -> dict[str, Table]:
    """Return the results of all finished comparisons, by film and seconds."""
    found = {}
    for path in sorted(work.glob("*/comparison/results.json")):
        found[path.parts[-3]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def page(tables: dict[str, Table]) -> Iterator[str]:
    """Yield the lines of a page: tables of measures and of differences."""
    yield "# Shallow or deep, with memory or without\n"
    yield "Made by `python benchmarks/study.py -o benchmarks/study`. Means over seeds, with their"
    yield "standard deviation, and baselines. *Distance* is of log spectra."
    yield "Training times are of a computer that also ran other programs.\n"
    yield from summary(tables)
    heads = [label for label, _ in MEASURES.values()]
    for name, table in tables.items():
        film, seconds = name.rsplit("-", 1)
        yield f"## {film}, {seconds} s of training film\n"
        yield f"| | {' | '.join(heads)} | training, s |"
        yield "|---|" + "--:|" * (len(heads) + 1)
        took = trained(table)
        for system, figures in table["figures"].items():
            cells = (cell(figures.get(key), form) for key, (_, form) in MEASURES.items())
            yield f"| {system} | {' | '.join(cells)} | {took.get(system, '-')} |"
        yield ""
        lines = list(differences(table))
        if lines:
            yield "| difference (95 % interval) | " + " | ".join(heads) + " |"
            yield "|---|" + "--:|" * len(heads)
            yield from lines
            yield ""


def summary(tables: dict[str, Table]) -> Iterator[str]:
    """Yield tables of the differences of envelopes and distances, over all films."""
    figures = [(key, *MEASURES[key]) for key in ("envelope_correlation", "spectral_distance_db")]
    for ours, theirs in PAIRS[:3]:
        yield f"**{ours} minus {theirs}**; bold where the 95 % interval leaves out 0:\n"
        yield f"| film, length | {' | '.join(label for _, label, _ in figures)} |"
        yield "|---|--:|--:|"
        for name, table in tables.items():
            known = both_ways(table)
            found = [known.get((ours, theirs, key)) for key, _, _ in figures]
            if None not in found:
                cells = (
                    interval(*each, form)
                    for each, (_, _, form) in zip(found, figures, strict=True)
                    if each is not None
                )
                film, seconds = name.rsplit("-", 1)
                yield f"| {film}, {seconds} s | {' | '.join(cells)} |"
        yield ""


def both_ways(table: Table) -> dict[tuple[str, str, str], tuple[Table, int]]:
    """Return differences by pair and measure, each pair in both orders."""
    known = {(d["ours"], d["theirs"], d["figure"]): (d, 1) for d in table["differences"]}
    turned = {(theirs, ours, figure): (d, -1) for (ours, theirs, figure), (d, _) in known.items()}
    return known | turned


def trained(table: Table) -> dict[str, str]:
    """Return the mean training time of each recipe, in seconds."""
    found: dict[str, list[float]] = {}
    for brain in table["brains"]:
        found.setdefault(brain["recipe"], []).append(brain["seconds"])
    return {system: f"{sum(took) / len(took):.0f}" for system, took in found.items()}


def differences(table: Table) -> Iterator[str]:
    """Yield rows of differences between recipes; bold where the interval excludes 0."""
    known = both_ways(table)
    for ours, theirs in PAIRS:
        cells = []
        for key, (_, form) in MEASURES.items():
            found = known.get((ours, theirs, key))
            cells.append("-" if found is None else interval(*found, form))
        if set(cells) != {"-"}:
            yield f"| {ours} minus {theirs} | {' | '.join(cells)} |"


def interval(difference: Table, sign: int, form: str) -> str:
    """Return a difference and its interval as text."""
    value, *ends = (sign * difference[key] for key in ("difference", "low", "high"))
    low, high = sorted(ends)
    said = [f"{round(each, int(form[-2])) + 0.0:+{form}}" for each in (value, low, high)]
    text = f"{said[0]} ({said[1]} to {said[2]})"
    sure = (low > 0 or high < 0) and not difference.get("no_verdict")
    return f"**{text}**" if sure else text


def cell(figure: Table | None, form: str) -> str:
    """Return a mean and its spread over seeds as text."""
    if figure is None or figure["mean"] is None:
        return "-"
    spread = figure.get("spread") or figure.get("sd")
    return f"{figure['mean']:{form}}" + (f" ({spread:{form}})" if spread else "")


def main() -> None:
    """Run the comparisons that the command line asks for, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--films", nargs="+", default=demo_film_names(), choices=demo_film_names())
    parser.add_argument("--seconds", nargs="+", type=float, default=[20.0, 60.0])
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--table", action="store_true", help="collect finished comparisons only")
    parser.add_argument("-o", "--out", type=Path, default=Path("study"))
    args = parser.parse_args()
    work = args.out / "work"
    if not args.table:
        for film in args.films:
            for seconds in args.seconds:
                compare(film, seconds, args.recipes, args.seeds, work)
    tables = load_results(work)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "results.json").write_text(json.dumps(tables) + "\n", encoding="utf-8")
    text = "\n".join(page(tables))
    (args.out / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
