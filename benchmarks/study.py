"""Does depth help, and does memory? Brains compared over kinds of film, and lengths of it.

    python benchmarks/study.py [--films bounce lines] [--seconds 20 60] [--seeds 3] [-o FOLDER]

Of each demo film so many seconds are learned (seed 0), and 30 s of another seed judged, by
`frame2sound compare`, with its baselines and intervals. Each comparison has a folder in
FOLDER/work and goes on where it stopped; its results are gathered in FOLDER: `results.json`, and
`README.md` with a table of all. `--table` only gathers.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from footage import STUDY_FILMS, draw_film

from frame2sound.comparison.plan import ComparisonPlan, load_variants
from frame2sound.comparison.segments import EvaluationFilm
from frame2sound.evaluation.measure_table import MEASURES
from frame2sound.film.drawing.demo_films import demo_film_names
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.pickler import pickle_film
from frame2sound.library.split import split_library
from frame2sound.library.store import Library
from frame2sound.progress_bars import ProgressBars
from frame2sound.studio import run_comparison

RECIPES = ("shallow", "deep", "deep input.history=3 input.motion=true", "memory")
SIZE = (480, 360)
JUDGED_SECONDS, JUDGED_SEED = 30.0, 1
SHOWN = {
    name: (MEASURES[name].column_with_unit, ".2f")
    for name in ("onset_f", "envelope_correlation", "spectral_distance_db", "pitch")
}
PAIRS = (("deep", "shallow"), ("memory", "deep"), ("memory", RECIPES[2]), (RECIPES[2], "deep"))
"""Which brain is set against which."""

Table = dict[str, Any]


def compare(film: str, seconds: float, recipes: list[str], seeds: int, work: Path) -> None:
    """Compare recipes on a film, or go on doing so."""
    out = work / f"{film}-{seconds:g}"
    learned = draw_film(work / "films", film, seconds, 0, SIZE)
    judged = draw_film(work / "films", film, JUDGED_SECONDS, JUDGED_SEED, SIZE)
    library = Library.create(out / "library")
    add_calibration_film(library)
    for path in (learned, judged):
        pickle_film(path, library)
    unseen = [each.name for each in library.films() if each.card.source.endswith(judged.name)]
    parted = split_library(library, None, unseen)
    footage = tuple(map(EvaluationFilm.from_held_out, parted.held_out))
    plan = ComparisonPlan(
        out / "comparison", load_variants(recipes), seeds, parted, footage, "overlap-add"
    )
    with ProgressBars() as progress:
        run_comparison(plan, "cpu", progress.show)


def gathered(work: Path) -> dict[str, Table]:
    """Return the results of all comparisons that are done, by film and seconds."""
    found = {}
    for path in sorted(work.glob("*/comparison/results.json")):
        found[path.parts[-3]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def page(tables: dict[str, Table]) -> Iterator[str]:
    """Yield the lines of a page: a table of figures, and one of differences."""
    yield "# Shallow or deep, with memory or without\n"
    yield "Made by `python benchmarks/study.py -o benchmarks/study`. Means over seeds, with their"
    yield "standard deviation; beside brains, what does not learn. *Distance* is of log spectra."
    yield "Seconds are those of the training, beside whatever else the computer had to do.\n"
    yield from summary(tables)
    heads = [label for label, _ in SHOWN.values()]
    for name, table in tables.items():
        film, seconds = name.rsplit("-", 1)
        yield f"## {film}, {seconds} s learned\n"
        yield f"| | {' | '.join(heads)} | trained, s |"
        yield "|---|" + "--:|" * (len(heads) + 1)
        took = trained(table)
        for who, figures in table["figures"].items():
            cells = (cell(figures.get(key), form) for key, (_, form) in SHOWN.items())
            yield f"| {who} | {' | '.join(cells)} | {took.get(who, '-')} |"
        yield ""
        lines = list(differences(table))
        if lines:
            yield "| difference (95 % interval) | " + " | ".join(heads) + " |"
            yield "|---|" + "--:|" * len(heads)
            yield from lines
            yield ""


def summary(tables: dict[str, Table]) -> Iterator[str]:
    """Yield one table of what matters most: envelopes and distances, over all films."""
    figures = [(key, *SHOWN[key]) for key in ("envelope_correlation", "spectral_distance_db")]
    for ours, theirs in PAIRS[:3]:
        yield f"**{ours} minus {theirs}**; bold where the 95 % interval leaves out 0:\n"
        yield f"| film, learned | {' | '.join(label for _, label, _ in figures)} |"
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
    """Return differences by who is above whom in what, each also the other way round."""
    known = {(d["ours"], d["theirs"], d["figure"]): (d, 1) for d in table["differences"]}
    turned = {(theirs, ours, figure): (d, -1) for (ours, theirs, figure), (d, _) in known.items()}
    return known | turned


def trained(table: Table) -> dict[str, str]:
    """Return the mean seconds that training each recipe took."""
    found: dict[str, list[float]] = {}
    for brain in table["brains"]:
        found.setdefault(brain["recipe"], []).append(brain["seconds"])
    return {who: f"{sum(took) / len(took):.0f}" for who, took in found.items()}


def differences(table: Table) -> Iterator[str]:
    """Yield rows: by how much one brain is above another; bold where the interval excludes 0."""
    known = both_ways(table)
    for ours, theirs in PAIRS:
        cells = []
        for key, (_, form) in SHOWN.items():
            found = known.get((ours, theirs, key))
            cells.append("-" if found is None else interval(*found, form))
        if set(cells) != {"-"}:
            yield f"| {ours} minus {theirs} | {' | '.join(cells)} |"


def interval(difference: Table, sign: int, form: str) -> str:
    """Return a difference and its interval."""
    value, *ends = (sign * difference[key] for key in ("difference", "low", "high"))
    low, high = sorted(ends)
    said = [f"{round(each, int(form[-2])) + 0.0:+{form}}" for each in (value, low, high)]
    text = f"{said[0]} ({said[1]} to {said[2]})"
    sure = (low > 0 or high < 0) and not difference.get("no_verdict")
    return f"**{text}**" if sure else text


def cell(figure: Table | None, form: str) -> str:
    """Return a mean, and the spread over seeds."""
    if figure is None or figure["mean"] is None:
        return "-"
    spread = figure.get("spread") or figure.get("sd")
    return f"{figure['mean']:{form}}" + (f" ({spread:{form}})" if spread else "")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--films", nargs="+", default=STUDY_FILMS, choices=demo_film_names())
    parser.add_argument("--seconds", nargs="+", type=float, default=[20.0, 60.0])
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--table", action="store_true", help="gather what is done")
    parser.add_argument("-o", "--out", type=Path, default=Path("study"))
    given = parser.parse_args()
    work = given.out / "work"
    if not given.table:
        for film in given.films:
            for seconds in given.seconds:
                compare(film, seconds, given.recipes, given.seeds, work)
    tables = gathered(work)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "results.json").write_text(json.dumps(tables) + "\n", encoding="utf-8")
    text = "\n".join(page(tables))
    (given.out / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
