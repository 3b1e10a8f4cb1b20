"""Targets: what of the sound a network learns to give, and how that becomes sound again."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.recipe import Pcm
from frame2sound.clock import Clock, sample_at


@dataclass(frozen=True)
class PcmBlocks:
    """The samples around a frame's start: ``lead`` of them before it, then the frame's own.

    Attributes
    ----------
    lead : int
        Samples before the frame, on which it is joined to the one before.
    length : int
        Samples in a block, the lead included; the same for all frames, so that a block may reach
        one sample into the next frame.
    offset, scale : float
        Network output times ``scale`` plus ``offset`` is sound.
    """

    lead: int
    length: int
    offset: float = 0.0
    scale: float = 1.0

    @classmethod
    def of(cls, recipe: Pcm, clock: Clock, rms: float = 1.0) -> PcmBlocks:
        """Derive the block from a recipe, a clock and the root mean square of the sound."""
        lead = sample_at(Fraction(recipe.lead_seconds), clock.sample_rate)
        length = lead + clock.slice_length
        if recipe.scaling == "half":
            return cls(lead, length, offset=-1.0, scale=2.0)
        return cls(lead, length, scale=rms)

    def cut(self, sound: NDArray[np.float32], starts: NDArray[np.int64]) -> NDArray[np.float32]:
        """Cut the blocks of frames that start at samples ``starts``; shape ``(n, length)``."""
        windows = np.lib.stride_tricks.sliding_window_view(sound, self.length)
        return windows[starts - self.lead]

    def to_output(self, blocks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scale sound to what the network should give."""
        return (blocks - np.float32(self.offset)) / np.float32(self.scale)

    def to_sound(self, output: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scale what the network gave back to sound."""
        return output * np.float32(self.scale) + np.float32(self.offset)
