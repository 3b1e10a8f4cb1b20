"""Lessons: pairs as the part that learns takes them, made once where that fits in memory."""

from __future__ import annotations

import numpy as np
import torch

from frame2sound.brain.brain import Brain
from frame2sound.brain.inputs import see
from frame2sound.training.pairs import Numbers, Pairs

MOST_BYTES = 2 * 2**30
"""Lessons are kept in the computer's memory up to this size; longer films are seen anew."""

SHARE_OF_DEVICE = 0.5
"""Lessons are kept in an accelerator's memory up to this share of what is free."""

BATCH = 256

Lesson = tuple[torch.Tensor, torch.Tensor]
"""Looks ``(n, width)`` and wanted outputs ``(n, length)``."""


class Lessons:
    """The lessons of pairs.

    Eyes do not learn, so what they see of a frame is found once, and so is what is wanted of it.
    Where the network sees the pixels themselves, these are kept as bytes until it takes them.

    Parameters
    ----------
    pairs : Pairs
    brain : Brain
        Whose eyes look, and whose target is wanted.
    device : torch.device
        Where lessons are given.
    """

    def __init__(self, pairs: Pairs, brain: Brain, device: torch.device) -> None:
        self.pairs = pairs
        self.brain = brain
        self.device = device
        self._looks: torch.Tensor | None = None
        self._wanted: torch.Tensor | None = None
        if len(pairs) and self._bytes() * len(pairs) <= _room(device):
            self._keep()

    def __len__(self) -> int:
        return len(self.pairs)

    def take(self, which: Numbers, over: Numbers | None = None) -> Lesson:
        """Return the lessons of the pairs of these numbers.

        Where ``over``, shape ``(n,)``, is not below 0, the picture of that pair is laid over this
        one, lighter over darker, and the sounds of both are mixed.
        """
        if self._looks is None or self._wanted is None:
            return self._made(which, over)
        at = torch.from_numpy(which).to(self.device)
        looks, wanted = self._looks[at], self._wanted[at]
        if self.brain.network.eyes is None:
            looks = see(looks, self.brain.recipe.input)
        if over is not None and (over >= 0).any():
            mixed = np.flatnonzero(over >= 0)
            looks[mixed], wanted[mixed] = self._made(which[mixed], over[mixed])
        return looks, wanted

    def grid(
        self, which: Numbers, over: Numbers
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the lessons of pairs ``(streams, chunk)``, and where there are any, bool.

        Shapes are ``(streams, chunk, width)`` and ``(streams, chunk, length)``; zeros where
        ``which`` is below 0.
        """
        there = which >= 0
        mask = torch.from_numpy(there).to(self.device)
        parts = self.take(which[there], over[there])
        if there.all():
            looks, wanted = (part.reshape(*there.shape, -1) for part in parts)
            return looks, wanted, mask
        looks, wanted = (part.new_zeros(*there.shape, part.shape[1]) for part in parts)
        looks[mask], wanted[mask] = parts
        return looks, wanted, mask

    def wanted(self, which: Numbers) -> torch.Tensor:
        """Return what is wanted of the pairs of these numbers."""
        return self.take(which)[1]

    def _made(self, which: Numbers, over: Numbers | None = None) -> Lesson:
        moments, excerpts = self.pairs.take(which)
        if over is not None:
            mixed = over >= 0
            others = self.pairs.take(over[mixed])
            moments[mixed] = np.maximum(moments[mixed], others[0])
            excerpts[mixed] += others[1]
        with torch.no_grad():
            seen = see(torch.from_numpy(moments).to(self.device), self.brain.recipe.input)
            wanted = self.brain.target.wanted(torch.from_numpy(excerpts).to(self.device))
            return self.brain.network.look(seen), wanted

    def _keep(self) -> None:
        """Make all lessons."""
        for which in np.split(np.arange(len(self)), range(BATCH, len(self), BATCH)):
            if self.brain.network.eyes is None:
                moments, excerpts = self.pairs.take(which)
                looks = torch.from_numpy(moments).to(self.device)
                wanted = self.brain.target.wanted(torch.from_numpy(excerpts).to(self.device))
            else:
                looks, wanted = self._made(which)
            if self._looks is None or self._wanted is None:
                self._looks = looks.new_empty(len(self), *looks.shape[1:])
                self._wanted = wanted.new_empty(len(self), *wanted.shape[1:])
            at = slice(which[0], which[-1] + 1)
            self._looks[at], self._wanted[at] = looks, wanted

    def _bytes(self) -> int:
        """Return how much a lesson takes."""
        eyes, moment = self.brain.network.eyes, self.pairs.take(np.zeros(1, np.int64))[0]
        return (moment.size if eyes is None else 4 * eyes.width) + 4 * self.brain.target.length


def _room(device: torch.device) -> float:
    if device.type == "cuda":
        return SHARE_OF_DEVICE * torch.cuda.mem_get_info(device)[0]
    return MOST_BYTES
