"""Divergence: a learning rate so high that each step goes farther than it should, told as such."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from frame2sound.errors import TrainingError
from frame2sound.training.checkpoint import Course

WORSE = 2.0
"""A training whose best loss is more than so many times that of its first step has diverged."""


def finite(loss: float, course: Course, rate: float) -> float:
    """Return a loss; raise `TrainingError` if it is not finite."""
    if not math.isfinite(loss):
        raise _diverged(f"the loss is not finite in epoch {course.epoch + 1}", rate)
    return loss


def refuse_weights(weights: Iterable[torch.Tensor], course: Course, rate: float) -> None:
    """Raise `TrainingError` if any weight is not finite."""
    if not all(torch.isfinite(tensor).all() for tensor in weights):
        raise _diverged(f"weights are not finite after epoch {course.epoch + 1}", rate)


def refuse_diverged(course: Course, rate: float) -> None:
    """Raise `TrainingError` if what was learned is much farther off than what was there before.

    Losses are relative to silence's. Recipes that begin far off, as Hindle's do, may end so.
    """
    if not course.best_epoch:
        return
    loss, before = course.curve[course.best_epoch - 1][0], max(course.untrained, 1.0)
    if loss > WORSE * before:
        raise _diverged(f"the loss went from {before:.3g} to {loss:.3g} (silence has 1)", rate)


def _diverged(what: str, rate: float) -> TrainingError:
    return TrainingError(f"training diverged: {what}; lower training.rate, which is {rate:g}")
