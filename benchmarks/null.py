"""Compare identical recipes, and count how often they are told apart, though nothing differs.

    python benchmarks/null.py [--films 12] [--seeds 30] [--draws 5000] [-o FOLDER]

One quick recipe is trained with many seeds on one part of a library of drawn films, and judged on
the rest, once: FOLDER/pool goes on where it stopped. Then many comparisons are formed of this pool:
five of its seeds under one name against five others under another name, on some of its films. Each
verdict is false. So are those of simulated brains, whose films, seeds and blocks vary as is said:
there the interval must also cover a difference that is known.

FOLDER gets `null.json`, and `README.md` with the tables. `--simulate` leaves the pool out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from footage import draw_film
from numpy.typing import NDArray
from scipy.stats import beta

from frame2sound.atomic import atomic_write
from frame2sound.comparison.block_stats import STATISTICS
from frame2sound.comparison.comparison import Comparison
from frame2sound.comparison.intervals import paired_difference
from frame2sound.comparison.plan import ComparisonPlan, load_variants
from frame2sound.comparison.segments import EvaluationFilm
from frame2sound.comparison.verdicts import MIN_SEEDS, PRIMARY_MEASURE, SIGNIFICANCE_LEVEL, holm
from frame2sound.errors import ComparisonError
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.pickler import pickle_film
from frame2sound.library.split import split_library
from frame2sound.library.store import Library
from frame2sound.progress_bars import ProgressBars

LAWS = ("typing", "bounce", "lines", "scratch", "steps", "machine")
SIZE, RATE = (128, 96), 8000
LEARNED_SECONDS, JUDGED_SECONDS = 12.0, 16.0
RECIPE = [
    f"clock.sample_rate={RATE}", "clock.fps=15", "network.hidden=[32]",
    "training.epochs=20", "training.batch=64",
]  # fmt: skip
FILM_COUNTS = (1, 4, 10)

FALSE = ("primary", "any_verdict", "figures")
"""What may be false: the primary figure, any verdict of a comparison, and each figure."""

Array = NDArray[np.float64]
Pool = dict[str, dict[str, Array]]
"""Sums of shape (seeds, blocks, k) by measure and film."""


def make_pool(folder: Path, films: int, seeds: int) -> Pool:
    """Return the sums of brains of one recipe, or go on training and judging them."""
    library = Library.create(folder / "library", RATE)
    add_calibration_film(library)
    judged = []
    for number in range(films + len(LAWS)):
        law, seed = LAWS[number % len(LAWS)], number // len(LAWS)
        seconds = JUDGED_SECONDS if seed else LEARNED_SECONDS
        path = draw_film(folder / "films", law, seconds, seed, SIZE)
        pickled, _ = pickle_film(path, library)
        if seed:
            judged.append(pickled.name)
    split = split_library(library, None, judged)
    plan = ComparisonPlan(
        folder / "comparison",
        load_variants(["shallow"], RECIPE),
        seeds,
        split,
        tuple(map(EvaluationFilm.from_held_out, split.held_out)),
    )
    with ProgressBars() as progress:
        comparison = Comparison(plan, "cpu", progress.show)
        plan.claim_folder()
        results = comparison.run()
    brains = [each for each in results if each.system.kind == "brain"]
    pool: Pool = {name: {} for name in STATISTICS}
    for segment in comparison.segments:
        for name, films_of in pool.items():
            sums = [each.records[segment.name].block_sums.get(name) for each in brains]
            if all(each is not None for each in sums):
                films_of[segment.film.name] = np.stack(sums)
    return pool


def save_pool(pool: Pool, path: Path) -> None:
    """Write the sums, an array for each measure and film."""
    arrays = {
        f"{name}/{film}": sums for name, films in pool.items() for film, sums in films.items()
    }
    with atomic_write(path, ComparisonError) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)


def load_pool(path: Path) -> Pool:
    """Return the sums that `save_pool` wrote."""
    pool: Pool = {name: {} for name in STATISTICS}
    with np.load(path, allow_pickle=False) as arrays:
        for key in arrays.files:
            name, film = key.split("/", 1)
            pool[name][film] = arrays[key]
    return pool


@dataclass(frozen=True)
class Draws:
    """Comparisons drawn from a pool: what was drawn (draws, units), and what was false (draws,)."""

    seeds: NDArray[np.bool_]
    films: NDArray[np.bool_]
    primary: NDArray[np.bool_]
    any_verdict: NDArray[np.bool_]
    figures: Array
    """Share of all figures whose p is below 5 %, uncorrected."""


def draw_comparisons(pool: Pool, film_count: int, draws: int, random_seed: int) -> Draws:
    """Return comparisons of five seeds against five others on some films of a pool."""
    rng = np.random.default_rng(random_seed)
    names = sorted(pool[PRIMARY_MEASURE])
    seeds = len(pool[PRIMARY_MEASURE][names[0]])
    drawn_seeds, drawn_films = np.zeros((draws, seeds), bool), np.zeros((draws, len(names)), bool)
    primary, any_verdict, figures = [], [], []
    for draw in range(draws):
        order = rng.permutation(seeds)[: 2 * MIN_SEEDS]
        chosen = rng.permutation(len(names))[:film_count]
        drawn_seeds[draw, order] = drawn_films[draw, chosen] = True
        p_values = {}
        for measure, films in pool.items():
            sums = [films[names[at]] for at in chosen if names[at] in films]
            found = sums and paired_difference(
                [each[order[:MIN_SEEDS]] for each in sums],
                [each[order[MIN_SEEDS:]] for each in sums],
                STATISTICS[measure],
            )
            if found:
                p_values[measure] = found.p_value
        first = p_values.pop(PRIMARY_MEASURE, 1.0)
        primary.append(first < SIGNIFICANCE_LEVEL)
        others = holm(list(p_values.values()))
        any_verdict.append(primary[-1] or min(others, default=1.0) < SIGNIFICANCE_LEVEL)
        figures.append(np.mean(np.array([first, *p_values.values()]) < SIGNIFICANCE_LEVEL))
    return Draws(
        drawn_seeds, drawn_films, np.array(primary), np.array(any_verdict), np.array(figures)
    )


def share_of_pool(values: Array, draws: Draws) -> dict[str, float]:
    """Return a share of draws from a pool, with a 95 % interval that knows that they overlap.

    The variance of a mean over subsets of a sample is estimated by how it depends on each unit's
    being drawn (the infinitesimal jackknife: Wager and Athey, "Estimation and inference of
    heterogeneous treatment effects using random forests", JASA 113, 2018, section 3), for seeds and
    films; the interval is that of Clopper and Pearson with as many independent draws as have it.
    """
    share = float(values.mean())
    variance = share * (1 - share) / len(values)
    for drawn in (draws.seeds, draws.films):
        units, taken = drawn.shape[1], drawn[0].sum()
        if taken == units:
            continue
        covariances = ((drawn - drawn.mean(0)) * (values - share)[:, None]).mean(0)
        noise = values.var() * (drawn.var(0)) / len(values)
        spread = (covariances**2 - noise).sum() * (units - 1) / units
        variance += max(0.0, float(spread)) * (units / (units - taken)) ** 2
    effective = share * (1 - share) / variance if variance else len(values)
    low, high = clopper_pearson(share * effective, effective)
    return {"share": share, "low": low, "high": high, "effective_draws": float(effective)}


def clopper_pearson(count: float, total: float) -> tuple[float, float]:
    """Return the 95 % interval of a share."""
    low = float(beta.ppf(0.025, count, total - count + 1)) if count else 0.0
    high = float(beta.ppf(0.975, count + 1, total - count)) if count < total else 1.0
    return low, high


@dataclass(frozen=True)
class Components:
    """Standard deviations of what differs between two recipes in a block of film."""

    film: float
    seed: float
    film_and_seed: float
    block: float
    correlation: float = 0.6
    """Of a block and the next."""
    skewed: bool = False

    def draw(self, rng: np.random.Generator, films: int, blocks: int) -> tuple[Array, Array]:
        """Return values (films, seeds, blocks) of two recipes, and the differences of films."""
        of_film = self.film * self._noise(rng, films)
        recipes = [self._recipe(rng, films, blocks) for _ in range(2)]
        recipes[0] += of_film[:, None, None]
        return np.stack(recipes), of_film

    def _recipe(self, rng: np.random.Generator, films: int, blocks: int) -> Array:
        steps = self._noise(rng, films, MIN_SEEDS, blocks)
        noise = np.empty_like(steps)
        noise[..., 0] = steps[..., 0]
        for at in range(1, blocks):
            rest = np.sqrt(1 - self.correlation**2) * steps[..., at]
            noise[..., at] = self.correlation * noise[..., at - 1] + rest
        of_seed = self.seed * self._noise(rng, 1, MIN_SEEDS, 1)
        both = self.film_and_seed * self._noise(rng, films, MIN_SEEDS, 1)
        return of_seed / np.sqrt(2) + both / np.sqrt(2) + self.block * noise / np.sqrt(2)

    def _noise(self, rng: np.random.Generator, *shape: int) -> Array:
        return rng.exponential(size=shape) - 1 if self.skewed else rng.normal(size=shape)


CASES = {
    "seeds differ most": Components(0.2, 1.0, 0.3, 0.5),
    "films differ most": Components(1.0, 0.2, 0.3, 0.5),
    "seeds and films, and both together": Components(0.6, 0.6, 0.6, 0.5),
    "blocks differ most": Components(0.1, 0.1, 0.1, 2.0),
    "seeds differ most, skewed": Components(0.2, 1.0, 0.3, 0.5, skewed=True),
    "films differ most, skewed": Components(1.0, 0.2, 0.3, 0.5, skewed=True),
    "all skewed": Components(0.6, 0.6, 0.6, 0.5, skewed=True),
}
BLOCKS = 15


def simulate(case: Components, films: int, draws: int) -> dict[str, float]:
    """Return how often the interval leaves out the truth: of all films, or of the one there is."""
    rng, missed = np.random.default_rng([films, draws]), 0
    for _ in range(draws):
        (ours, theirs), of_film = case.draw(rng, films, BLOCKS)
        found = paired_difference(
            [np.stack([each, np.ones_like(each)], -1) for each in ours],
            [np.stack([each, np.ones_like(each)], -1) for each in theirs],
            STATISTICS["spectral_distance_db"],
        )
        truth = float(of_film[0]) if films == 1 else 0.0
        missed += not (found is not None and found.low <= truth <= found.high)
    low, high = clopper_pearson(missed, draws)
    return {"share": missed / draws, "low": low, "high": high}


def cell(found: dict[str, float]) -> str:
    """Return a share and its interval in percent."""
    share, low, high = (100 * found[name] for name in ("share", "low", "high"))
    return f"{share:.1f} ({low:.1f} to {high:.1f})"


def page(table: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the page."""
    yield "# Identical recipes\n"
    yield "Made by `python benchmarks/null.py -o benchmarks/null`. Shares in percent, with 95 %"
    yield "intervals; 5 is meant, and at most 7 is asked for. Each name has five seeds.\n"
    if "pool" in table:
        about = table["pool"]["about"]
        yield f"**Trained brains.** {about['seeds']} brains of one quick recipe, judged on"
        yield f"{about['films']} films of {len(LAWS)} laws ({', '.join(LAWS)});"
        yield f"{about['draws']} comparisons are drawn for each row. They overlap: the intervals"
        yield "count that, by a rough estimate. `pool.npz` holds the sums of blocks.\n"
        yield "| films | primary figure | any verdict | all figures, uncorrected |"
        yield "|--:|--:|--:|--:|"
        for films, row in table["pool"]["shares"].items():
            cells = (cell(row[name]) for name in FALSE)
            yield f"| {films} | {' | '.join(cells)} |"
        yield ""
    yield f"**Simulated brains.** {table['simulated']['draws']} comparisons for each cell; the"
    yield "share of intervals that leave out the truth, which is that of all films, or of the only"
    yield "one. Blocks follow each other with a correlation of 0.6. Skewed is exponential noise:"
    yield "few films that are far to one side cannot be known from a few others.\n"
    counts = list(next(iter(table["simulated"]["shares"].values())))
    heads = (f"{count} film{'s' * (count != '1')}" for count in counts)
    yield f"| what differs | {' | '.join(heads)} |"
    yield "|---|" + "--:|" * len(counts)
    for name, row in table["simulated"]["shares"].items():
        yield f"| {name} | {' | '.join(map(cell, row.values()))} |"


def main() -> None:
    """Train or read the pool, draw, simulate, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--out", type=Path, default=Path("null"), metavar="FOLDER")
    parser.add_argument("--films", type=int, default=12, help="judged films of the pool")
    parser.add_argument("--seeds", type=int, default=30, help="brains of the pool")
    parser.add_argument("--draws", type=int, default=5000, help="comparisons from the pool")
    parser.add_argument("--simulated", type=int, default=1500, help="simulated comparisons")
    parser.add_argument("--simulate", action="store_true", help="leave the trained pool out")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    table: dict[str, Any] = {}
    if not options.simulate:
        path = options.out / "pool.npz"
        if not path.exists():
            save_pool(make_pool(options.out / "pool", options.films, options.seeds), path)
        pool = load_pool(path)
        first = next(iter(pool[PRIMARY_MEASURE].values()))
        about = {"films": len(pool[PRIMARY_MEASURE]), "seeds": len(first), "draws": options.draws}
        shares = {}
        for count in FILM_COUNTS:
            draws = draw_comparisons(pool, count, options.draws, count)
            shares[str(count)] = {
                name: share_of_pool(np.asarray(getattr(draws, name), np.float64), draws)
                for name in FALSE
            }
        table["pool"] = {"about": about, "shares": shares}
    simulated = {
        name: {str(films): simulate(case, films, options.simulated) for films in FILM_COUNTS}
        for name, case in CASES.items()
    }
    table["simulated"] = {"draws": options.simulated, "shares": simulated}
    for name, text in (
        ("null.json", json.dumps(table, indent=1) + "\n"),
        ("README.md", "\n".join(page(table)) + "\n"),
    ):
        with atomic_write(options.out / name, ComparisonError) as partial:
            partial.write_text(text, encoding="utf-8")
    print((options.out / "README.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
