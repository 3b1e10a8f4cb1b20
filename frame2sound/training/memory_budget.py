"""How much memory training may use for its examples, and where the others are cached."""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from frame2sound.errors import TrainingError

DEFAULT_LIMIT_BYTES = 2 * 2**30
"""Memory that the program may use where no limit is given."""

MAX_DEVICE_SHARE = 0.5
"""Largest share of an accelerator's free memory that examples may use."""

WEIGHT_COPIES = 13
"""Memory that training needs besides the weights, as a multiple of their size.

Gradients, two moments, the best weights and the latest; and twice what a checkpoint holds.
"""

WORKING_BYTES = 256 * 2**20
"""Memory that training steps need: batches, activations, code."""


@dataclass(frozen=True)
class MemoryBudget:
    """Decides whether training examples are cached in memory or on disk.

    Attributes
    ----------
    limit_bytes : int, optional
        Memory that the whole program may use; None is 2 GiB, or what training needs without
        any cached example if that is more.
    cache_folder : Path, optional
        Where examples that do not fit are cached; None is the system's folder for temporary files.
    """

    limit_bytes: int | None = None
    cache_folder: Path | None = None

    def available_bytes(self, network: nn.Module, device: torch.device) -> float:
        """Return how many bytes of examples may be in memory: the device's if it has its own.

        Raises
        ------
        TrainingError
            Training needs more than the limit even without cached examples.
        """
        needed = resident_bytes() + WORKING_BYTES + WEIGHT_COPIES * _weight_bytes(network)
        if self.limit_bytes is not None and needed > self.limit_bytes:
            raise TrainingError(
                f"got {self.limit_bytes / 1e9:.2f} GB of memory, expected {needed / 1e9:.2f} GB "
                "or more to train with this recipe; raise `memory` or use a smaller network"
            )
        if device.type == "cuda":
            return MAX_DEVICE_SHARE * torch.cuda.mem_get_info(device)[0]
        return max((self.limit_bytes or DEFAULT_LIMIT_BYTES) - needed, 0)


def resident_bytes() -> int:
    """Return how many bytes of memory this process uses."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not Linux: the peak instead
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak
    return pages * resource.getpagesize()


def _weight_bytes(network: nn.Module) -> int:
    return sum(tensor.nbytes for tensor in network.state_dict().values())
