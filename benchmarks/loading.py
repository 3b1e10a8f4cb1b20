"""Learning from disk beside learning from memory.

    python benchmarks/loading.py [--minutes 20] [--memory 900MB] [--recipe deep] [--steps 200]

The same training of a library of drawn films three times, each in a process of its own: with all
lessons in memory; within a memory that is too small for them, so that they lie on disk; and so that
every lesson comes from the disk itself, the system's cache of it emptied before each epoch. Of
each: seconds a step (the median); the share of the time of all steps in which the learner waited
for data; the held-out loss at the end; and the most that was ever resident, set-up, checkpoint and
glance included, beside what was allowed. Asked of the disk: at most 1.3 times the seconds, 5 % of
waiting, a held-out loss within 1 %, and no more than was allowed. In turns, the best of the runs.
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

from footage import drawn

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
PLENTY = 10**12
SLOWER, WAITING, FARTHER = 1.3, 0.05, 0.01
WAYS = ("memory", "disk", "cold disk")
SECONDS = 120.0
"""Of one film."""


def draw(folder: Path, minutes: float) -> Library:
    """Draw films of lines until there are so many minutes of them, and pickle them."""
    library = Library.create(folder / "library")
    add_calibration_film(library)
    for seed in range(round(minutes * 60 / SECONDS)):
        film = drawn(folder, "lines", SECONDS, seed=seed, size=(64, 64))
        pickle_film(film, library)
        film.unlink()
    return library


def forget(trainer: Trainer) -> None:
    """Empty the system's cache of the lessons on disk."""
    storage = trainer.examples._on_disk
    assert storage is not None
    os.fsync(storage._file.fileno())
    os.posix_fadvise(storage._file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Stopwatch:
    """A report that takes the time of every step; between epochs it may empty the cache."""

    def __init__(self, trainer: Trainer, cold: bool) -> None:
        self.trainer, self.cold = trainer, cold
        self.spent: list[float] = []
        self._done = 0.0
        self._begin()

    def __call__(self, task: str, done: float, total: float | None, note: str, /) -> None:
        """Take the time since the last report, if that was before a step."""
        if done > self._done:
            self.spent.append(time.perf_counter() - self._begun)
        self._done = done
        self._begin()

    def _begin(self) -> None:
        if self.cold and self._done % self.trainer.steps_per_epoch == 0:
            forget(self.trainer)
        self._begun = time.perf_counter()


def learn(way: str, asked: argparse.Namespace) -> dict[str, Any]:
    """Train, and return what was measured."""
    recipe, folder = load_recipe(asked.recipe, [f"training.steps={asked.steps}"]), asked.folder
    room = MemoryBudget(
        PLENTY if way == "memory" else number_of_bytes("memory", asked.memory), folder
    )
    begun = time.perf_counter()
    trainer = Trainer(Library.open(folder / "library"), recipe, 0, pick_device("cpu"), room)
    if (trainer.examples._on_disk is None) != (way == "memory"):
        sys.exit(f"lessons are not kept where they should be; got --memory {asked.memory}")
    ready, watch = time.perf_counter() - begun, Stopwatch(trainer, way == "cold disk")
    path = checkpoint_path(folder / f"{way}.safetensors")
    trainer.fit(path, watch)
    trainer.save(path)
    trainer.export_best_brain()
    return {
        "pairs": len(trainer.examples),
        "bytes": trainer.examples._bytes_per_example() * len(trainer.examples),
        "ready": ready,
        "step": statistics.median(watch.spent),
        "waiting": trainer.examples.wait_seconds / sum(watch.spent),
        "held_out": trainer.state.curve[-1][1],
        "peak": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }


def learned(way: str, folder: Path) -> dict[str, Any]:
    """Do the same in a process of its own."""
    command = [sys.executable, *sys.argv, "--way", way, "--folder", str(folder)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, Any] = json.loads(said)
    return found


def show(way: str, found: dict[str, Any], memory: dict[str, Any], allowed: int) -> None:
    """Print what was measured of one way."""
    times = found["step"] / memory["step"]
    farther = abs(found["held_out"] / memory["held_out"] - 1)
    line = (
        f"{way:10} {1e3 * found['step']:6.1f} ms a step ({times:.2f} times), waiting "
        f"{found['waiting']:.1%}, held-out loss {found['held_out']:.4f} ({farther:.2%} off), "
        f"ready in {found['ready']:.0f} s, at most {found['peak'] / 1e6:.0f} MB resident"
    )
    if way == "memory":
        print(line)
        return
    kept = times <= SLOWER and found["waiting"] <= WAITING and farther <= FARTHER
    verdict = "met" if kept and found["peak"] <= allowed else "short"
    print(f"{line} of {allowed / 1e6:.0f} MB: {verdict}", flush=True)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--memory", default="900MB")
    parser.add_argument("--recipe", default="deep")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.way:
        print(json.dumps(learn(asked.way, asked)))
        return
    with tempfile.TemporaryDirectory() as name:
        draw(Path(name), asked.minutes)
        runs = [{way: learned(way, Path(name)) for way in WAYS} for _ in range(RUNS)]
    best = {way: min((run[way] for run in runs), key=lambda run: run["step"]) for way in WAYS}
    memory = best["memory"]
    print(f"{asked.recipe}: {memory['pairs']} lessons, {memory['bytes'] / 1e6:.0f} MB")
    for way in WAYS:
        show(way, best[way], memory, number_of_bytes("memory", asked.memory))


if __name__ == "__main__":
    main()
