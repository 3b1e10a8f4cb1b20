"""A trained pair of networks: sound to stroke or picture, and drawing to sound."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from frame2sound.synaesthesia.networks import (
    ComponentDiscriminator,
    RasterDiscriminator,
    RasterReader,
    StrokeGenerator,
)
from frame2sound.synaesthesia.picture_networks import (
    PictureGenerator,
    PictureReader,
    SpectrumDiscriminator,
    SpectrumPictures,
)
from frame2sound.synaesthesia.raster import PICTURE_SIZE
from frame2sound.synaesthesia.recipe import SynaesthesiaRecipe
from frame2sound.synaesthesia.sound_windows import BANDS, FRAMES, SoundComponents, log_mel
from frame2sound.synaesthesia.stroke import SHAPE_VALUES

FloatArray = NDArray[np.float32]

Generator = StrokeGenerator | PictureGenerator

Reader = RasterReader | PictureReader


@dataclass(frozen=True)
class Training:
    """How a pair was trained; every entry is optional."""

    program: str = ""
    seed: int = 0
    steps: int = 0
    seconds: float = 0.0
    sounds: int = 0
    drawings: int = 0


@dataclass(frozen=True)
class Pair:
    """Networks in both directions, and what they need.

    Attributes
    ----------
    recipe : SynaesthesiaRecipe
    components : SoundComponents
    generator : StrokeGenerator or PictureGenerator
        From whitened components to strokes or pictures.
    reader : RasterReader or PictureReader
        From rasters to whitened components.
    clips : float32 array (n, 22050)
        Sounds of training, to make others of.
    training : Training
    """

    recipe: SynaesthesiaRecipe
    components: SoundComponents
    generator: Generator
    reader: Reader
    clips: FloatArray
    training: Training = field(default_factory=Training)

    def hear(self, windows: FloatArray) -> FloatArray:
        """Return the whitened components of windows of one second, ``(n, components)``."""
        return self.components.transform(log_mel(windows))

    def draw(self, windows: FloatArray) -> FloatArray:
        """Return a stroke for each window of one second, ``(n, 36 + colours)``.

        Those of the raster kind are pictures of ink, ``(n, colours, 64, 64)``.

        Parameters
        ----------
        windows : float32 array (n, 22050)
            At 22050 Hz, from -1 to 1.
        """
        return self.draw_components(self.hear(windows))

    def draw_components(self, components: FloatArray) -> FloatArray:
        """Return a stroke or a picture for each sound's whitened components."""
        with torch.inference_mode():
            return np.asarray(self.generator(_tensor(components)).numpy())

    def rasters(self, drawn: FloatArray) -> FloatArray:
        """Return the rasters of what was drawn: ink, 0 to 1, ``(n, colours, side, side)``.

        Sides are 32 for strokes, 64 for the raster kind.
        """
        with torch.inference_mode():
            return np.asarray(self.generator.show(_tensor(drawn))[0].numpy())

    def read(self, rasters: FloatArray) -> FloatArray:
        """Return whitened components of the sound of rasters, as of `rasters`."""
        with torch.inference_mode():
            return np.asarray(self.reader(_tensor(rasters)).numpy())

    def spectra(self, components: FloatArray) -> FloatArray:
        """Return the log mel spectra of components, ``(n, 42, 48)`` in dBFS."""
        return self.components.invert(components)

    @property
    def clip_components(self) -> FloatArray:
        """The whitened components of the clips, ``(n, components)``."""
        return self.hear(self.clips)


def build_networks(
    recipe: SynaesthesiaRecipe,
    drawn: Tensor | None = None,
    components: SoundComponents | None = None,
) -> tuple[Generator, Reader]:
    """Return new networks of a recipe, with random weights.

    Parameters
    ----------
    drawn : Tensor, optional
        What generators start from, `frame2sound.synaesthesia.drawings.Drawings.statistics`.
    components : SoundComponents, optional
        Those of the raster kind are linear layers of its networks.
    """
    size, count = recipe.network, recipe.network.components
    if recipe.kind == "raster":
        spectra = SpectrumPictures(spectrum_directions(count, components))
        mean = torch.zeros(recipe.colours, PICTURE_SIZE, PICTURE_SIZE) if drawn is None else drawn
        return (
            PictureGenerator(spectra, mean, size.channels, size.hidden),
            PictureReader(spectra, recipe.colours, size.channels, size.hidden),
        )
    ranges = torch.zeros(4, SHAPE_VALUES + recipe.colours) if drawn is None else drawn
    generator = StrokeGenerator(count, size.hidden, ranges)
    return generator, RasterReader(count, size.hidden, size.channels, recipe.colours)


def build_discriminators(
    recipe: SynaesthesiaRecipe, components: SoundComponents
) -> tuple[RasterDiscriminator, ComponentDiscriminator | SpectrumDiscriminator]:
    """Return new discriminators of drawings and of sounds."""
    size = recipe.network
    if recipe.kind == "raster":
        spectra = SpectrumPictures(spectrum_directions(size.components, components))
        drawings = RasterDiscriminator(size.channels, recipe.colours, PICTURE_SIZE)
        return drawings, SpectrumDiscriminator(spectra, size.channels)
    drawings = RasterDiscriminator(size.channels, recipe.colours)
    return drawings, ComponentDiscriminator(size.components, size.hidden)


def spectrum_directions(count: int, components: SoundComponents | None) -> Tensor:
    """Return the directions of components times their scales in dB, ``(count, 2016)``."""
    if components is None:
        return torch.zeros(count, FRAMES * BANDS)
    return torch.from_numpy(components.directions * components.scales[:, None])


def _tensor(array: FloatArray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))
