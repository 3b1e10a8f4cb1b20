"""Losses: how far what a network gives is from what it should give."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from frame2sound.brain.config import TrainingConfig
from frame2sound.brain.targets import Target, magnitudes
from frame2sound.training.example_cache import ExampleCache
from frame2sound.training.training_data import MAX_SAMPLED_PAIRS

LossFunction = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

WINDOW_LENGTHS = (64, 128, 256, 512)
"""Window lengths in samples; those longer than a block are left out, but for the shortest."""


def make_loss(training_recipe: TrainingConfig, target: Target) -> LossFunction:
    """Return the loss between outputs ``(n, length)`` given and wanted: a scalar tensor."""
    if training_recipe.loss == "mse":
        return nn.functional.mse_loss
    if training_recipe.loss == "multi-resolution":
        return lambda given, wanted: multi_resolution_stft_loss(
            given - target.silence_value, wanted - target.silence_value
        )
    return lambda given, wanted: nn.functional.l1_loss(
        target.log_magnitude(given), target.log_magnitude(wanted)
    )


def constant_output_loss(output: torch.Tensor, examples: ExampleCache, loss: LossFunction) -> float:
    """Return the loss of a brain that always gives the same ``(length,)``; never 0."""
    which, total = examples.pairs.spread_indices(MAX_SAMPLED_PAIRS), 0.0
    with torch.inference_mode():
        for some in np.array_split(which, -(-len(which) // 256) or 1):
            if len(some):
                wanted = examples.load_targets(some)
                total += loss(output.expand(wanted.shape), wanted).item() * len(some)
    return max(total / max(len(which), 1), 1e-30)


def mean_target(examples: ExampleCache) -> torch.Tensor:
    """Return the mean of what is wanted: what a brain gives that does not look."""
    which = examples.pairs.spread_indices(MAX_SAMPLED_PAIRS)
    parts = np.array_split(which, -(-len(which) // 256))
    return torch.stack([examples.load_targets(some).sum(0) for some in parts]).sum(0) / len(which)


def multi_resolution_stft_loss(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the multi-resolution short-time Fourier transform loss of waveforms ``(n, length)``.

    For each window length, spectral convergence plus the mean absolute error of log magnitudes
    (Yamamoto, Song and Kim, "Parallel WaveGAN", ICASSP 2020, equations 4 to 7); convergence is
    taken over the batch, so that silent blocks do not divide by nothing.
    """
    longest = max(prediction.shape[1], WINDOW_LENGTHS[0])
    lengths = [length for length in WINDOW_LENGTHS if length <= longest]
    return torch.stack([_stft_loss(prediction, target, length) for length in lengths]).mean()


def _stft_loss(prediction: torch.Tensor, target: torch.Tensor, window_length: int) -> torch.Tensor:
    ours, theirs = (
        magnitudes(sound, window_length, window_length // 4, floor=1e-4 * window_length / 2)
        for sound in (prediction, target)
    )
    convergence: torch.Tensor = torch.linalg.vector_norm(ours - theirs)
    convergence = convergence / torch.linalg.vector_norm(theirs)
    return convergence + nn.functional.l1_loss(torch.log(ours), torch.log(theirs))
