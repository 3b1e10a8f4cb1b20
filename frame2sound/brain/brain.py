"""A brain: network, input, target, scaling and clock - all that is needed to sound a film."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from frame2sound.brain.inputs import PIXELS, pixels
from frame2sound.brain.networks import build_network, initialise, last_layer
from frame2sound.brain.recipe import Recipe
from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import Clock
from frame2sound.errors import BrainError


class Sounding(Protocol):
    """What a renderer asks of a brain."""

    @property
    def clock(self) -> Clock:
        """The frame rate and the sample rate at which it works."""

    @property
    def lead(self) -> int:
        """How many samples of each block come before its frame."""

    def blocks(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn successive frames ``(n, 64, 64)`` into blocks of sound ``(n, lead + slice)``."""


@dataclass
class Brain:
    """A network and what its numbers mean.

    Attributes
    ----------
    network : nn.Sequential
        ``(n, 4096)`` to ``(n, target.length)``.
    provenance : dict
        Where the brain comes from: films, seconds of training, losses; plain values.
    """

    recipe: Recipe
    network: nn.Sequential
    target: PcmBlocks
    provenance: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def untrained(cls, recipe: Recipe, rms: float = 1.0, seed: int = 0) -> Brain:
        """Build a brain that has learned nothing."""
        target = PcmBlocks.of(recipe.target, recipe.ticking(), rms)
        network = build_network(recipe, PIXELS, target.length)
        initialise(network, seed)
        return cls(recipe, network, target)

    @property
    def clock(self) -> Clock:
        """The frame rate and the sample rate at which it works."""
        return self.recipe.ticking()

    @property
    def lead(self) -> int:
        """How many samples of each block come before its frame."""
        return self.target.lead

    @property
    def parameters(self) -> int:
        """How many numbers it has learned."""
        return sum(tensor.numel() for tensor in self.network.parameters())

    def blocks(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn frames ``(n, 64, 64)`` into blocks of sound ``(n, length)``, full scale at 1.

        Raises
        ------
        BrainError
            The output is not finite: the brain has diverged.
        """
        device = next(self.network.parameters()).device
        with torch.inference_mode():
            output = self.network(pixels(torch.tensor(frames, device=device))).cpu().numpy()
        if not np.isfinite(output).all():
            raise BrainError(
                f"brain {self.recipe.name!r} gives numbers that are not finite: its training "
                "diverged; train it again with a smaller training.rate"
            )
        return self.target.to_sound(output)

    def silence_screens(self) -> None:
        """Make black and white screens exactly silent, changing the last layer the least.

        The last layer's weights and bias are moved to the nearest ones (in the Frobenius norm)
        under which both screens give silence: the projection on two linear constraints.
        """
        device = next(self.network.parameters()).device
        screens = torch.stack([torch.zeros(PIXELS), torch.ones(PIXELS)]).to(device)
        layer = last_layer(self.network)
        with torch.no_grad():
            seen = self.network[:-1](screens).cpu().double()  # not every device has doubles
            seen = torch.cat([seen, torch.ones(2, 1, dtype=torch.float64)], 1)
            silent = (0.0 - self.target.offset) / self.target.scale
            error = self.network(screens).cpu().double() - silent
            change = (torch.linalg.pinv(seen) @ error).float()
            layer.weight.sub_(change[:-1].T.to(layer.weight))
            layer.bias.sub_(change[-1].to(layer.bias))
