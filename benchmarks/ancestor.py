"""Time all of Hindle's recipes of 2015, from films to trained brains.

    python benchmarks/ancestor.py [--recipe NAME ...] [--minutes 30] [--rates 1 2 0.5]
        [--films FOLDER] [-o FOLDER]

Demo films of equal length are drawn once (not timed) and kept in --films. The commands that a user
would type are timed from start to end: `frame2sound pickle` of all films, and `frame2sound train`
with the recipe's defaults. Required: both together take at most a quarter of the films' duration,
or a tenth where there is one hidden layer.

Then the same network is trained with four times the steps, epochs and patience, once at each of
--rates, which multiply the recipe's learning rate. The lowest held-out loss of all these trainings
counts as converged; the loss of the first brain must be within 1.02 times of it. `--rates` without
values omits this. Losses are relative to silence's. Where no brain is better than silence, the best
one is chosen by training loss, and the ratio says nothing.

Recipes of the same shape, clock, target and training share one run. Results are stored in -o, in a
folder named after the minutes, so that the next call continues from there; the table is written
into README.md of -o.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec.structs
from films import write_part
from footage import draw_all_films

from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.frame_encoding import input_size
from frame2sound.brain.recipe import Recipe, load_recipe, parse_recipe, recipe_table
from frame2sound.library.calibration import is_calibration
from frame2sound.library.store import Library
from frame2sound.training.checkpoint import checkpoint_path
from frame2sound.training.trainer import GENERALISATION_THRESHOLD

ANCESTORS = (
    "armstrong-basic",
    "lines-small",
    "lines",
    "seeing-a-sound-shallow",
    "seeing-a-sound-deeper",
    "ramshackletyping",
    "osborne-combined-big",
    "kungfury",
    "four-layers",
    "stft-real",
    "stft-mag",
    "stft-both",
    "stft-both-fft2",
)
LONGER, RATES = 4, (1.0, 2.0, 0.5)
QUARTER, TENTH, NEAR = 0.25, 0.1, 1.02


@dataclass(frozen=True)
class Result:
    """The times of a run and its losses.

    Attributes
    ----------
    recipe : dict
        Its table, to recognise results of another recipe.
    pickling, training : float
        Seconds of the commands, from start to end.
    learning : float
        Seconds of the training loop alone, for ``steps`` and ``pairs``.
    held_out : float
        Held-out loss of the brain that was saved.
    curve : list
        Held-out losses, epoch by epoch.
    longer : dict
        Those of each longer training, by its factor of the rate.
    """

    recipe: dict[str, Any]
    network: str
    learned: int
    fused: int
    film: float
    pickling: float
    training: float
    learning: float
    steps: int
    pairs: int
    held_out: float
    curve: list[float]
    longer: dict[str, list[float]]

    @property
    def share(self) -> float:
        """Return the time of both commands as a share of the films' duration."""
        return (self.pickling + self.training) / self.film

    @property
    def most(self) -> float:
        """Return the largest share that is required."""
        return TENTH if len(self.recipe["network"]["hidden"]) == 1 else QUARTER

    @property
    def converged(self) -> float | None:
        """Return the lowest loss of the longer trainings and of this one, if there are any."""
        if not self.longer:
            return None
        return min(min(self.curve), *map(min, self.longer.values()))


