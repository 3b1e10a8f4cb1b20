"""From film to trained brain, for every brain that Hindle made in 2015.

    python benchmarks/ancestor.py [--recipe NAME ...] [--minutes 30] [--rates 1 2 0.5]
        [--films FOLDER] [-o FOLDER]

The demo films, equally long, are drawn once (which is not counted) and kept in --films. Counted are
the commands that a person would type, from their start to their end: `frame2sound pickle` of all
films, and `frame2sound train` with the recipe's defaults. Asked: that both take a quarter of the
films' duration at most, and a tenth where there is one hidden layer.

Then the same network is trained with four times the steps, epochs and patience, once at each of
--rates, by which the recipe's is multiplied. The lowest held-out loss of all, at any epoch, counts
as converged; the one of the brain that was kept is asked to be within 1.02 of it. `--rates` with
nothing after it leaves this out.
Losses are relative to silence's. A brain that is no better than silence was kept for what it
remembers of the films it learned; of such a one the ratio says nothing.

Recipes of the same shape, clock, target and training share one run. Whatever is done is kept in
-o, in a folder named after the minutes, so that the next call goes on from there; the table is
written into the README.md of -o.
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
from footage import all_drawn

from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.features import input_size
from frame2sound.brain.recipe import Recipe, load_recipe, parse_recipe, recipe_table
from frame2sound.library.calibration import is_calibration
from frame2sound.library.store import Library
from frame2sound.training.checkpoint import checkpoint_path
from frame2sound.training.samplers import MIN_STEPS
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
    """What a run took, and what came of it.

    Attributes
    ----------
    recipe : dict
        Its table: a result of another recipe is none.
    pickling, training : float
        Seconds of the commands, from start to end.
    learning : float
        Seconds of the training loop alone, in which ``steps`` and ``pairs`` were learned.
    held_out : float
        Loss of the brain that was kept.
    curve : list
        Held-out losses, epoch by epoch.
    longer : dict
        Those of each longer training, by its share of the rate.
    """

    recipe: dict[str, Any]
    network: str
    learned: int
    folded: int
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
        """Return what share of the films' duration it took to make a brain of them."""
        return (self.pickling + self.training) / self.film

    @property
    def most(self) -> float:
        """Return what share was asked for."""
        return TENTH if len(self.recipe["network"]["hidden"]) == 1 else QUARTER

    @property
    def converged(self) -> float | None:
        """Return the lowest loss of the longer trainings and of this one, if there are any."""
        if not self.longer:
            return None
        return min(min(self.curve), *map(min, self.longer.values()))


