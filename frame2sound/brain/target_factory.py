"""Which target a recipe seeks."""

from __future__ import annotations

from frame2sound.brain.config import LogMag, Mel, Pcm, StftBoth, StftMag, StftReal
from frame2sound.brain.log_spectra import LogMagnitudes, MelMagnitudes
from frame2sound.brain.recipe import Recipe
from frame2sound.brain.spectra import (
    Magnitudes,
    PolarSpectra,
    RealSpectra,
    Spectra,
)
from frame2sound.brain.targets import PcmBlocks, Target

_SPECTRA: dict[type, type[Spectra]] = {
    StftReal: RealSpectra,
    StftMag: Magnitudes,
    StftBoth: PolarSpectra,
    LogMag: LogMagnitudes,
    Mel: MelMagnitudes,
}


def build_target(recipe: Recipe, scale: float = 1.0) -> Target:
    """Return a recipe's target, scaled to a library."""
    if isinstance(recipe.target, Pcm):
        return PcmBlocks.from_config(recipe.target, recipe.to_clock(), scale)
    return _SPECTRA[type(recipe.target)](recipe.target, recipe.to_clock(), scale)
