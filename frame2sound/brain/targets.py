"""Targets: what of the sound a network learns to give, and how that becomes sound again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

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

_SPECTRA: dict[type, type[Spectra]] = {
    StftReal: RealSpectra,
    StftMag: Magnitudes,
    StftBoth: PolarSpectra,
    LogMag: LogMagnitudes,
    Mel: MelMagnitudes,
}


class Target(Protocol):
    """What a network is to give for a frame, drawn from an excerpt of sound around it.

    An excerpt is ``extent`` samples long and begins ``before`` samples before the frame's start.
    """

    @property
    def lead_samples(self) -> int:
        """How many samples of an excerpt come before the frame's start."""

    @property
    def excerpt_length(self) -> int:
        """How many samples an excerpt holds."""

    @property
    def required_range(self) -> tuple[int, int]:
        """The samples, counted from the frame's start, without which nothing is learned."""

    @property
    def length(self) -> int:
        """How many numbers a network gives for a frame."""

    @property
    def silence_value(self) -> float:
        """The number that stands for silence."""

    @property
    def scale(self) -> float:
        """What the target takes from the library: one number above 0."""

    def encode(self, excerpts: torch.Tensor) -> torch.Tensor:
        """Turn excerpts ``(n, extent)`` into what a network should give, ``(n, length)``."""

    def log_magnitude(self, output: torch.Tensor) -> torch.Tensor:
        """Return the log magnitudes, in decades, of what a network gives."""

    def decode(self, output: torch.Tensor) -> NDArray[Any]:
        """Turn what a network gives into what a renderer takes."""


@dataclass(frozen=True)
class PcmBlocks:
    """The samples around a frame's start: ``lead`` of them before it, then the frame's own.

    A renderer takes blocks ``(n, length)``, full scale at 1.

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
    def from_config(cls, recipe: Pcm, clock: Clock, rms: float = 1.0) -> PcmBlocks:
        """Derive the block from a recipe, a clock and the root mean square of the sound."""
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
        """The number that stands for silence."""
        return -self.offset / self.scale

    def encode(self, excerpts: torch.Tensor) -> torch.Tensor:
        """Scale sound to what the network should give."""
        return (excerpts - self.offset) / self.scale

    def log_magnitude(self, output: torch.Tensor) -> torch.Tensor:
        """Return the log magnitudes of windows a quarter of the block long, 80 dB deep.

        They are 0 for silence, exactly: the logarithm is of one plus a power.
        """
        n_fft = max(self.length // 4, 4)
        floor = 1e-4 * n_fft / 2
        power = spectra(output - self.silence_value, n_fft, n_fft // 2).abs().square()
        decades: torch.Tensor = torch.log1p(power / floor**2) * (0.5 / math.log(10))
        return decades

    def decode(self, output: torch.Tensor) -> NDArray[np.float32]:
        """Scale what the network gave back to sound."""
        sound: NDArray[np.float32] = (output * self.scale + self.offset).cpu().numpy()
        return sound


def magnitudes(sound: torch.Tensor, n_fft: int, hop: int, floor: float) -> torch.Tensor:
    """Return magnitudes of `spectra`, none below ``floor``."""
    return torch.sqrt(spectra(sound, n_fft, hop).abs().square() + floor**2)


def spectra(sound: torch.Tensor, n_fft: int, hop: int) -> torch.Tensor:
    """Return complex spectra ``(n, bins, frames)`` of waveforms ``(n, length)``.

    Windows are centred on every ``hop``-th sample from the first on and reach into silence on both
    sides, so that a loss hears every sample.
    """
    window = torch.hann_window(n_fft, device=sound.device)
    return torch.stft(sound, n_fft, hop, window=window, pad_mode="constant", return_complex=True)


def build_target(recipe: Recipe, scale: float = 1.0) -> Target:
    """Return a recipe's target, scaled to a library."""
    if isinstance(recipe.target, Pcm):
        return PcmBlocks.from_config(recipe.target, recipe.to_clock(), scale)
    return _SPECTRA[type(recipe.target)](recipe.target, recipe.to_clock(), scale)
