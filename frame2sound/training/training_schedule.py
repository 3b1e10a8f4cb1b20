"""The schedule of a training: its stages, and the learning rate at each step."""

from __future__ import annotations

import math
from dataclasses import dataclass

from frame2sound.brain.config import TrainingConfig


@dataclass(frozen=True)
class TrainingSchedule:
    """How long a training is: stages that train one hidden layer each, then one that trains all.

    Attributes
    ----------
    training : Training
    steps : int
        In an epoch.
    layers : int
        Hidden layers that are trained one by one before; 0 for none.
    """

    training: TrainingConfig
    steps_per_epoch: int
    pretrained_layers: int = 0

    @property
    def pretraining_epochs(self) -> int:
        """Epochs in which layers are trained one by one."""
        return self.training.pretraining * self.pretrained_layers

    @property
    def epochs(self) -> int:
        """All epochs; long films are gone through fewer times than the recipe says."""
        most = -(-self.training.steps // self.steps_per_epoch)
        return self.pretraining_epochs + min(self.training.epochs, most)

    @property
    def total_steps(self) -> int:
        """Steps in all epochs."""
        return self.epochs * self.steps_per_epoch

    def pretrained_layer(self, epoch: int) -> int | None:
        """Return which hidden layer is trained by itself; None where all are trained."""
        return None if epoch >= self.pretraining_epochs else epoch // self.training.pretraining

    def stage_progress(self, step: int) -> float:
        """Return which share of its stage a step has behind it, from 0 up to 1."""
        begin, end = self._stage_bounds(step)
        return (step - begin) / (end - begin)

    def learning_rate(self, step: int) -> float:
        """Return the learning rate: a linear rise, then level or half a cosine to zero.

        Each stage rises and falls by itself.
        """
        begin, end = self._stage_bounds(step)
        rising = max(1, round(self.training.warmup * (end - begin)))
        at = step - begin
        if at < rising:
            return self.training.rate * (at + 1) / rising
        if self.training.schedule == "constant":
            return self.training.rate
        left = math.cos(math.pi * (at - rising) / max(end - begin - rising, 1))
        return self.training.rate * 0.5 * (1 + left)

    def _stage_bounds(self, step: int) -> tuple[int, int]:
        """Return the first step of the stage that a step is in, and the one after its last."""
        layer = self.pretrained_layer(step // self.steps_per_epoch)
        if layer is None:
            return self.pretraining_epochs * self.steps_per_epoch, self.total_steps
        length = self.training.pretraining * self.steps_per_epoch
        return layer * length, (layer + 1) * length
