"""Measure how far training with two processes or threads differs from one.

    python benchmarks/together.py [--seconds 20] [--epochs 3 40]

The same film, recipe and seed are used by one process on one thread, by one on two threads, and by
two processes (torchrun) with a thread each; in full precision, and in bfloat16 where the processor
multiplies it in hardware. Another seed is shown for comparison. For each the table gives the
largest difference of a weight and the root mean square of all, relative to that of the weights; the
difference of outputs for another film, relative to the outputs; and the held-out loss.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import load_brain
from frame2sound.library.store import Library
from frame2sound.training.optimiser import has_matrix_units

ROOT = Path(__file__).resolve().parents[1]
TRAIN = """
import sys
from frame2sound.training import optimiser
if sys.argv[1] == "full":
    optimiser.has_matrix_units = lambda: False
sys.argv[:2] = ["frame2sound"]
from frame2sound.cli import main
main()
"""
SETTINGS = {
    "one thread": (1, 1, 0),
    "one thread, again": (1, 1, 0),
    "two threads": (1, 2, 0),
    "two processes": (2, 1, 0),
    "another seed": (1, 1, 1),
}
"""Number of processes, threads of each, and the seed."""


def main() -> None:
    """Train with each setting and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", default="20", help="length of the drawn film")
    parser.add_argument("--epochs", nargs="+", default=["3", "40"], help="of the recipe deep")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "train.py").write_text(TRAIN)
        for name, seed in (("film", 1), ("other", 2)):
            words = ["films", "bounce", "--seconds", args.seconds, "--fps", "30"]
            run(path, *words, "--seed", str(seed), "-o", f"{name}.mp4")
            run(path, "pickle", f"{name}.mp4", "--library", name)
        films = Library.open(path / "other").films()
        frames = max(films, key=lambda film: film.name.startswith("other")).frames[:]
        print("| precision | epochs | setting | worst weight | weights | outputs | held-out loss |")
        print("|---|--:|---|--:|--:|--:|--:|")
        for precision in ["full", *["bfloat16"] * has_matrix_units()]:
            for epochs in args.epochs:
                compare(path, precision, epochs, np.array(frames))


def compare(path: Path, precision: str, epochs: str, frames: np.ndarray) -> None:
    """Print a row for each setting."""
    reference = None
    for setting, (processes, threads, seed) in SETTINGS.items():
        out = path / "brain.safetensors"
        words = ["train", "film", "--set", f"training.epochs={epochs}", "--seed", str(seed)]
        words += ["--corpus", "none", "--overwrite", "--out", str(out)]
        launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
        command = [sys.executable, *(launch if processes > 1 else [])]
        command += [str(path / "train.py"), precision, *words]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(threads)}
        subprocess.run(command, cwd=path, env=environment, check=True, capture_output=True)
        brain = load_brain(out)
        torch.set_num_threads(1)
        weights, outputs = all_weights(brain), brain.predict(frames)
        reference = (weights, outputs) if reference is None else reference
        difference = weights - reference[0]
        output_difference = np.linalg.norm(outputs - reference[1]) / np.linalg.norm(reference[1])
        held_out = brain.provenance["held_out_loss"][brain.provenance["best_epoch"] - 1]
        relative = np.linalg.norm(difference) / np.linalg.norm(reference[0])
        print(
            f"| {precision} | {epochs} | {setting} | {np.abs(difference).max():.2g} | "
            f"{relative:.2g} | "
            f"{output_difference:.2g} | {held_out:.4f} |",
            flush=True,
        )


def all_weights(brain: Brain) -> np.ndarray:
    """Return all weights of a brain in one array."""
    parts = [part.detach().double().numpy().ravel() for part in brain.network.parameters()]
    return np.concatenate(parts)


def run(folder: Path, *words: str) -> None:
    """Run a command of frame2sound in a folder."""
    command = [sys.executable, "-m", "frame2sound", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


if __name__ == "__main__":
    main()
