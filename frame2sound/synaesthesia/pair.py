"""A trained pair of networks: sound to stroke, and drawing to sound."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from frame2sound.synaesthesia.networks import RasterReader, StrokeGenerator
from frame2sound.synaesthesia.recipe import SynaesthesiaRecipe
from frame2sound.synaesthesia.sound_windows import SoundComponents, log_mel
from frame2sound.synaesthesia.stroke import SHAPE_VALUES

FloatArray = NDArray[np.float32]


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
    generator : StrokeGenerator
        From whitened components to strokes.
    reader : RasterReader
        From rasters to whitened components.
    clips : float32 array (n, 22050)
        Sounds of training, to make others of.
    training : Training
    """

    recipe: SynaesthesiaRecipe
    components: SoundComponents
    generator: StrokeGenerator
    reader: RasterReader
    clips: FloatArray
    training: Training = field(default_factory=Training)

    def hear(self, windows: FloatArray) -> FloatArray:
        """Return the whitened components of windows of one second, ``(n, components)``."""
        return self.components.transform(log_mel(windows))

    def draw(self, windows: FloatArray) -> FloatArray:
        """Return a stroke for each window of one second, ``(n, 36 + colours)``.

        Parameters
        ----------
        windows : float32 array (n, 22050)
            At 22050 Hz, from -1 to 1.
        """
        return self.draw_components(self.hear(windows))

    def draw_components(self, components: FloatArray) -> FloatArray:
        """Return a stroke for each sound's whitened components."""
        with torch.inference_mode():
            return np.asarray(self.generator(_tensor(components)).numpy())

    def read(self, rasters: FloatArray) -> FloatArray:
        """Return whitened components of the sound of rasters ``(n, colours, 32, 32)``."""
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
    recipe: SynaesthesiaRecipe, ranges: Tensor | None = None
) -> tuple[StrokeGenerator, RasterReader]:
    """Return new networks of a recipe, with random weights.

    Parameters
    ----------
    ranges : Tensor (4, 36 + colours), optional
        Mean, spread, lowest and highest values of strokes.
    """
    size, count = recipe.network, recipe.network.components
    ranges = torch.zeros(4, SHAPE_VALUES + recipe.colours) if ranges is None else ranges
    generator = StrokeGenerator(count, size.hidden, ranges)
    return generator, RasterReader(count, size.hidden, size.channels, recipe.colours)


def _tensor(array: FloatArray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))
