"""Losses: how far what a network gives is from what it should give."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from frame2sound.brain.ingredients import Training
from frame2sound.brain.targets import Target, magnitudes
from frame2sound.training.lessons import Lessons
from frame2sound.training.material import MOST_SEEN

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

RESOLUTIONS = (64, 128, 256, 512)
"""Window lengths in samples; those longer than a block are left out, but for the shortest."""


def loss_of(recipe: Training, target: Target) -> Loss:
    """Return the loss between outputs ``(n, length)`` given and wanted: a scalar tensor."""
    if recipe.loss == "mse":
        return nn.functional.mse_loss
    if recipe.loss == "multi-resolution":
        return lambda given, wanted: multi_resolution(given - target.silent, wanted - target.silent)
    return lambda given, wanted: nn.functional.l1_loss(
        target.log_magnitude(given), target.log_magnitude(wanted)
    )


def loss_of_always(output: torch.Tensor, lessons: Lessons, loss: Loss) -> float:
    """Return the loss of a brain that always gives the same ``(length,)``; never 0."""
    which, total = lessons.pairs.spread(MOST_SEEN), 0.0
    with torch.inference_mode():
        for some in np.array_split(which, -(-len(which) // 256) or 1):
            if len(some):
                wanted = lessons.wanted(some)
                total += loss(output.expand(wanted.shape), wanted).item() * len(some)
    return max(total / max(len(which), 1), 1e-30)


def mean_of(lessons: Lessons) -> torch.Tensor:
    """Return the mean of what is wanted: what a brain gives that does not look."""
    which = lessons.pairs.spread(MOST_SEEN)
    parts = np.array_split(which, -(-len(which) // 256))
    return torch.stack([lessons.wanted(some).sum(0) for some in parts]).sum(0) / len(which)


def multi_resolution(given: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Return the multi-resolution short-time Fourier transform loss of waveforms ``(n, length)``.

    For each window length, spectral convergence plus the mean absolute error of log magnitudes
    (Yamamoto, Song and Kim, "Parallel WaveGAN", ICASSP 2020, equations 4 to 7); convergence is
    taken over the batch, so that silent blocks do not divide by nothing.
    """
    longest = max(given.shape[1], RESOLUTIONS[0])
    lengths = [length for length in RESOLUTIONS if length <= longest]
    return torch.stack([_at_resolution(given, wanted, length) for length in lengths]).mean()


def _at_resolution(given: torch.Tensor, wanted: torch.Tensor, length: int) -> torch.Tensor:
    ours, theirs = (
        magnitudes(sound, length, length // 4, floor=1e-4 * length / 2) for sound in (given, wanted)
    )
    convergence: torch.Tensor = torch.linalg.vector_norm(ours - theirs)
    convergence = convergence / torch.linalg.vector_norm(theirs)
    return convergence + nn.functional.l1_loss(torch.log(ours), torch.log(theirs))
