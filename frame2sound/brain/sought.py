"""Which target a recipe seeks."""

from __future__ import annotations

from frame2sound.brain.ingredients import LogMag, Mel, Pcm, StftBoth, StftMag, StftReal
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


def target_of(recipe: Recipe, scale: float = 1.0) -> Target:
    """Return a recipe's target, scaled to a library."""
    if isinstance(recipe.target, Pcm):
        return PcmBlocks.of(recipe.target, recipe.ticking(), scale)
    return _SPECTRA[type(recipe.target)](recipe.target, recipe.ticking(), scale)
