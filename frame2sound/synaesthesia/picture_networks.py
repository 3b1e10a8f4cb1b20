"""The networks of the raster kind: from a sound's spectrum to a picture, and back."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from frame2sound.synaesthesia.networks import (
    SLOPE,
    RasterDiscriminator,
    convolutions,
    feature_count,
)
from frame2sound.synaesthesia.picture_measures import describe_pictures
from frame2sound.synaesthesia.raster import PICTURE_SIZE
from frame2sound.synaesthesia.sound_windows import BANDS, FRAMES

SPECTRUM_SIZE = 48
"""Rows and columns of spectra in networks: 42 times and 48 bands, filled up with zeros."""

LEVEL_SCALE = 20.0
"""Decibels of a spectrum that are 1 in networks."""


class Translator(nn.Module):
    """Turns square pictures into others, by convolutions and a narrow layer between them.

    The narrow layer sees the whole: what is low in a spectrum may become what is large in a
    picture. There is no instance normalisation: it would give every picture the same contrast.

    Parameters
    ----------
    colours, sizes : (int, int)
        Of the pictures that come in and go out; sizes are multiples of 8.
    channels : int
        Of the first and the last layer.
    hidden : int
        Values of the narrow layer.
    """

    def __init__(
        self, colours: tuple[int, int], sizes: tuple[int, int], channels: int, hidden: int
    ) -> None:
        super().__init__()
        side = sizes[1] // 8
        self.layers = nn.Sequential(
            *convolutions(colours[0], channels),
            nn.Linear(feature_count(channels, sizes[0]), hidden),
            nn.LeakyReLU(SLOPE),
            nn.Linear(hidden, feature_count(channels, sizes[1])),
            nn.Unflatten(1, (4 * channels, side, side)),
            *_expansion(4 * channels, 2 * channels),
            *_expansion(2 * channels, channels),
            *_expansion(channels, colours[1]),
        )
        self.layers.apply(_keep_variance)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return pictures, ``(n, colours, size, size)``; values are of any size."""
        translated: Tensor = self.layers(pictures)
        return translated


class SpectrumPictures(nn.Module):
    """Turns whitened components into pictures of log mel spectra and back: both are linear.

    Parameters
    ----------
    directions : Tensor (components, 2016)
        The principal directions, each times its scale in dB.
    """

    size = SPECTRUM_SIZE
    directions: Tensor
    inverse: Tensor

    def __init__(self, directions: Tensor) -> None:
        super().__init__()
        squares = directions.square().sum(dim=1, keepdim=True).clamp_min(1e-9)
        self.register_buffer("directions", directions / LEVEL_SCALE, persistent=False)
        self.register_buffer("inverse", LEVEL_SCALE * directions / squares, persistent=False)

    def forward(self, components: Tensor) -> Tensor:
        """Return pictures ``(n, 1, 48, 48)`` of components: deviations from the mean spectrum."""
        pictures = (components @ self.directions).view(-1, 1, FRAMES, BANDS)
        return nn.functional.pad(pictures, (0, 0, 0, SPECTRUM_SIZE - FRAMES))

    def components(self, pictures: Tensor) -> Tensor:
        """Return the components of such pictures, ``(n, components)``."""
        return pictures[:, 0, :FRAMES].flatten(1) @ self.inverse.T


class PictureGenerator(nn.Module):
    """Draws a picture for the whitened components of a sound, ``(n, components)``.

    It starts from the mean picture: outputs are changes of that, in logits of ink.
    """

    mean: Tensor

    def __init__(self, spectra: SpectrumPictures, mean: Tensor, channels: int, hidden: int) -> None:
        super().__init__()
        self.spectra = spectra
        self.register_buffer("mean", mean.clone())
        sizes = (spectra.size, PICTURE_SIZE)
        self.translator = Translator((1, len(mean)), sizes, channels, hidden)

    def forward(self, components: Tensor) -> Tensor:
        """Return pictures: ink, 0 to 1, ``(n, colours, 64, 64)``."""
        return torch.sigmoid(self.translator(self.spectra(components)) + self.mean)

    def show(self, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Return what was drawn as rasters, and its measures; see `describe_pictures`."""
        return drawn, describe_pictures(drawn)


class PictureReader(nn.Module):
    """Returns the whitened components of the sound of a picture."""

    def __init__(self, spectra: SpectrumPictures, colours: int, channels: int, hidden: int) -> None:
        super().__init__()
        self.spectra = spectra
        sizes = (PICTURE_SIZE, spectra.size)
        self.translator = Translator((colours, 1), sizes, channels, hidden)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return components, ``(n, components)``, of pictures ``(n, colours, 64, 64)``."""
        return self.spectra.components(self.translator(pictures))


class SpectrumDiscriminator(nn.Module):
    """Tells the spectra of sounds from generated ones, given as whitened components."""

    def __init__(self, spectra: SpectrumPictures, channels: int) -> None:
        super().__init__()
        self.spectra = spectra
        self.judge = RasterDiscriminator(channels, 1, spectra.size)

    def forward(self, components: Tensor) -> Tensor:
        """Return scores, ``(n, 1)``: near 1 for heard, near 0 for generated."""
        score: Tensor = self.judge(self.spectra(components))
        return score


def _expansion(before: int, after: int) -> list[nn.Module]:
    """Return layers that double the size, after an activation."""
    return [nn.LeakyReLU(SLOPE), nn.ConvTranspose2d(before, after, 4, 2, 1)]


def _keep_variance(layer: nn.Module) -> None:
    """Fill weights so that values vary as much after a layer as before (He et al. 2015).

    A value after a transposed convolution of stride 2 is a sum over a quarter of the taps.
    """
    if not isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d) or layer.bias is None:
        return
    if isinstance(layer, nn.ConvTranspose2d):
        inputs = layer.weight[:, 0].numel() // 4
    else:
        inputs = layer.weight[0].numel()
    nn.init.normal_(layer.weight, std=math.sqrt(2 / (1 + SLOPE**2) / inputs))
    nn.init.zeros_(layer.bias)
