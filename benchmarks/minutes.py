"""Measure what it takes to train a brain, and how well it learns.

    python benchmarks/minutes.py LIBRARY ... [--recipe deep] [--seeds 1] [--against FOLDER]

Each training is a process of its own, from start to written brain, in turns with that of another
working tree if there is one. Printed are wall time, processor time (user and system), and the
lowest held-out loss, for which silence has 1. Libraries are not changed.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]

RUN = """
import sys
import frame2sound
brain = frame2sound.train(sys.argv[1], sys.argv[2], [], sys.argv[3], seed=int(sys.argv[4]))
held_out = brain.provenance["held_out_loss"][brain.provenance["best_epoch"] - 1]
print(brain.provenance["epochs"], held_out)
"""


def train(tree: Path, library: Path, recipe: str, seed: int) -> tuple[float, float, int, float]:
    """Return wall seconds, processor seconds, epochs and the held-out loss of a training."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        out = subprocess.run(
            [
                sys.executable,
                "-P",
                "-c",
                RUN,
                library,
                recipe,
                f"{folder}/brain.safetensors",
                str(seed),
            ],
            env=os.environ | {"PYTHONPATH": str(tree)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    epochs, held_out = out.split()[-2:]
    return wall, processor, int(epochs), float(held_out)


def main() -> None:
    """Print a line for each training."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("libraries", type=Path, nargs="+", metavar="LIBRARY")
    parser.add_argument("--recipe", default="deep")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--against", type=Path, help="another working tree")
    args = parser.parse_args()
    trees = [HERE] if args.against is None else [args.against.resolve(), HERE]
    for library in args.libraries:
        for seed in range(args.seeds):
            for tree in trees:
                wall, processor, epochs, held_out = train(
                    tree, library.resolve(), args.recipe, seed
                )
                print(
                    f"{library.name:12} seed {seed}  {wall:5.1f} s  processor {processor:5.1f} s  "
                    f"{epochs:3} epochs  held-out loss {held_out:.4f}  {tree.name}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
