"""Room: how much memory a training may take, and the folder for what finds none."""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from frame2sound.errors import TrainingError

DEFAULT_LIMIT_BYTES = 2 * 2**30
"""What a training takes of the computer's memory where nobody says how much."""

MAX_DEVICE_SHARE = 0.5
"""Lessons are kept in an accelerator's memory up to this share of what is free."""

WEIGHT_COPIES = 13
"""What learning holds beside the weights, in times their size.

Gradients, two moments, the best weights and the latest; and twice all that a checkpoint says.
"""

WORKING_BYTES = 256 * 2**20
"""What the steps of learning take for themselves: batches, what lies between layers, code."""


@dataclass(frozen=True)
class MemoryBudget:
    """Where lessons are kept: in memory as long as they fit, on disk if they do not.

    Attributes
    ----------
    memory : int, optional
        Bytes of the computer's memory that the whole program may take; None is 2 GiB, or what
        learning takes without any lesson if that is more.
    folder : Path, optional
        Where lessons lie that find no room in memory; None is the system's for temporary files.
    """

    limit_bytes: int | None = None
    cache_folder: Path | None = None

    def available_bytes(self, network: nn.Module, device: torch.device) -> float:
        """Return how many bytes of lessons may be kept in memory, the device's if it has its own.

        Raises
        ------
        TrainingError
            The memory that was allowed is not enough to learn at all.
        """
        needed = resident_bytes() + WORKING_BYTES + WEIGHT_COPIES * _weight_bytes(network)
        if self.limit_bytes is not None and needed > self.limit_bytes:
            raise TrainingError(
                f"got {self.limit_bytes / 1e9:.2f} GB of memory, expected {needed / 1e9:.2f} GB or more "
                "to learn with this recipe; allow more with --memory or use a smaller network"
            )
        if device.type == "cuda":
            return MAX_DEVICE_SHARE * torch.cuda.mem_get_info(device)[0]
        return max((self.limit_bytes or DEFAULT_LIMIT_BYTES) - needed, 0)


def resident_bytes() -> int:
    """Return how many bytes of the computer's memory this process takes."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # no Linux: the most that it ever took
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most
    return pages * resource.getpagesize()


def _weight_bytes(network: nn.Module) -> int:
    return sum(tensor.nbytes for tensor in network.state_dict().values())