class Bench:
    """The runs of one call and the folder of their results."""

    def __init__(self, films: list[Path], work: Path, settings: list[str], device: str) -> None:
        self.films, self.work = films, work
        self.settings, self.device = settings, device

    def run(self, name: str) -> Result:
        """Return a recipe's result: loaded, or measured now."""
        recipe = load_recipe(name, self.settings)
        path = self.work / f"{name}.json"
        result = self._load(path, recipe) or self._measure(name, recipe)
        _write_json(path, asdict(result))
        return result

    def run_longer(self, name: str, rate: float) -> Result:
        """Return the result with the longer training at a factor of the rate."""
        result = self.run(name)
        if f"{rate:g}" not in result.longer:
            brain = self._longer(name, load_recipe(name, self.settings), rate)
            losses = brain.provenance["held_out_loss"]
            result = replace(result, longer=result.longer | {f"{rate:g}": losses})
            _write_json(self.work / f"{name}.json", asdict(result))
        return result

    def library(self, rate: int) -> tuple[Library, float]:
        """Return the library of all films at a sample rate, and the seconds that pickling took."""
        folder, times_file = self.work / f"library-{rate}", self.work / f"library-{rate}.json"
        if not times_file.exists():
            shutil.rmtree(folder, ignore_errors=True)  # incomplete
            films, options = map(str, self.films), ["--sample-rate", str(rate)]
            took = _command("pickle", *films, "--library", str(folder), *options)
            _write_json(times_file, {"seconds": took})
        return Library.open(folder), float(json.loads(times_file.read_text())["seconds"])

    def _load(self, path: Path, recipe: Recipe) -> Result | None:
        if not path.exists():
            return None
        result = Result(**json.loads(path.read_text()))
        return result if parse_recipe(result.recipe) == recipe else None

    def _measure(self, name: str, recipe: Recipe) -> Result:
        library, pickling = self.library(recipe.clock.sample_rate)
        out = self.work / f"{name}.safetensors"
        training = self._train(name, library, out, self.settings, "--overwrite")
        brain = load_brain(out)
        card = brain.provenance
        pairs, choice = card["pairs"]["learned"], recipe.training
        batch = min(choice.batch, pairs // choice.min_steps)
        steps = card["epochs"] * (pairs // batch)
        return Result(
            recipe_table(recipe),
            *_network(brain),
            film=sum(film.seconds for film in library.films() if not is_calibration(film)),
            pickling=pickling,
            training=training,
            learning=card["seconds"],
            steps=steps,
            pairs=steps * batch,
            held_out=card["held_out_loss"][card["best_epoch"] - 1],
            curve=card["held_out_loss"],
            longer={},
        )

    def _longer(self, name: str, recipe: Recipe, rate: float) -> Brain:
        """Return the brain of the longer training at a factor of the rate; resume or begin it."""
        config = recipe.training
        settings = [
            *self.settings,
            f"training.rate={rate * config.rate!r}",
            *(f"training.{what}={LONGER * getattr(config, what)}"
              for what in ("steps", "epochs", "patience")),
        ]  # fmt: skip
        out = self.work / f"{name}-longer-{rate:g}.safetensors"
        if checkpoint_path(out).exists() or not _is_brain(out, load_recipe(name, settings)):
            library, _ = self.library(recipe.clock.sample_rate)
            how = "--resume" if checkpoint_path(out).exists() else "--overwrite"
            self._train(name, library, out, settings, how, "--corpus=none")
        return load_brain(out)

    def _train(
        self, name: str, library: Library, out: Path, settings: list[str], *options: str
    ) -> float:
        changes = [part for setting in settings for part in ("--set", setting)]
        where = ["--out", str(out), "--device", self.device]
        return _command("train", str(library.path), "--recipe", name, *changes, *where, *options)


def _command(*words: str) -> float:
    """Run a command of the program and return the seconds that it took."""
    print("frame2sound", *words, flush=True)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "frame2sound", *words], check=True)
    return time.perf_counter() - began


def _is_brain(path: Path, recipe: Recipe) -> bool:
    return path.exists() and load_brain(path).recipe == recipe


def _network(brain: Brain) -> tuple[str, int, int]:
    """Return the widths of all layers, and the counts of trained and of fused weights."""
    recipe, learned = brain.recipe, brain.network.parameters()
    widths = [input_size(recipe.input), *recipe.network.hidden, brain.target.length]
    fused = sum((before + 1) * after for before, after in pairwise(widths))
    count = sum(tensor.numel() for tensor in learned if tensor.requires_grad)
    return "-".join(map(str, widths)), count, fused


