"""Compare training steps with bare matrix products on the same machine.

    python benchmarks/training.py [--recipe NAME ...] [--batch 512] [--device cpu]

A step of the real training loop - loading examples, forward, backward, optimiser - is counted as
the arithmetic that it needs: 2 operations per weight and pair forward, 2 for the weights' gradient,
2 for the input's (not in the first trained layer). Frame features are not trained and not counted.
The matrix product has the shape and the precision of that first layer. Both run in turns; the
median of the runs counts.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from frame2sound.brain.networks import Network
from frame2sound.brain.recipe import load_recipe
from frame2sound.clock import Clock
from frame2sound.film.small_frames import SIZE
from frame2sound.library.store import Card, Library
from frame2sound.training.optimiser import mixed_precision, pick_device
from frame2sound.training.trainer import Trainer

RUNS = 5
STEPS = 12


def noise_library(path: Path, frames: int, clock: Clock) -> Library:
    """Return a library with one film of noise."""
    library = Library.create(path, clock.sample_rate)
    random = np.random.default_rng(0)
    samples = clock.start_sample(frames)
    folder = path / "noise"
    folder.mkdir()
    np.save(folder / "frames.npy", random.integers(0, 256, (frames, SIZE, SIZE), np.uint8))
    np.save(folder / "times.npy", clock.frame_times(frames + 1))
    np.save(folder / "sound.npy", random.standard_normal(samples).astype(np.float32))
    card = Card("noise", "noise", clock.fps, frames, samples, clock.sample_rate, (0, samples))
    (folder / "film.json").write_text(card.to_json())
    return library


def matrices(network: Network) -> list[torch.Tensor]:
    """Return the trained matrices, the first layer's first."""
    return [
        weights for weights in network.parameters() if weights.requires_grad and weights.ndim > 1
    ]


def operations(network: Network, pairs: int) -> float:
    """Return the number of operations of a step."""
    weights = [matrix.numel() for matrix in matrices(network)]
    return 2.0 * pairs * (3 * sum(weights) - weights[0])


def product_rate(pairs: int, shape: torch.Size, device: torch.device) -> float:
    """Return the operations per second of a bare matrix product."""
    with mixed_precision(device):
        left, right = torch.randn(pairs, shape[1], device=device), torch.randn(shape, device=device)
        kind = torch.mm(left, right.T).dtype
    left, right = left.to(kind), right.to(kind)
    began = _now(device)
    for _ in range(STEPS):
        torch.mm(left, right.T)
    return 2.0 * pairs * right.numel() * STEPS / (_now(device) - began)


def seconds_per_step(trainer: Trainer, device: torch.device) -> float:
    """Return the seconds per step."""
    steps = list(islice(trainer.sampler.iterate_epoch(0), STEPS))
    began = _now(device)
    for step in steps:
        trainer.train_step(step)
    return (_now(device) - began) / len(steps)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def compare(name: str, batch: int, device: torch.device, folder: Path) -> None:
    """Print the rates of both and their ratio."""
    recipe = load_recipe(name, [f"training.batch={batch}", "training.held_out=0.0"])
    frames = batch * (STEPS + 8)
    library = noise_library(folder / name, frames, recipe.to_clock())
    trainer = Trainer(library, recipe, 0, device)
    trainer.network.train()
    pairs = next(iter(trainer.sampler.iterate_epoch(0))).indices.size
    first = matrices(trainer.network)[0].shape
    seconds_per_step(trainer, device), product_rate(pairs, first, device)
    runs = [
        (product_rate(pairs, first, device), seconds_per_step(trainer, device)) for _ in range(RUNS)
    ]
    product = statistics.median(run[0] for run in runs)
    seconds = statistics.median(run[1] for run in runs)
    rate = operations(trainer.network, pairs) / seconds
    print(
        f"{name:24} batch {pairs}  {pairs / seconds:8.0f} pairs/s  step {rate / 1e9:7.0f} GFLOP/s  "
        f"matrix product {product / 1e9:7.0f} GFLOP/s  ratio {rate / product:.2f}"
    )


def main() -> None:
    """Compare the recipes that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--recipe", nargs="+", default=["lines-small", "lines", "kungfury", "deep"])
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for recipe in args.recipe:
            compare(recipe, args.batch, pick_device(args.device), Path(name))


if __name__ == "__main__":
    main()
