"""The networks: from sound to a stroke, from a raster to sound, and a discriminator of each."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from frame2sound.synaesthesia.descriptors import describe_outlines
from frame2sound.synaesthesia.raster import SIZE, rasterise_outlines
from frame2sound.synaesthesia.stroke import (
    keep_on_page,
    stroke_inks,
    stroke_points,
    stroke_widths,
)

SLOPE = 0.2
"""Slope of the activations below 0."""

RASTER_GAIN = 2.0
"""Rasters are mostly paper; they enter networks louder."""


class StrokeGenerator(nn.Module):
    """Draws a stroke for the whitened components of a sound, ``(n, components)``.

    Outputs are scaled to the mean and the spread of the strokes drawn for training, and bent so
    that they never leave their range.
    """

    mean: Tensor
    spread: Tensor
    lowest: Tensor
    highest: Tensor

    def __init__(self, components: int, hidden: int, ranges: Tensor) -> None:
        super().__init__()
        for name, values in zip(("mean", "spread", "lowest", "highest"), ranges, strict=True):
            self.register_buffer(name, values.clone())
        self.layers = nn.Sequential(
            nn.Linear(components, hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(hidden, ranges.shape[1]),
        )

    def forward(self, components: Tensor) -> Tensor:
        """Return strokes, ``(n, 36 + colours)``; see `stroke_points`."""
        free = self.layers(components) * self.spread + self.mean
        middle, half = (self.lowest + self.highest) / 2, (self.highest - self.lowest) / 2
        return keep_on_page(middle + half * torch.tanh((free - middle) / half))

    def show(self, strokes: Tensor) -> tuple[Tensor, Tensor]:
        """Return the rasters of strokes, and their measures; see `describe_outlines`."""
        outlines = stroke_points(strokes), stroke_widths(strokes), stroke_inks(strokes)
        return rasterise_outlines(*outlines), describe_outlines(*outlines)


class RasterReader(nn.Module):
    """Returns the whitened components of the sound of a raster."""

    def __init__(self, components: int, hidden: int, channels: int, colours: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *convolutions(colours, channels),
            nn.Linear(feature_count(channels), hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(hidden, components),
        )

    def forward(self, rasters: Tensor) -> Tensor:
        """Return components, ``(n, components)``, of rasters ``(n, colours, 32, 32)``."""
        components: Tensor = self.layers(rasters * RASTER_GAIN)
        return components


class RasterDiscriminator(nn.Module):
    """Tells drawn rasters from generated ones, also by how much those of a batch differ."""

    def __init__(self, channels: int, colours: int, size: int = SIZE) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *convolutions(colours, channels, norm=spectral_norm),
            spectral_norm(nn.Linear(feature_count(channels, size), 64)),
            nn.LeakyReLU(SLOPE),
        )
        self.score = nn.Linear(65, 1)

    def forward(self, rasters: Tensor) -> Tensor:
        """Return scores, ``(n, 1)``: near 1 for drawn, near 0 for generated."""
        score: Tensor = self.score(_with_deviation(self.features(rasters * RASTER_GAIN)))
        return score


class ComponentDiscriminator(nn.Module):
    """Tells the components of sounds from generated ones."""

    def __init__(self, components: int, hidden: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            spectral_norm(nn.Linear(components, hidden)),
            nn.LeakyReLU(SLOPE),
            spectral_norm(nn.Linear(hidden, 64)),
            nn.LeakyReLU(SLOPE),
        )
        self.score = nn.Linear(65, 1)

    def forward(self, components: Tensor) -> Tensor:
        """Return scores, ``(n, 1)``: near 1 for heard, near 0 for generated."""
        score: Tensor = self.score(_with_deviation(self.features(components)))
        return score


def _with_deviation(features: Tensor) -> Tensor:
    """Return features and their mean deviation within the batch (Karras et al. 2018, section 3)."""
    deviation = features.std(dim=0, correction=0).mean().expand(len(features), 1)
    return torch.cat([features, deviation], dim=1)


def _plain(layer: nn.Module) -> nn.Module:
    return layer


def feature_count(channels: int, size: int = SIZE) -> int:
    """Return how many values `convolutions` make of a square picture."""
    return 4 * channels * (size // 8) ** 2


def convolutions(colours: int, channels: int, norm: Any = _plain) -> list[nn.Module]:
    """Return layers that make three times half as large pictures, and their values in a row."""
    layers: list[nn.Module] = []
    for before, after in (
        (colours, channels),
        (channels, 2 * channels),
        (2 * channels, 4 * channels),
    ):
        layers += [norm(nn.Conv2d(before, after, 3, 2, 1)), nn.LeakyReLU(SLOPE)]
    return [*layers, nn.Flatten()]
