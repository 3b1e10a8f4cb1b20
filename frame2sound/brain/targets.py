"""Targets: how the sound of a frame is encoded as a network's output, and decoded again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.arrays import Array, to_numpy
from frame2sound.brain.config import LogMag, Mel, Pcm, StftBoth, StftMag, StftReal
from frame2sound.brain.recipe import Recipe
from frame2sound.brain.spectra import (
    LogMagnitudes,
    Magnitudes,
    MelMagnitudes,
    PolarSpectra,
    RealSpectra,
    Spectra,
)
from frame2sound.clock import Clock, sample_at

if TYPE_CHECKING:
    import torch

_SPECTRA: dict[type, type[Spectra]] = {
    StftReal: RealSpectra,
    StftMag: Magnitudes,
    StftBoth: PolarSpectra,
    LogMag: LogMagnitudes,
    Mel: MelMagnitudes,
}


class Target(Protocol):
    """The encoding of a frame's sound as the output of a network.

    It is computed from an excerpt of ``excerpt_length`` samples that begins ``lead_samples``
    samples before the frame's start.
    """

    @property
    def lead_samples(self) -> int:
        """The number of samples of an excerpt before the frame's start."""

    @property
    def excerpt_length(self) -> int:
        """The number of samples of an excerpt."""

    @property
    def required_range(self) -> tuple[int, int]:
        """The range of samples, from the frame's start, that must be recorded for training."""

    @property
    def length(self) -> int:
        """The number of output values per frame."""

    @property
    def silence_value(self) -> float:
        """The output value that means silence."""

    @property
    def scale(self) -> float:
        """The factor, above 0, by which the library's sound is scaled."""

    def encode(self, excerpts: Array) -> Array:
        """Return the ideal output ``(n, length)`` for excerpts ``(n, excerpt_length)``."""

    def log_magnitude(self, output: torch.Tensor) -> torch.Tensor:
        """Return the log magnitudes of an output, in decades."""

    def decode(self, output: Array) -> NDArray[Any]:
        """Return what a renderer needs, from an output ``(n, length)``."""

    def reconstruct(self, excerpts: NDArray[np.float32]) -> NDArray[Any]:
        """Return what a renderer gets of a perfect brain for excerpts ``(n, excerpt_length)``."""


@dataclass(frozen=True)
class PcmBlocks:
    """Blocks of samples: ``lead`` samples before the frame's start, then those of the frame.

    Decoded blocks are float32 ``(n, length)``, full scale at 1.

    Attributes
    ----------
    lead : int
        Samples before the frame, over which it cross-fades with the previous frame.
    length : int
        Samples per block, including the lead. All blocks are as long as the longest frame needs, so
        a block may reach one sample into the next frame.
    offset, scale : float
        Sound is the output times ``scale`` plus ``offset``.
    """

    lead: int
    length: int
    offset: float = 0.0
    scale: float = 1.0

    @classmethod
    def from_config(cls, recipe: Pcm, clock: Clock, rms: float = 1.0) -> PcmBlocks:
        """Return the blocks for a recipe's target, a clock and the sound's root mean square."""
        lead = sample_at(Fraction(recipe.lead_seconds), clock.sample_rate)
        length = lead + clock.max_samples_per_frame
        if recipe.scaling == "half":
            return cls(lead, length, offset=-1.0, scale=2.0)
        return cls(lead, length, scale=rms)

    @property
    def lead_samples(self) -> int:
        """The lead."""
        return self.lead

    @property
    def excerpt_length(self) -> int:
        """The whole block."""
        return self.length

    @property
    def required_range(self) -> tuple[int, int]:
        """The whole block."""
        return -self.lead, self.length - self.lead

    @property
    def silence_value(self) -> float:
        """The output value that means silence."""
        return -self.offset / self.scale

    def encode(self, excerpts: Array) -> Array:
        """Return sound as output values."""
        encoded: Array = (excerpts - self.offset) / self.scale
        return encoded

    def log_magnitude(self, output: torch.Tensor) -> torch.Tensor:
        """Return the log magnitudes of windows a quarter of the block long, down to -80 dB.

        Silence gives exactly 0, because the logarithm is that of one plus a power.
        """
        from frame2sound.brain.waveform_spectra import spectra

        n_fft = max(self.length // 4, 4)
        floor = 1e-4 * n_fft / 2
        power = spectra(output - self.silence_value, n_fft, n_fft // 2).abs().square()
        return (power / floor**2).log1p() * (0.5 / math.log(10))

    def decode(self, output: Array) -> NDArray[np.float32]:
        """Return output values as sound."""
        sound = to_numpy(output) * np.float32(self.scale) + np.float32(self.offset)
        return np.asarray(sound, np.float32)

    def reconstruct(self, excerpts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return encoded and decoded excerpts."""
        return self.decode(self.encode(excerpts))


def build_target(recipe: Recipe, scale: float = 1.0) -> Target:
    """Return the target of a recipe, with the scale of a library."""
    if isinstance(recipe.target, Pcm):
        return PcmBlocks.from_config(recipe.target, recipe.to_clock(), scale)
    return _SPECTRA[type(recipe.target)](recipe.target, recipe.to_clock(), scale)
