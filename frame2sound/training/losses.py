"""Losses, the predictions that they judge, and when they show that training has diverged."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import nn

from frame2sound.brain.config import TrainingConfig
from frame2sound.brain.networks import Network
from frame2sound.brain.targets import Target
from frame2sound.brain.waveform_spectra import magnitudes
from frame2sound.errors import DivergedError
from frame2sound.training.checkpoint import TrainingState
from frame2sound.training.example_cache import ExampleCache
from frame2sound.training.samplers import sequential_steps
from frame2sound.training.training_data import MAX_SAMPLED_PAIRS

LossFunction = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

WINDOW_LENGTHS = (64, 128, 256, 512)
"""Window lengths in samples; those longer than a block are left out, except for the shortest."""

BATCH_PAIRS = 256
"""Pairs that are judged at once."""

DIVERGENCE_RATIO = 2.0
"""Training has diverged if its best loss is more than this many times that of the first step."""


def make_loss(config: TrainingConfig, target: Target) -> LossFunction:
    """Return the loss between predictions and targets ``(n, length)``: a scalar tensor."""
    if config.loss == "mse":
        return nn.functional.mse_loss
    if config.loss == "multi-resolution":
        return lambda predicted, expected: multi_resolution_stft_loss(
            predicted - target.silence_value, expected - target.silence_value
        )
    return lambda predicted, expected: nn.functional.l1_loss(
        target.log_magnitude(predicted), target.log_magnitude(expected)
    )


def predict_in_order(
    network: Network,
    examples: ExampleCache,
    chunk_length: int,
    precision: AbstractContextManager[Any] | None = None,
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Yield features, predictions and targets of all pairs in the order of time.

    Each has the shape ``(n, ...)`` for at most ``chunk_length`` pairs. The network's recurrent
    state carries over within an unbroken run of frames. It is called within ``precision``.
    """
    state = network.initial_state(1)
    for step in examples.prefetch(sequential_steps(examples.pairs, chunk_length)):
        features, targets, _ = examples.load_step(step)
        state = network.initial_state(1) if step.starts[0] else state
        with precision or nullcontext():
            predictions, state = network(features, state)
        yield features[0], predictions[0], targets[0]


def constant_output_loss(output: torch.Tensor, examples: ExampleCache, loss: LossFunction) -> float:
    """Return the loss of predicting the same output ``(length,)`` for each pair; never 0."""
    indices, total = examples.pairs.spread_indices(MAX_SAMPLED_PAIRS), 0.0
    with torch.inference_mode():
        for part in np.array_split(indices, -(-len(indices) // BATCH_PAIRS) or 1):
            if len(part):
                targets = examples.load_targets(part)
                total += loss(output.expand(targets.shape), targets).item() * len(part)
    return max(total / max(len(indices), 1), 1e-30)


def mean_target(examples: ExampleCache) -> torch.Tensor:
    """Return the mean of the targets, ``(length,)``."""
    indices = examples.pairs.spread_indices(MAX_SAMPLED_PAIRS)
    parts = np.array_split(indices, -(-len(indices) // BATCH_PAIRS))
    sums = torch.stack([examples.load_targets(part).sum(0) for part in parts])
    return sums.sum(0) / len(indices)


def multi_resolution_stft_loss(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the multi-resolution short-time Fourier transform loss of waveforms ``(n, length)``.

    For each window length, spectral convergence plus the mean absolute error of log magnitudes
    (Yamamoto, Song and Kim, "Parallel WaveGAN", ICASSP 2020, equations 4 to 7). Convergence is
    taken over the batch, so that silent blocks do not divide by zero.
    """
    longest = max(prediction.shape[1], WINDOW_LENGTHS[0])
    lengths = [length for length in WINDOW_LENGTHS if length <= longest]
    return torch.stack([_stft_loss(prediction, target, length) for length in lengths]).mean()


def _stft_loss(prediction: torch.Tensor, target: torch.Tensor, window_length: int) -> torch.Tensor:
    predicted, expected = (
        magnitudes(sound, window_length, window_length // 4, floor=1e-4 * window_length / 2)
        for sound in (prediction, target)
    )
    convergence: torch.Tensor = torch.linalg.vector_norm(predicted - expected)
    convergence = convergence / torch.linalg.vector_norm(expected)
    return convergence + nn.functional.l1_loss(torch.log(predicted), torch.log(expected))


def require_finite_loss(loss: float, training_state: TrainingState, learning_rate: float) -> float:
    """Return a loss; raise `DivergedError` if it is not finite."""
    if not math.isfinite(loss):
        raise _divergence_error(
            f"the loss is not finite in epoch {training_state.epoch + 1}", learning_rate
        )
    return loss


def require_finite_weights(
    weights: Iterable[torch.Tensor], training_state: TrainingState, learning_rate: float
) -> None:
    """Raise `DivergedError` if any weight is not finite."""
    if not all(math.isfinite(torch.linalg.vector_norm(tensor)) for tensor in weights):
        raise _divergence_error(
            f"weights are not finite after epoch {training_state.epoch + 1}", learning_rate
        )


def refuse_diverged(training_state: TrainingState, learning_rate: float) -> None:
    """Raise `DivergedError` if the best loss is much higher than that of the first step.

    Losses are relative to silence's. The first step counts as 1 at least.
    """
    if not training_state.best_epoch:
        return
    best = training_state.curve[training_state.best_epoch - 1][0]
    initial = max(training_state.initial_loss, 1.0)
    if best > DIVERGENCE_RATIO * initial:
        raise _divergence_error(
            f"the loss went from {initial:.3g} to {best:.3g} (silence has 1)", learning_rate
        )


def _divergence_error(symptom: str, learning_rate: float) -> DivergedError:
    return DivergedError(
        f"training diverged: {symptom}; lower training.rate, which is {learning_rate:g}"
    )
