"""A program for torchrun: trains brains in full precision; processes may die on the way.

several.py LIBRARY OUT JSON     a list of recipes' tables, each with how it is disturbed: null,
                                or the attempt, the rank and the step at which that one dies,
                                and how often a checkpoint is written, in seconds

Leaves in OUT/begun.txt the step after which the first process has begun, attempt by attempt.
"""

import json
import os
import signal
import sys
from pathlib import Path

from frame2sound.brain.recipe import parse_recipe
from frame2sound.library.store import Library
from frame2sound.training import optimiser, trainer
from frame2sound.training.loop import train
from frame2sound.training.memory_budget import MemoryBudget


def dying(out, attempt, rank, step):
    """Return a report that kills the process at a step, and notes the first."""
    here = [int(os.environ[name]) for name in ("TORCHELASTIC_RESTART_COUNT", "RANK")]
    begun = []

    def report(now):
        if here[1] == 0 and not begun:
            begun.append(now.step)
            with (out / "begun.txt").open("a") as file:
                file.write(f"{now.step - 1} ")
        if [*here, now.step] == [attempt, rank, step]:
            os.kill(os.getpid(), signal.SIGKILL)

    return report


def main():
    library, out, asked = Library.open(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
    optimiser.has_matrix_units = lambda: False
    for table, disturbed in json.loads(asked):
        trainer.CHECKPOINT_SECONDS = disturbed[3] if disturbed else 30.0
        if table["name"] == "disk":
            MemoryBudget.available_bytes = lambda room, network, device: 0
        brain = out / f"{table['name']}.safetensors"
        more = {"report": dying(out, *disturbed[:3])} if disturbed else {}
        train(library, parse_recipe(table), brain, device="cpu", **more)


if __name__ == "__main__":
    main()