def _write_json(path: Path, table: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def group_recipes(names: list[str], settings: list[str]) -> dict[str, list[str]]:
    """Return groups of recipes that differ in name only, by the first of each."""
    groups: list[tuple[Recipe, list[str]]] = []
    for name in names:
        bare = msgspec.structs.replace(load_recipe(name, settings), name="", about="")
        found = next((members for recipe, members in groups if recipe == bare), None)
        if found is None:
            groups.append((bare, [name]))
        else:
            found.append(name)
    return {members[0]: members for _, members in groups}


def table(groups: dict[str, list[str]], results: dict[str, Result]) -> Iterator[str]:
    """Yield lines of Markdown."""
    film = max(result.film for result in results.values())
    yield (
        f"Demo films, {film:.0f} s in all; recipes in one row share one run. Losses are those of "
        "held-out pairs, relative to silence's; converged is the lowest of trainings with "
        f"{LONGER} times the steps, at the rates in brackets times the recipe's.\n"
    )
    yield (
        "| recipe | network | weights, of them trained | pickling s | training s | in all s "
        "| of the films' duration | required | loss | converged | ratio, required at most 1.02 "
        "| steps/s | pairs/s |"
    )
    yield "|---|---|--:|--:|--:|--:|--:|---|--:|--:|---|--:|--:|"
    for first, result in results.items():
        yield "| " + " | ".join(_cells(groups[first], result)) + " |"


def _cells(names: list[str], result: Result) -> Iterator[str]:
    yield ", ".join(names)
    yield result.network
    yield f"{result.fused / 1e6:.1f} M, {result.learned / 1e6:.1f} M"
    yield f"{result.pickling:.0f}"
    yield f"{result.training:.0f}"
    yield f"{result.pickling + result.training:.0f}"
    yield f"{result.share:.3f}"
    yield f"{result.most:g}: {_verdict(result.share <= result.most)}"
    yield f"{result.held_out:.4f}"
    if result.converged is None:
        yield from ("-", "-")
    else:
        ratio = result.held_out / result.converged
        yield f"{result.converged:.4f} ({', '.join(result.longer)})"
        generalises = result.held_out < GENERALISATION_THRESHOLD
        yield f"{ratio:.3f}: {_verdict(ratio <= NEAR) if generalises else 'no better than silence'}"
    yield f"{result.steps / result.learning:.1f}"
    yield f"{result.pairs / result.learning:.0f}"


def _verdict(met: bool) -> str:
    return "met" if met else "**short**"


def main() -> None:
    """Measure the recipes and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--recipe", nargs="+", default=list(ANCESTORS), metavar="NAME")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rates", nargs="*", type=float, default=list(RATES), metavar="TIMES")
    parser.add_argument("--films", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="KEY=VALUE", help="changes of the recipes"
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("-o", "--out", type=Path, metavar="FOLDER")
    args = parser.parse_args()
    groups = group_recipes(args.recipe, args.set)
    results: dict[str, Result] = {}
    with tempfile.TemporaryDirectory() as temporary:
        work = (args.out or Path(temporary)) / f"ancestor-{args.minutes:g}"
        work.mkdir(parents=True, exist_ok=True)
        films = draw_all_films(args.films or work / "films", args.minutes)
        bench = Bench(films, work, args.set, args.device)
        for first in groups:
            results[first] = bench.run(first)
            report(groups, results, args.out)
        for rate in args.rates:
            for first in groups:
                results[first] = bench.run_longer(first, rate)
                report(groups, results, args.out)


def report(groups: dict[str, list[str]], results: dict[str, Result], out: Path | None) -> None:
    """Print the present table and write it."""
    lines = "\n".join(table(groups, results)) + "\n"
    if out is not None:
        write_part(out / "README.md", "ancestor", lines)
    print(lines, flush=True)


if __name__ == "__main__":
    main()
