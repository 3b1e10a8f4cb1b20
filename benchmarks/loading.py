"""Compare training on examples cached on disk with training on examples in memory.

    python benchmarks/loading.py [--minutes 20] [--memory 900MB] [--recipe deep] [--steps 200]

The same training on a library of drawn films runs three times, each in its own process: with all
examples in memory; with a memory limit that is too small for them, so that they are cached on disk;
and with the system's cache of that file emptied before each epoch. Measured are the median seconds
per step; the share of time that training waited for data; the final held-out loss; and the peak
resident memory, with set-up, checkpoint and brightness branch. Required of the disk cache: at most
1.3 times the time per step, 5 % of waiting, a held-out loss within 1 %, and no more memory than the
limit. The runs alternate; the best of each counts.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from footage import draw_film

from frame2sound.api.parameters import number_of_bytes
from frame2sound.brain.recipe import load_recipe
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library
from frame2sound.training.checkpoint import checkpoint_path
from frame2sound.training.memory_budget import MemoryBudget
from frame2sound.training.optimiser import pick_device
from frame2sound.training.trainer import Trainer

RUNS = 2
UNLIMITED = 10**12
MAX_TIME_RATIO, MAX_WAITING, MAX_LOSS_CHANGE = 1.3, 0.05, 0.01
CACHES = ("memory", "disk", "cold disk")
SECONDS = 120.0
"""Length of one film."""


def draw(folder: Path, minutes: float) -> Library:
    """Return a library of drawn films, ``minutes`` long in all."""
    library = Library.create(folder / "library")
    add_calibration_film(library)
    for seed in range(round(minutes * 60 / SECONDS)):
        film = draw_film(folder, "lines", SECONDS, seed=seed, size=(64, 64))
        pickle_film(film, library)
        film.unlink()
    return library


def empty_cache(trainer: Trainer) -> None:
    """Empty the system's cache of the examples on disk."""
    cache_file = trainer.examples._examples.on_disk
    assert cache_file is not None
    os.fsync(cache_file._file.fileno())
    os.posix_fadvise(cache_file._file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Stopwatch:
    """A progress callback that times every step; between epochs it may empty the cache."""

    def __init__(self, trainer: Trainer, cold: bool) -> None:
        self.trainer, self.cold = trainer, cold
        self.step_seconds: list[float] = []
        self._done = 0.0
        self._start()

    def __call__(self, task: str, done: float, total: float | None, note: str, /) -> None:
        """Store the time since the last report, if a step is done."""
        if done > self._done:
            self.step_seconds.append(time.perf_counter() - self._began)
        self._done = done
        self._start()

    def _start(self) -> None:
        if self.cold and self._done % self.trainer.steps_per_epoch == 0:
            empty_cache(self.trainer)
        self._began = time.perf_counter()


def measure(cache: str, args: argparse.Namespace) -> dict[str, Any]:
    """Train and return the measurements."""
    recipe, folder = load_recipe(args.recipe, [f"training.steps={args.steps}"]), args.folder
    memory_budget = MemoryBudget(
        UNLIMITED if cache == "memory" else number_of_bytes("memory", args.memory), folder
    )
    began = time.perf_counter()
    trainer = Trainer(
        Library.open(folder / "library"), recipe, 0, pick_device("cpu"), memory_budget
    )
    if (trainer.examples._examples.on_disk is None) != (cache == "memory"):
        sys.exit(f"examples are not cached where they should be; got --memory {args.memory}")
    ready, watch = time.perf_counter() - began, Stopwatch(trainer, cache == "cold disk")
    path = checkpoint_path(folder / f"{cache}.safetensors")
    trainer.fit(path, watch)
    trainer.save(path)
    trainer.export_best_brain()
    return {
        "pairs": len(trainer.examples),
        "bytes": trainer.examples._bytes_per_example() * len(trainer.examples),
        "ready": ready,
        "step": statistics.median(watch.step_seconds),
        "waiting": trainer.examples.wait_seconds / sum(watch.step_seconds),
        "held_out": trainer.state.curve[-1][1],
        "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def run_process(cache: str, folder: Path) -> dict[str, Any]:
    """Measure in a separate process."""
    command = [sys.executable, *sys.argv, "--cache", cache, "--folder", str(folder)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    result: dict[str, Any] = json.loads(output)
    return result


def show(cache: str, result: dict[str, Any], memory: dict[str, Any], allowed: int) -> None:
    """Print the measurements with one cache."""
    times = result["step"] / memory["step"]
    change = abs(result["held_out"] / memory["held_out"] - 1)
    line = (
        f"{cache:10} {1e3 * result['step']:6.1f} ms per step ({times:.2f} times), waiting "
        f"{result['waiting']:.1%}, held-out loss {result['held_out']:.4f} ({change:.2%} off), "
        f"ready in {result['ready']:.0f} s, at most {result['peak'] / 1e6:.0f} MB resident"
    )
    if cache == "memory":
        print(line)
        return
    within = (
        times <= MAX_TIME_RATIO and result["waiting"] <= MAX_WAITING and change <= MAX_LOSS_CHANGE
    )
    verdict = "met" if within and result["peak"] <= allowed else "short"
    print(f"{line} of {allowed / 1e6:.0f} MB: {verdict}", flush=True)


def main() -> None:
    """Run what was args for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--memory", default="900MB")
    parser.add_argument("--recipe", default="deep")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--cache", choices=CACHES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.cache:
        print(json.dumps(measure(args.cache, args)))
        return
    with tempfile.TemporaryDirectory() as name:
        draw(Path(name), args.minutes)
        runs = [{cache: run_process(cache, Path(name)) for cache in CACHES} for _ in range(RUNS)]
    best = {
        cache: min((run[cache] for run in runs), key=lambda run: run["step"]) for cache in CACHES
    }
    memory = best["memory"]
    print(f"{args.recipe}: {memory['pairs']} examples, {memory['bytes'] / 1e6:.0f} MB")
    for cache in CACHES:
        show(cache, best[cache], memory, number_of_bytes("memory", args.memory))


if __name__ == "__main__":
    main()
