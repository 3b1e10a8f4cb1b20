"""The losses of a pair in training: cycles, discriminators, correlations and identity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from frame2sound.synaesthesia.descriptors import Pairing, correlation, describe_sounds
from frame2sound.synaesthesia.sound_windows import (
    BANDS,
    FRAMES,
    SoundComponents,
    fit_components,
)

POOL = 4
"""Pixels along each side of the squares over which rasters are averaged for the cycle."""


def score_loss(score: Tensor, target: float) -> Tensor:
    """Return the squared error of a discriminator's scores (least-squares GAN; Mao et al. 2017)."""
    return ((score - target) ** 2).mean()


@dataclass(frozen=True)
class RasterDistance:
    """The squared error of rasters, in pixels and in averages, each as a share of its variance."""

    pixel_variance: float
    pooled_variance: float

    @classmethod
    def of(cls, rasters: Tensor) -> RasterDistance:
        """Return the distance for drawings like these, ``(n, colours, 32, 32)``."""
        variances = (rasters.var(dim=0).mean(), avg_pool2d(rasters, POOL).var(dim=0).mean())
        return cls(*(max(float(variance), 1e-9) for variance in variances))

    def __call__(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the mean error of the first rasters."""
        pixels = ((first - second) ** 2).mean() / self.pixel_variance
        pooled = ((avg_pool2d(first, POOL) - avg_pool2d(second, POOL)) ** 2).mean()
        return (pixels + pooled / self.pooled_variance) / 2


class SpectrumMeasures(nn.Module):
    """The measures of sounds that pairings name, of whitened components, with gradients."""

    mean: Tensor
    directions: Tensor

    def __init__(self, components: SoundComponents) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(components.mean))
        directions = components.directions * components.scales[:, None]
        self.register_buffer("directions", torch.from_numpy(directions))

    def forward(self, components: Tensor) -> Tensor:
        """Return the measures, ``(n, 4)``; see `describe_sounds`."""
        flat = self.mean + components @ self.directions
        return describe_sounds(flat.view(-1, FRAMES, BANDS))


def pairing_loss(pairings: tuple[Pairing, ...], sounds: Tensor, drawings: Tensor) -> Tensor:
    """Return how far the correlations of measures are from those asked for: 0 to 2 each, summed."""
    losses = [
        1 - each.sign * correlation(sounds[:, each.sound], drawings[:, each.drawing])
        for each in pairings
    ]
    return torch.stack(losses).sum() if losses else drawings.new_zeros(())


class RasterComponents(nn.Module):
    """Whitened components of pooled rasters, which the identity loss puts beside those of sounds.

    As CycleGAN's identity loss keeps what need not change, this one asks the first component of a
    drawing to follow the first of its sound, and so on. The sign of each is that of more ink.
    """

    mean: Tensor
    directions: Tensor

    def __init__(self, rasters: NDArray[np.float32], count: int) -> None:
        super().__init__()
        pooled = avg_pool2d(torch.from_numpy(rasters), POOL).flatten(1).numpy()
        found = fit_components(pooled[:, None], min(count, pooled.shape[1]))
        signs = np.where(found.directions.sum(axis=1) < 0, -1, 1)[:, None]
        directions = torch.from_numpy(signs * found.directions / found.scales[:, None])
        self.register_buffer("mean", torch.from_numpy(found.mean))
        self.register_buffer("directions", directions.float())

    def forward(self, rasters: Tensor) -> Tensor:
        """Return the components of rasters, ``(n, count)``."""
        return (avg_pool2d(rasters, POOL).flatten(1) - self.mean) @ self.directions.T
