"""What a brain is made of: the pairs to learn, those held out, and what silence would score."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from msgspec import structs

from frame2sound.brain.brain import Brain
from frame2sound.brain.config import InputConfig
from frame2sound.brain.features import encode_frames, input_size
from frame2sound.brain.recipe import Recipe, recipe_table
from frame2sound.brain.spectra import Magnitudes, PolarSpectra, RealSpectra
from frame2sound.brain.targets import build_target
from frame2sound.errors import TrainingError
from frame2sound.library.calibration import is_calibration
from frame2sound.library.store import Library, PickledFilm
from frame2sound.training.dataset import PairDataset
from frame2sound.training.held_out_split import split_pairs

MAX_SAMPLED_PAIRS = 8192
"""Pairs, spread over the library, from which eigenframes, scales and baselines are found."""

BATCH_PAIRS = 256

MIN_RMS = 1e-5
"""A library whose sound's root mean square is below -100 dBFS has nothing to teach."""


@dataclass(frozen=True)
class TrainingData:
    """A library as one recipe sees it.

    Attributes
    ----------
    films : list of PickledFilm
    learned, held_out : Pairs
    scale : float
        What the target takes from the library: the root mean square of its sound, or the largest
        magnitude.
    """

    films: list[PickledFilm]
    training: PairDataset
    held_out: PairDataset
    scale: float

    @classmethod
    def from_library(cls, library: Library, recipe: Recipe, seed: int) -> TrainingData:
        """Look at a library and split it; `TrainingError` if it has nothing to teach."""
        films = _training_films(library, recipe)
        clock = recipe.to_clock()
        target = build_target(recipe)
        pairs = PairDataset.from_films(films, clock, target, recipe.input.past_frames)
        learned, held_out = split_pairs(pairs, recipe.training, seed)
        material = cls(films, learned, held_out, 1.0)
        if not len(material.film_pairs):
            first, stop = target.required_range
            raise TrainingError(
                f"{library.path} is too short to learn from: no frame has all of its sound "
                f"({(stop - first) / clock.sample_rate:.3f} s); add films"
            )
        scale = _target_scale(learned, recipe)
        if scale < MIN_RMS:
            raise TrainingError(f"all the sound in {library.path} is silent; add films with sound")
        return replace(material, scale=scale)

    @property
    def has_calibration(self) -> bool:
        """Whether the calibration film is among the films."""
        return bool(self._calibration_indices)

    @property
    def film_pairs(self) -> PairDataset:
        """What is learned of films; black and white screens are none."""
        return self.training.select(~np.isin(self.training.film_indices, self._calibration_indices))

    @property
    def _calibration_indices(self) -> list[int]:
        return [number for number, film in enumerate(self.films) if is_calibration(film)]

    def make_untrained_brain(self, recipe: Recipe, seed: int) -> Brain:
        """Return a brain that has looked at the films but learned nothing."""
        brain = Brain.untrained(recipe, self.scale, seed)
        if brain.network.features is not None:
            brain.network.features.fit(self._sample_inputs(recipe.input), seed)
        return brain

    def _sample_inputs(self, input_config: InputConfig) -> torch.Tensor:
        """Return what eyes adapt to, ``(n, size)``: pictures, and their motion; no past."""
        films, alone = self.film_pairs, structs.replace(input_config, history=0)
        which = films.spread_indices(MAX_SAMPLED_PAIRS)
        seen = torch.empty(len(which), input_size(alone))
        for at in range(0, len(which), BATCH_PAIRS):
            moments = films.load(which[at : at + BATCH_PAIRS])[0][:, -1 - alone.past_frames :]
            seen[at : at + BATCH_PAIRS] = encode_frames(torch.from_numpy(moments), alone)
        return seen

    def signature(self, recipe: Recipe, seed: int) -> str:
        """Return what tells this training from all others."""
        films = [(film.name, film.card.digest, film.card.audio_range) for film in self.films]
        text = json.dumps([recipe_table(recipe), films, seed], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def describe_settings(self, recipe: Recipe, seed: int) -> dict[str, str]:
        """Return what makes this training what it is, each by its name: settings, films, seed."""
        table: dict[str, str] = {}
        for part, value in recipe_table(recipe).items():
            if isinstance(value, dict):
                table |= {f"{part}.{name}": str(setting) for name, setting in value.items()}
            elif part != "name":
                table[part] = str(value)
        table |= {f"film {film.name}": film.card.digest[:12] for film in self.films}
        return table | {"seed": str(seed)}

    def to_provenance(self) -> dict[str, Any]:
        """Return what a brain's provenance says of it, in plain values."""
        return {
            "films": [
                {"name": film.name, "digest": film.card.digest, "seconds": film.seconds}
                for film in self.films
            ],
            "pairs": {"learned": len(self.training), "held_out": len(self.held_out)},
        }


def _training_films(library: Library, recipe: Recipe) -> list[PickledFilm]:
    films = library.films()
    if all(is_calibration(film) for film in films):
        raise TrainingError(library.no_films_message())
    if library.sample_rate != recipe.clock.sample_rate:
        raise TrainingError(
            f"the library is at {library.sample_rate} Hz and recipe {recipe.name!r} at "
            f"{recipe.clock.sample_rate} Hz; use --set clock.sample_rate={library.sample_rate} "
            f"or pickle at --sample-rate {recipe.clock.sample_rate}"
        )
    if recipe.input.colour and not library.colour:
        raise TrainingError(
            f"recipe {recipe.name!r} sees colour and {library.path} is grey; pickle its films "
            "into another library with --colour, or use --set input.colour=false"
        )
    return films


def _target_scale(training: PairDataset, recipe: Recipe) -> float:
    """Return the largest magnitude for targets scaled by it; else the sound's root mean square."""
    largest, power, count = 0.0, 0.0, 0
    unscaled = build_target(recipe)
    for which in np.array_split(
        training.spread_indices(MAX_SAMPLED_PAIRS), -(-min(len(training), MAX_SAMPLED_PAIRS) // 256)
    ):
        excerpts = training.load(which)[1]
        power += float(np.square(excerpts, dtype=np.float64).sum())
        count += excerpts.size
        if isinstance(unscaled, RealSpectra | Magnitudes | PolarSpectra):
            largest = max(largest, unscaled.largest(torch.from_numpy(excerpts)))
    return largest or math.sqrt(power / count)
