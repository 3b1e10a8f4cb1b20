"""How weights move: device, precision and optimiser."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from frame2sound.brain.config import TrainingConfig
from frame2sound.errors import TrainingError


def pick_device(name: str = "auto") -> torch.device:
    """Return the device of that name; ``auto`` is CUDA, else MPS, else CPU.

    Raises
    ------
    TrainingError
        There is no such device here.
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
            f"device {name!r} is not there; expected auto, cpu, cuda or mps"
        ) from error
    return device


def mixed_precision(device: torch.device) -> torch.autocast:
    """Return a context of mixed precision, where the device multiplies bfloat16 the faster.

    That is on CUDA, and on processors with matrix units (Intel's AMX): factors have 8 bits, sums
    and weights 24 (Micikevicius et al., "Mixed precision training", 2018).
    """
    fast = device.type == "cuda" or (device.type == "cpu" and has_matrix_units())
    return torch.autocast(device.type, torch.bfloat16, enabled=fast)


def has_matrix_units() -> bool:
    """Return whether this computer's processor multiplies matrices of bfloat16 in hardware."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16", False))


def build_optimiser(network: nn.Module, recipe: TrainingConfig) -> Optimizer:
    """Build AdamW (Loshchilov and Hutter 2019) or Nesterov's accelerated gradient."""
    learned = [weights for weights in network.parameters() if weights.requires_grad]
    if recipe.optimiser == "nag":
        return SGD(
            learned,
            lr=recipe.rate,
            momentum=recipe.momentum,
            nesterov=recipe.momentum > 0,
            weight_decay=recipe.weight_decay,
        )
    return AdamW(
        learned,
        lr=recipe.rate,
        betas=(recipe.momentum, 0.999),
        weight_decay=recipe.weight_decay,
        fused=True,
    )
