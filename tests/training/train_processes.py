"""Train brains in full precision in two processes, as torchrun does; they may be killed on the way.

train_processes.py LIBRARY OUT JSON

JSON lists pairs of a recipe's table and null, or the attempt, rank and step at which a process is
killed and the seconds between checkpoints. Brains are written to OUT/killed and OUT/whole.
OUT/first_steps.txt gets the number of completed steps with which the first process began, for each
attempt.

The processes are forked, so that each of them need not import all anew.
"""

import json
import os
import signal
import sys
from pathlib import Path

from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from frame2sound.brain.recipe import parse_recipe
from frame2sound.library.store import Library
from frame2sound.training import optimiser, trainer
from frame2sound.training.loop import train
from frame2sound.training.memory_budget import MemoryBudget


def kill_at(out, attempt, rank, step):
    """Return a progress callback that kills the process at a step and notes the first one."""
    here = [int(os.environ[name]) for name in ("TORCHELASTIC_RESTART_COUNT", "RANK")]
    seen_steps = []

    def report(task, done, total, note, /):
        if here[1] == 0 and not seen_steps:
            seen_steps.append(done)
            with (out / "first_steps.txt").open("a") as file:
                file.write(f"{done - 1} ")
        if [*here, done] == [attempt, rank, step]:
            os.kill(os.getpid(), signal.SIGKILL)

    return report


def train_all(library_folder, out_folder, jobs):
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as the command line does
    library, out = Library.open(Path(library_folder)), Path(out_folder)
    optimiser.has_matrix_units = lambda: False
    for table, kill in json.loads(jobs):
        trainer.CHECKPOINT_SECONDS = kill[3] if kill else 30.0
        if table["name"] == "disk":
            MemoryBudget.available_bytes = lambda room, network, device: 0
        folder = out / ("killed" if kill else "whole")
        brain = folder / f"{table['name']}.safetensors"
        options = {"on_progress": kill_at(out, *kill[:3])} if kill else {}
        train(library, parse_recipe(table), brain, device="cpu", **options)


def main():
    config = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=2, run_id="test", rdzv_backend="c10d",
        rdzv_endpoint="localhost:0", max_restarts=2, monitor_interval=0.1, start_method="fork",
    )  # fmt: skip
    elastic_launch(config, train_all)(*sys.argv[1:])


if __name__ == "__main__":
    main()
