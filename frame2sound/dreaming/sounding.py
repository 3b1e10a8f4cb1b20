"""Sound chosen units: as a mosaic of the films' own sound, or by new phases."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock
from frame2sound.dreaming.sources import Sources
from frame2sound.dreaming.tokens import HOP
from frame2sound.dreaming.units import TOKEN_RATE, TokenUnits
from frame2sound.rendering.mosaic.concatenation import Concatenator
from frame2sound.sound.phase import DEFAULT_PHASE, create_reconstructor
from frame2sound.sound.stft import InverseStft, Stft

PHASES_STFT = Stft(2048, HOP)

BATCH = 256

Units = NDArray[np.int64]
Samples = NDArray[np.float32]


def mosaic(chosen: Units, units: TokenUnits, sources: Sources) -> Iterator[Samples]:
    """Yield the sound of units, one for each token, at the films' sample rate.

    Yields
    ------
    float32 array (n,) or (n, 2)
    """
    sound_format = sources.format
    joined = Concatenator(units.database, sound_format.sample_rate, sound_format.channels)
    bounds = Clock(TOKEN_RATE, sound_format.sample_rate).sample_bounds(len(chosen))
    for unit, length in zip(chosen.tolist(), np.diff(bounds).tolist(), strict=True):
        yield joined.append(unit, 0.0, length).astype(np.float32)
    yield joined.flush().astype(np.float32)


def by_phases(
    chosen: Units, units: TokenUnits, sources: Sources, seed: int = 0
) -> Iterator[Samples]:
    """Yield mono sound at 22050 Hz that has the units' magnitudes, and phases that go on."""
    reconstructor = create_reconstructor(DEFAULT_PHASE, PHASES_STFT, seed)
    inverse, database = InverseStft(PHASES_STFT), units.database
    for first in range(0, len(chosen), BATCH):
        part = chosen[first : first + BATCH]
        magnitude = np.empty((len(part), PHASES_STFT.bins), np.float32)
        for film in np.unique(units.films[part]):
            own = units.films[part] == film
            centres = units.frames[part][own] * HOP + HOP // 2
            magnitude[own] = PHASES_STFT.magnitude(sources.films[film].mono, centres)
        spectra = reconstructor.reconstruct(magnitude, database.is_transient[part])
        yield inverse.process(spectra)
    yield inverse.flush()
