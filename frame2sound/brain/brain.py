"""A brain: network, input, target, scaling and clock - all that is needed to sound a film."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from frame2sound.brain.corpus import Corpus, CorpusPointer
from frame2sound.brain.inputs import see, size_of
from frame2sound.brain.networks import build_network, initialise, last_layer
from frame2sound.brain.recipe import Recipe
from frame2sound.brain.sought import target_of
from frame2sound.brain.sounding import Memoryless
from frame2sound.brain.targets import Target
from frame2sound.clock import Clock
from frame2sound.errors import BrainError
from frame2sound.film.picture import SIZE


@dataclass
class Brain(Memoryless):
    """A network and what its numbers mean.

    Attributes
    ----------
    network : nn.Sequential
        What enters, ``(n, 4096)`` for pixels, to ``(n, target.length)``.
    provenance : dict
        Where the brain comes from: films, seconds of training, losses; plain values.
    corpus : Corpus or CorpusPointer, optional
        Sound of its films, for the mosaic.
    """

    recipe: Recipe
    network: nn.Sequential
    target: Target
    provenance: dict[str, Any] = field(default_factory=dict)
    corpus: Corpus | CorpusPointer | None = None

    def __post_init__(self) -> None:
        self.network.eval()

    @classmethod
    def untrained(cls, recipe: Recipe, scale: float = 1.0, seed: int = 0) -> Brain:
        """Build a brain that has learned nothing."""
        target = target_of(recipe, scale)
        network = build_network(recipe, size_of(recipe.input), target.length)
        initialise(network, seed)
        return cls(recipe, network, target)

    @property
    def clock(self) -> Clock:
        """The frame rate and the sample rate at which it works."""
        return self.recipe.ticking()

    @property
    def parameters(self) -> int:
        """How many numbers it has learned."""
        return sum(tensor.numel() for tensor in self.network.parameters())

    def predict(self, frames: NDArray[np.uint8]) -> NDArray[Any]:
        """Turn frames ``(n, 64, 64)`` into what the target says: blocks of sound, or spectra.

        Raises
        ------
        BrainError
            The output is not finite: the brain has diverged.
        """
        device = next(self.network.parameters()).device
        with torch.inference_mode():
            output = self.network(see(torch.tensor(frames, device=device), self.recipe.input))
        if not torch.isfinite(output).all():
            raise BrainError(
                f"brain {self.recipe.name!r} gives numbers that are not finite: its training "
                "diverged; train it again with a smaller training.rate"
            )
        return self.target.prediction(output)

    def silence_screens(self) -> None:
        """Make black and white screens exactly silent, changing the last layer the least.

        The last layer's weights and bias are moved to the nearest ones (in the Frobenius norm)
        under which both screens give silence: the projection on two linear constraints.
        """
        device = next(self.network.parameters()).device
        screens = torch.tensor([0, 255], dtype=torch.uint8, device=device)
        screens = see(screens[:, None, None].expand(2, SIZE, SIZE), self.recipe.input)
        layer = last_layer(self.network)
        with torch.no_grad():
            seen = self.network[:-1](screens).cpu().double()  # not every device has doubles
            seen = torch.cat([seen, torch.ones(2, 1, dtype=torch.float64)], 1)
            error = self.network(screens).cpu().double() - self.target.silent
            change = (torch.linalg.pinv(seen) @ error).float()
            layer.weight.sub_(change[:-1].T.to(layer.weight))
            layer.bias.sub_(change[-1].to(layer.bias))
