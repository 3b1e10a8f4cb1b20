"""How weights are updated: device, precision, optimiser and learning-rate schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim import SGD, AdamW

from frame2sound.brain.config import TrainingConfig
from frame2sound.errors import TrainingError
from frame2sound.training.adamw import FusedAdamW, Optimiser


def pick_device(name: str = "auto") -> torch.device:
    """Return the device of that name; ``auto`` is CUDA, else MPS, else CPU.

    Raises
    ------
    TrainingError
        This computer has no such device.
    """
    if name == "auto":
        name = "mps" if torch.backends.mps.is_available() else "cpu"
        name = "cuda" if torch.cuda.is_available() else name
    try:
        if name.partition(":")[0] not in ("cpu", "cuda", "mps"):
            raise RuntimeError(name)
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise TrainingError(
            f"got `device={name}`, which this computer does not have; expected auto, cpu, cuda or "
            "mps; auto finds the fastest"
        ) from error
    return device


def mixed_precision(device: torch.device) -> torch.autocast:
    """Return a context of mixed precision, enabled where bfloat16 is the faster.

    That is on CUDA, and on processors with matrix units (Intel's AMX). Factors have 8 significant
    bits, sums and weights 24 (Micikevicius et al., "Mixed precision training", 2018).
    """
    fast = device.type == "cuda" or (device.type == "cpu" and has_matrix_units())
    return torch.autocast(device.type, torch.bfloat16, enabled=fast)


def has_matrix_units() -> bool:
    """Return whether this computer's processor multiplies bfloat16 matrices in hardware."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16", False))


def build_optimiser(network: nn.Module, config: TrainingConfig) -> Optimiser:
    """Return AdamW (Loshchilov and Hutter 2019) or Nesterov's accelerated gradient."""
    trainable = [weights for weights in network.parameters() if weights.requires_grad]
    if config.optimiser == "nag":
        return SGD(
            trainable,
            lr=config.rate,
            momentum=config.momentum,
            nesterov=config.momentum > 0,
            weight_decay=config.weight_decay,
        )
    betas = config.momentum, 0.999
    if all(weights.device.type == "cpu" for weights in trainable):
        return FusedAdamW(trainable, config.rate, betas, config.weight_decay)
    return AdamW(
        trainable, lr=config.rate, betas=betas, weight_decay=config.weight_decay, fused=True
    )


@dataclass(frozen=True)
class TrainingSchedule:
    """The stages of training and the learning rate of each step.

    With pretraining, the first stages train one hidden layer each; the last trains all.

    Attributes
    ----------
    training : TrainingConfig
    steps_per_epoch : int
    pretrained_layers : int
        How many hidden layers are pretrained.
    """

    training: TrainingConfig
    steps_per_epoch: int
    pretrained_layers: int = 0

    @property
    def pretraining_epochs(self) -> int:
        """Epochs of the stages that train single layers."""
        return self.training.pretraining * self.pretrained_layers

    @property
    def epochs(self) -> int:
        """Epochs of all stages; fewer than the recipe's if they would exceed its steps."""
        most = -(-self.training.steps // self.steps_per_epoch)
        return self.pretraining_epochs + min(self.training.epochs, most)

    @property
    def total_steps(self) -> int:
        """Steps in all epochs."""
        return self.epochs * self.steps_per_epoch

    def pretrained_layer(self, epoch: int) -> int | None:
        """Return which hidden layer alone is trained in an epoch; None where all are."""
        return None if epoch >= self.pretraining_epochs else epoch // self.training.pretraining

    def stage_progress(self, step: int) -> float:
        """Return which share of its stage is done before a step, from 0 up to 1."""
        first, stop = self._stage_bounds(step)
        return (step - first) / (stop - first)

    def learning_rate(self, step: int) -> float:
        """Return the learning rate: linear warm-up, then as ``schedule`` says.

        Each stage has its own warm-up and decay.
        """
        first, stop = self._stage_bounds(step)
        warmup_steps = max(1, round(self.training.warmup * (stop - first)))
        done = step - first
        if done < warmup_steps:
            return self.training.rate * (done + 1) / warmup_steps
        if self.training.schedule == "constant":
            return self.training.rate
        progress = (done - warmup_steps) / max(stop - first - warmup_steps, 1)
        if self.training.schedule == "linear":
            return self.training.rate * (1 - progress)
        cosine = math.cos(math.pi * progress)
        return self.training.rate * 0.5 * (1 + cosine)

    def _stage_bounds(self, step: int) -> tuple[int, int]:
        """Return the first step of a step's stage, and the one after its last."""
        layer = self.pretrained_layer(step // self.steps_per_epoch)
        if layer is None:
            return self.pretraining_epochs * self.steps_per_epoch, self.total_steps
        length = self.training.pretraining * self.steps_per_epoch
        return layer * length, (layer + 1) * length
