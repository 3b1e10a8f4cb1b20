"""Divergence: a learning rate so high that each step goes farther than it should, told as such."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from frame2sound.errors import TrainingError
from frame2sound.training.checkpoint import TrainingState

DIVERGENCE_RATIO = 2.0
"""A training whose best loss is more than so many times that of its first step has diverged."""


def require_finite_loss(loss: float, training_state: TrainingState, learning_rate: float) -> float:
    """Return a loss; raise `TrainingError` if it is not finite."""
    if not math.isfinite(loss):
        raise _divergence_error(
            f"the loss is not finite in epoch {training_state.epoch + 1}", learning_rate
        )
    return loss


def require_finite_weights(
    weights: Iterable[torch.Tensor], training_state: TrainingState, learning_rate: float
) -> None:
    """Raise `TrainingError` if any weight is not finite."""
    if not all(torch.isfinite(tensor).all() for tensor in weights):
        raise _divergence_error(
            f"weights are not finite after epoch {training_state.epoch + 1}", learning_rate
        )


def refuse_diverged(training_state: TrainingState, learning_rate: float) -> None:
    """Raise `TrainingError` if what was learned is much farther off than what was there before.

    Losses are relative to silence's. Recipes that begin far off, as Hindle's do, may end so.
    """
    if not training_state.best_epoch:
        return
    loss, before = (
        training_state.curve[training_state.best_epoch - 1][0],
        max(training_state.initial_loss, 1.0),
    )
    if loss > DIVERGENCE_RATIO * before:
        raise _divergence_error(
            f"the loss went from {before:.3g} to {loss:.3g} (silence has 1)", learning_rate
        )


def _divergence_error(symptom: str, learning_rate: float) -> TrainingError:
    return TrainingError(
        f"training diverged: {symptom}; lower training.rate, which is {learning_rate:g}"
    )
