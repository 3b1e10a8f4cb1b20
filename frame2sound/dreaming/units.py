"""Units of the films' sound, one for each of their tokens."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock
from frame2sound.dreaming.sources import Source, Sources
from frame2sound.dreaming.tokens import HOP, RATE, FloatArray, Tokens, frame_levels
from frame2sound.errors import DreamError
from frame2sound.rendering.mosaic.unit_database import (
    MARGIN_SECONDS,
    FeatureVectors,
    UnitDatabase,
    attack_energies,
    find_transients,
)
from frame2sound.sound.audio_features import LevelCeiling

TOKEN_RATE = Fraction(RATE, HOP)
"""Tokens per second, exactly."""


@dataclass(frozen=True)
class TokenUnits:
    """The units of films, and what each sounds like.

    Attributes
    ----------
    database : UnitDatabase
        Their sound as it is heard.
    tokens : int array (n,)
    films : int array (n,)
        The number of each unit's film.
    frames : int array (n,)
        The number of its token in the film.
    levels : float32 array (n, 48)
        Their mel bands, not below the codebook's floor.
    """

    database: UnitDatabase
    tokens: Tokens
    films: NDArray[np.int64]
    frames: NDArray[np.int64]
    levels: FloatArray

    def __len__(self) -> int:
        return len(self.tokens)


def build_units(sources: Sources, film_tokens: list[Tokens], floor_db: float) -> TokenUnits:
    """Return the units of all films, without those at the ends, which have no sound around.

    Raises
    ------
    DreamError
        No film is long enough.
    """
    refuse_short_films(sources)
    rate = sources.format.sample_rate
    clock = Clock(TOKEN_RATE, rate)
    starts, next_units, energies, frames, levels = [], [], [], [], []
    begin = count = 0
    for film, tokens in zip(sources.films, film_tokens, strict=True):
        bounds = clock.sample_bounds(len(tokens))
        numbers = _unit_numbers(film, clock)
        frames.append(numbers)
        starts.append(bounds[numbers] + begin)
        after = np.arange(count + 1, count + len(numbers) + 1)
        after[-1:] = -1
        next_units.append(after)
        if len(numbers):
            energies.append(attack_energies(film.piece, bounds[numbers], rate))
        levels.append(np.maximum(frame_levels(film.mono)[numbers], np.float32(floor_db)))
        begin += len(film.piece)
        count += len(numbers)
    bands = np.concatenate(levels)
    loudness = bands.max(axis=1)
    features = FeatureVectors(bands, bands, loudness, np.zeros_like(loudness))
    database = UnitDatabase(
        tuple(film.piece for film in sources.films),
        np.concatenate(starts),
        np.concatenate(next_units),
        find_transients(*np.concatenate(energies).T),
        features,
        LevelCeiling(bands.max(axis=0), float(loudness.max())),
    )
    film_numbers = np.repeat(np.arange(len(frames)), [len(each) for each in frames])
    chosen = np.concatenate([t[f] for t, f in zip(film_tokens, frames, strict=True)])
    return TokenUnits(database, chosen, film_numbers, np.concatenate(frames), bands)


def refuse_short_films(sources: Sources, style: NDArray[np.float64] | None = None) -> None:
    """Raise `DreamError` if none of the films with a weight in a style is as long as a unit."""
    clock = Clock(TOKEN_RATE, sources.format.sample_rate)
    weights = np.ones(len(sources.films)) if style is None else style
    films = [film for film, weight in zip(sources.films, weights, strict=True) if weight > 0]
    if not any(len(_unit_numbers(film, clock)) for film in films):
        asked = "" if style is None else " in `style`"
        raise DreamError(
            f"got films{asked} that are all shorter than a tenth of a second, as {films[0].name}; "
            "give longer ones"
        )


def _unit_numbers(film: Source, clock: Clock) -> NDArray[np.int64]:
    """Return the numbers of the tokens of a film that have sound around them."""
    margin = round(MARGIN_SECONDS * clock.sample_rate)
    bounds = clock.sample_bounds(len(film.mono) // HOP)
    fits = (bounds[:-1] >= margin) & (bounds[1:] + 1 + margin <= len(film.piece))
    return np.flatnonzero(fits)