class Bench:
    """The runs of one call, and the folder in which they are kept."""

    def __init__(self, films: list[Path], work: Path, settings: list[str], device: str) -> None:
        self.films, self.work = films, work
        self.settings, self.device = settings, device

    def run(self, name: str) -> Result:
        """Return a recipe's result: found, or measured."""
        recipe = load_recipe(name, self.settings)
        path = self.work / f"{name}.json"
        result = self._kept(path, recipe) or self._timed(name, recipe)
        _write_json(path, asdict(result))
        return result

    def run_longer(self, name: str, rate: float) -> Result:
        """Return the result with the longer training at a share of the rate."""
        result = self.run(name)
        if f"{rate:g}" not in result.longer:
            brain = self._longer(name, load_recipe(name, self.settings), rate)
            losses = brain.provenance["held_out_loss"]
            result = replace(result, longer=result.longer | {f"{rate:g}": losses})
            _write_json(self.work / f"{name}.json", asdict(result))
        return result

    def library(self, rate: int) -> tuple[Library, float]:
        """Return the films pickled at a sample rate, and the seconds that it took."""
        folder, said = self.work / f"library-{rate}", self.work / f"library-{rate}.json"
        if not said.exists():
            shutil.rmtree(folder, ignore_errors=True)  # was left half done
            films, options = map(str, self.films), ["--sample-rate", str(rate)]
            took = _command("pickle", *films, "--library", str(folder), *options)
            _write_json(said, {"seconds": took})
        return Library.open(folder), float(json.loads(said.read_text())["seconds"])

    def _kept(self, path: Path, recipe: Recipe) -> Result | None:
        if not path.exists():
            return None
        result = Result(**json.loads(path.read_text()))
        return result if parse_recipe(result.recipe) == recipe else None

    def _timed(self, name: str, recipe: Recipe) -> Result:
        library, pickling = self.library(recipe.clock.sample_rate)
        out = self.work / f"{name}.safetensors"
        training = self._train(name, library, out, self.settings, "--overwrite")
        brain = load_brain(out)
        card = brain.provenance
        batch = min(recipe.training.batch, card["pairs"]["learned"] // MIN_STEPS)
        steps = card["epochs"] * (card["pairs"]["learned"] // batch)
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
        """Train for longer, at a share of the rate, or go on with it; return the brain."""
        asked = recipe.training
        settings = [
            *self.settings,
            f"training.rate={rate * asked.rate!r}",
            *(f"training.{what}={LONGER * getattr(asked, what)}"
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
    """Run a command of the program; return the seconds that it took."""
    print("frame2sound", *words, flush=True)
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "frame2sound", *words], check=True)
    return time.perf_counter() - begun


def _is_brain(path: Path, recipe: Recipe) -> bool:
    return path.exists() and load_brain(path).recipe == recipe


def _network(brain: Brain) -> tuple[str, int, int]:
    """Return the widths of all layers, the numbers learned, and those of the folded network."""
    recipe, learned = brain.recipe, brain.network.parameters()
    widths = [input_size(recipe.input), *recipe.network.hidden, brain.target.length]
    folded = sum((before + 1) * after for before, after in pairwise(widths))
    count = sum(tensor.numel() for tensor in learned if tensor.requires_grad)
    return "-".join(map(str, widths)), count, folded


def _write_json(path: Path, table: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def alike(names: list[str], settings: list[str]) -> dict[str, list[str]]:
    """Return the first of the recipes that differ in nothing but name, and all of them."""
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
        "held-out film, relative to silence's; converged is the lowest of trainings with "
        f"{LONGER} times the steps, at the rates in brackets times the recipe's.\n"
    )
    yield (
        "| recipe | network | weights, of them learned | pickling s | training s | in all s "
        "| of the films' duration | asked | loss | converged | ratio, asked at most 1.02 "
        "| steps/s | pairs/s |"
    )
    yield "|---|---|--:|--:|--:|--:|--:|---|--:|--:|---|--:|--:|"
    for first, result in results.items():
        yield "| " + " | ".join(_cells(groups[first], result)) + " |"


def _cells(names: list[str], result: Result) -> Iterator[str]:
    yield ", ".join(names)
    yield result.network
    yield f"{result.folded / 1e6:.1f} M, {result.learned / 1e6:.1f} M"
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
        heard = result.held_out < GENERALISATION_THRESHOLD
        yield f"{ratio:.3f}: {_verdict(ratio <= NEAR) if heard else 'no better than silence'}"
    yield f"{result.steps / result.learning:.1f}"
    yield f"{result.pairs / result.learning:.0f}"


def _verdict(met: bool) -> str:
    return "met" if met else "**short**"


def main() -> None:
    """Read the command line, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--recipe", nargs="+", default=list(ANCESTORS), metavar="NAME")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rates", nargs="*", type=float, default=list(RATES), metavar="TIMES")
    parser.add_argument("--films", type=Path, metavar="FOLDER")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="for a trial")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("-o", "--out", type=Path, metavar="FOLDER")
    asked = parser.parse_args()
    groups = alike(asked.recipe, asked.set)
    results: dict[str, Result] = {}
    with tempfile.TemporaryDirectory() as temporary:
        work = (asked.out or Path(temporary)) / f"ancestor-{asked.minutes:g}"
        work.mkdir(parents=True, exist_ok=True)
        films = all_drawn(asked.films or work / "films", asked.minutes)
        bench = Bench(films, work, asked.set, asked.device)
        for first in groups:
            results[first] = bench.run(first)
            say(groups, results, asked.out)
        for rate in asked.rates:
            for first in groups:
                results[first] = bench.run_longer(first, rate)
                say(groups, results, asked.out)


def say(groups: dict[str, list[str]], results: dict[str, Result], out: Path | None) -> None:
    """Print the table as it stands, and write it."""
    lines = "\n".join(table(groups, results)) + "\n"
    if out is not None:
        write_part(out / "README.md", "ancestor", lines)
    print(lines, flush=True)


if __name__ == "__main__":
    main()
