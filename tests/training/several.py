"""A program for torchrun: trains brains in full precision; processes may die on the way.

several.py LIBRARY OUT JSON     a list of recipes' tables, each with how it is disturbed: null,
                                or the attempt, the rank and the step at which that one dies
"""

import json
import os
import signal
import sys
from pathlib import Path

from frame2sound.brain.recipe import recipe_from
from frame2sound.library.store import Library
from frame2sound.training import optimiser, trainer
from frame2sound.training.loop import train
from frame2sound.training.room import Room


def dying(attempt, rank, step):
    """Return a report that kills the process at a step."""
    here = [int(os.environ[name]) for name in ("TORCHELASTIC_RESTART_COUNT", "RANK")]

    def report(now):
        if [*here, now.step] == [attempt, rank, step]:
            os.kill(os.getpid(), signal.SIGKILL)

    return report


def main():
    library, out, asked = Library.open(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
    optimiser.has_matrix_units = lambda: False
    for table, disturbed in json.loads(asked):
        trainer.CHECKPOINT_SECONDS = 0.0 if disturbed else 30.0
        if table["name"] == "disk":
            Room.left = lambda room, network, device: 0
        brain = out / f"{table['name']}.safetensors"
        report = dying(*(disturbed or [None] * 3))
        train(library, recipe_from(table), brain, device="cpu", report=report)


if __name__ == "__main__":
    main()
