"""How far two processes, or two threads, end from one: python benchmarks/together.py.

    --seconds N   length of the drawn film (20)
    --epochs N    of the recipe `deep`; several may be given (3 40)

The same film, recipe and seed are learned by one process on one thread, by one on two threads, and
by two processes (torchrun) on a thread each; in full precision, and in bfloat16 where the processor
multiplies it in hardware. Another seed is shown beside them. Of each: the largest difference of a
weight and the root mean square of all, relative to that of the weights; the difference of what the
brains give for a film that none has seen, relative to what they give; and the held-out loss.
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
LEARN = """
import sys
from frame2sound.training import optimiser
if sys.argv[1] == "full":
    optimiser.has_matrix_units = lambda: False
sys.argv[:2] = ["frame2sound"]
from frame2sound.cli import main
main()
"""
WAYS = {
    "one thread": (1, 1, 0),
    "one thread, again": (1, 1, 0),
    "two threads": (1, 2, 0),
    "two processes": (2, 1, 0),
    "another seed": (1, 1, 1),
}
"""Processes, threads of each, and the seed."""


def main() -> None:
    """Train in each way and print a table."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--seconds", default="20")
    asked.add_argument("--epochs", nargs="+", default=["3", "40"])
    asked = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "learn.py").write_text(LEARN)
        for name, seed in (("film", 1), ("unseen", 2)):
            words = ["films", "bounce", "--seconds", asked.seconds, "--fps", "30"]
            run(path, *words, "--seed", str(seed), "-o", f"{name}.mp4")
            run(path, "pickle", f"{name}.mp4", "--library", name)
        films = Library.open(path / "unseen").films()
        frames = max(films, key=lambda film: film.name.startswith("unseen")).frames[:]
        print("| precision | epochs | way | worst weight | weights | outputs | held-out loss |")
        print("|---|--:|---|--:|--:|--:|--:|")
        for precision in ["full", *["bfloat16"] * has_matrix_units()]:
            for epochs in asked.epochs:
                compare(path, precision, epochs, np.array(frames))


def compare(path: Path, precision: str, epochs: str, frames: np.ndarray) -> None:
    """Print a row for each way."""
    reference = None
    for way, (processes, threads, seed) in WAYS.items():
        out = path / "brain.safetensors"
        words = ["train", "film", "--set", f"training.epochs={epochs}", "--seed", str(seed)]
        words += ["--corpus", "none", "--overwrite", "--out", str(out)]
        launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
        command = [sys.executable, *(launch if processes > 1 else [])]
        command += [str(path / "learn.py"), precision, *words]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(threads)}
        subprocess.run(command, cwd=path, env=environment, check=True, capture_output=True)
        brain = load_brain(out)
        torch.set_num_threads(1)
        weights, given = learned(brain), brain.predict(frames)
        reference = (weights, given) if reference is None else reference
        apart = weights - reference[0]
        away = np.linalg.norm(given - reference[1]) / np.linalg.norm(reference[1])
        held_out = brain.provenance["held_out_loss"][brain.provenance["best_epoch"] - 1]
        share = np.linalg.norm(apart) / np.linalg.norm(reference[0])
        print(
            f"| {precision} | {epochs} | {way} | {np.abs(apart).max():.2g} | {share:.2g} | "
            f"{away:.2g} | {held_out:.4f} |",
            flush=True,
        )


def learned(brain: Brain) -> np.ndarray:
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
