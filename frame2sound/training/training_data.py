"""The pairs that a recipe trains on, those it holds out, and the scale of its target."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from msgspec import structs
from numpy.typing import NDArray

from frame2sound.brain.brain import Brain
from frame2sound.brain.config import InputConfig, Mlp, TrainingConfig
from frame2sound.brain.frame_encoding import encode_frames, input_size
from frame2sound.brain.recipe import Recipe, identity_table, recipe_table
from frame2sound.brain.screens import SCREEN_LEVELS, WHITE
from frame2sound.brain.spectra import Magnitudes, PolarSpectra, RealSpectra
from frame2sound.brain.targets import build_target
from frame2sound.errors import TrainingError
from frame2sound.library.calibration import is_calibration
from frame2sound.library.film_motion import FilmMotion, measure_motion
from frame2sound.library.store import Library, PickledFilm
from frame2sound.progress import ProgressCallback
from frame2sound.training.dataset import PairDataset
from frame2sound.training.sounding_screens import find_sounding_screens
from frame2sound.training.training_films import choose_films

MAX_SAMPLED_PAIRS = 8192
"""Most pairs, spread over the library, that frame features, scales and baselines are fitted to."""

MAX_MOTION_SECONDS = 1200.0
"""At most so much film is measured for a motion head."""

MEASURING = "measuring motion"
"""The task that progress is reported for."""

BATCH_PAIRS = 256
"""Pairs that are read at once."""

MIN_RMS = 1e-5
"""A library whose sound has a root mean square below -100 dBFS is refused as silent."""

MAX_SCREENS_PER_FRAME = 0.1
"""Most black and white screens to train on, for each frame of film."""


@dataclass(frozen=True)
class TrainingData:
    """The data of a library that one recipe and seed use.

    Attributes
    ----------
    films : list of PickledFilm
        Those that are learned.
    training, held_out : PairDataset
    scale : float
        By which the target is scaled: the root mean square of the sound, or for some spectra the
        largest magnitude.
    taught_screens, standing_screens : tuple of int
        The levels of screens that are taught as silence, and of those that are silent only where
        they stand (see `choose_screens`).
    left_out_copies : mapping of str to str
        Films that are not learned, to the film in ``films`` whose copies or excerpts they are.
    """

    films: list[PickledFilm]
    training: PairDataset
    held_out: PairDataset
    scale: float
    taught_screens: tuple[int, ...] = ()
    standing_screens: tuple[int, ...] = ()
    left_out_copies: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_library(cls, library: Library, recipe: Recipe, seed: int) -> TrainingData:
        """Return a library's data, split into training and held-out pairs.

        Raises
        ------
        TrainingError
            The library is empty, too short or silent, or does not fit the recipe.
        LibraryError
            A film is damaged.
        """
        chosen = choose_films(library, recipe)
        films = chosen.films
        clock = recipe.to_clock()
        target = build_target(recipe)
        pairs = PairDataset.from_films(
            films,
            clock,
            target,
            recipe.input.past_frames,
            recipe.training.loudness,
            match_ground=recipe.input.maps_ground,
        )
        taught, standing = choose_screens(films, recipe)
        training, held_out = split_pairs(pairs, recipe.training, seed, taught)
        data = cls(films, training, held_out, 1.0, taught, standing, chosen.left_out_copies)
        if not len(data.film_pairs):
            first, stop = target.required_range
            raise TrainingError(
                f"{library.path} is too short to train on: no frame has all of its sound "
                f"({(stop - first) / clock.sample_rate:.3f} s); add films"
            )
        scale = _target_scale(training, recipe)
        if scale < MIN_RMS:
            raise TrainingError(f"all the sound in {library.path} is silent; add films with sound")
        return replace(data, scale=scale)

    @property
    def gains_db(self) -> list[float]:
        """The gain with which the sound of each film is learned, in dB."""
        return self.training.gains_db

    @property
    def film_pairs(self) -> PairDataset:
        """The training pairs without those of the calibration film."""
        return self.training.select(~np.isin(self.training.film_indices, self._calibration_indices))

    @property
    def _calibration_indices(self) -> list[int]:
        return [number for number, film in enumerate(self.films) if is_calibration(film)]

    def make_untrained_brain(self, recipe: Recipe, seed: int) -> Brain:
        """Return an untrained brain whose frame features, if it has any, are fitted."""
        brain = Brain.untrained(recipe, self.scale, seed)
        if brain.network.features is not None:
            brain.network.features.fit(self._sample_inputs(recipe.input), seed)
        return brain

    def _sample_inputs(self, input_config: InputConfig) -> torch.Tensor:
        """Return inputs of the films' frames, ``(n, size)``, with motion but without history."""
        pairs, config = self.film_pairs, structs.replace(input_config, history=0)
        indices = pairs.spread_indices(MAX_SAMPLED_PAIRS)
        inputs = torch.empty(len(indices), input_size(config))
        for first in range(0, len(indices), BATCH_PAIRS):
            frames, _ = pairs.load(indices[first : first + BATCH_PAIRS])
            recent = torch.from_numpy(frames[:, -1 - config.past_frames :])
            inputs[first : first + BATCH_PAIRS] = encode_frames(recent, config)
        return inputs

    def measure_motion(self, recipe: Recipe, on_progress: ProgressCallback) -> list[FilmMotion]:
        """Return the motion of the films as the brain will see them, and their sound."""
        training = self.training
        return measure_motion(
            self.films,
            recipe.to_clock(),
            MAX_MOTION_SECONDS,
            training.gains_db,
            training.ground_maps,
            lambda done, total: on_progress(MEASURING, done, total, ""),
        )

    def signature(self, recipe: Recipe, seed: int) -> str:
        """Return a hash that tells this training from those of other recipes, films or seeds."""
        films = [
            (film.name, film.card.digest, film.card.audio_range, *_content(film))
            for film in self.films
        ]
        return _hash([identity_table(recipe), films, seed])

    def describe_settings(self, recipe: Recipe, seed: int) -> dict[str, str]:
        """Return what the signature is computed of, by name: settings, films, seed."""
        table: dict[str, str] = {}
        for part, value in recipe_table(recipe).items():
            if isinstance(value, dict):
                table |= {f"{part}.{name}": str(setting) for name, setting in value.items()}
            elif part != "name":
                table[part] = str(value)
        table |= {f"film {film.name}": film.card.digest[:12] for film in self.films}
        table["library"] = "colour" if any(film.colour for film in self.films) else "grey"
        table |= {
            f"content of film {film.name}": _hash(_content(film))[:12]
            for film in self.films
            if film.card.checksums is not None
        }
        copies = self.left_out_copies.items()
        table |= {f"film {name}": f"left out as a copy of {of}" for name, of in copies}
        return table | {"seed": str(seed)}

    def to_provenance(self) -> dict[str, Any]:
        """Return what a brain's provenance holds of the data, in plain values."""
        copies = dict(self.left_out_copies)
        return {
            "films": [
                {
                    "name": film.name,
                    "digest": film.card.digest,
                    "seconds": film.seconds,
                    "gain_db": gain_db,
                }
                for film, gain_db in zip(self.films, self.gains_db, strict=True)
            ],
            **({"left_out_copies": copies} if copies else {}),
            "pairs": {"learned": len(self.training), "held_out": len(self.held_out)},
        }


def _content(film: PickledFilm) -> list[Any]:
    """Return what tells a film from others of its file: its arrays' checksums, if its card has any.

    Grey films whose cards have none, as those of version 1, give an empty list.
    """
    sums = film.card.checksums
    if sums is None:
        return ["colour"] if film.colour else []
    return [film.colour, sums.frames, sums.times, sums.sound]


def _hash(values: Any) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _target_scale(training: PairDataset, recipe: Recipe) -> float:
    """Return the largest magnitude if the target is scaled by it, else the root mean square."""
    largest, power, count = 0.0, 0.0, 0
    unscaled = build_target(recipe)
    indices = training.spread_indices(MAX_SAMPLED_PAIRS)
    for part in np.array_split(indices, -(-len(indices) // BATCH_PAIRS)):
        _, excerpts = training.load(part)
        power += float(np.square(excerpts, dtype=np.float64).sum())
        count += excerpts.size
        if isinstance(unscaled, RealSpectra | Magnitudes | PolarSpectra):
            largest = max(largest, unscaled.largest(torch.from_numpy(excerpts)))
    return largest or math.sqrt(power / count)


def choose_screens(
    films: list[PickledFilm], recipe: Recipe
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the levels of screens to teach as silence, and of those to silence where they stand.

    Without the calibration film there are none. A screen on which the films sound is left out,
    because they outrank the calibration film. White is not taught to a network that sees no more
    than a few frames: it would take silence for what drawings on white, and flashes, sound like.
    """
    if not any(is_calibration(film) for film in films):
        return (), ()
    sounding = find_sounding_screens(film for film in films if not is_calibration(film))
    silent = tuple(level for level in SCREEN_LEVELS if level not in sounding)
    if not isinstance(recipe.network, Mlp):
        return silent, ()
    taught = tuple(level for level in silent if level != WHITE)
    return taught, tuple(level for level in silent if level == WHITE)


def split_pairs(
    pairs: PairDataset,
    config: TrainingConfig,
    seed: int,
    taught_screens: Sequence[int] = SCREEN_LEVELS,
) -> tuple[PairDataset, PairDataset]:
    """Split pairs into those to train on and those held out.

    Neighbouring frames are nearly equal, so pairs are held out in blocks of seconds with a guard
    between, or in whole films. The guard is at least as long as the past frames and the sound of a
    pair, so that no pair to train on shares a picture or a sample with one that is held out. The
    calibration film is never held out; only those of its frames are kept whose level is among
    ``taught_screens``.

    Returns
    -------
    training, held_out : PairDataset
        ``held_out`` is empty if the recipe asks for that or the library is shorter than three
        blocks.

    Raises
    ------
    TrainingError
        A split by film of fewer than two films.
    """
    pairs, is_screen = _limit_screens(pairs, taught_screens)
    seconds = pairs.start_samples / pairs.films[0].card.sample_rate
    by_block = config.split == "blocks"
    block_numbers = np.zeros(len(pairs), np.int64)
    if by_block:
        block_numbers = (seconds // config.block_seconds).astype(np.int64)
    block_of_pair = np.stack([pairs.film_indices, block_numbers], axis=1)
    blocks = np.unique(block_of_pair[~is_screen], axis=0)
    if config.split == "films" and config.held_out and len(blocks) < 2:
        raise TrainingError(
            f"got a library of {len(blocks)} film{'s' * (len(blocks) != 1)}, not counting copies, "
            "expected two or more to split by film; add films or set training.split=blocks in the "
            "recipe"
        )
    if not config.held_out or (by_block and len(blocks) < 3):
        return pairs, pairs.select(np.zeros(len(pairs), bool))
    count = min(max(1, round(config.held_out * len(blocks))), len(blocks) - 1)
    chosen = np.random.default_rng([seed, 1]).permutation(len(blocks))[:count]
    is_held_out = np.zeros(len(pairs), bool)
    is_guard = np.zeros(len(pairs), bool)
    guard_seconds = max(config.guard_seconds, _reach_seconds(pairs))
    for film, number in blocks[chosen]:
        in_film = pairs.film_indices == film
        is_held_out |= in_film & (block_numbers == number)
        if by_block:
            start = number * config.block_seconds - guard_seconds
            stop = (number + 1) * config.block_seconds + guard_seconds
            is_guard |= in_film & (seconds >= start) & (seconds < stop)
    return pairs.select(~is_held_out & ~is_guard), pairs.select(is_held_out)


def _reach_seconds(pairs: PairDataset) -> float:
    """Return the guard beyond which pairs share neither past frames nor sound."""
    rate = pairs.films[0].card.sample_rate
    frame_samples = pairs.start_samples.max() / max(pairs.clock_frames.max(), 1)
    past_frames = pairs.frame_windows.shape[1] - 1
    sound_frames = math.ceil(pairs.target.excerpt_length / max(frame_samples, 1) - 0.01) - 1
    frames = max(past_frames, sound_frames)
    rounding = 1 if frames else 0
    return float(frames * frame_samples + rounding) / rate


def _limit_screens(
    pairs: PairDataset, taught_screens: Sequence[int]
) -> tuple[PairDataset, NDArray[np.bool_]]:
    """Return pairs with fewer of the calibration film, and which of them are of that film.

    All of its black frames are equal, and so are the white ones, and in a short library they would
    drown the films' frames. What remains is the beginning of either half, unbroken.
    """
    calibration = [number for number, film in enumerate(pairs.films) if is_calibration(film)]
    is_screen = np.isin(pairs.film_indices, calibration)
    count = int(is_screen.sum())
    remaining = min(count, max(2, round(MAX_SCREENS_PER_FRAME * (len(pairs) - count))))
    mask = ~is_screen
    halves = np.array_split(np.flatnonzero(is_screen), len(SCREEN_LEVELS))
    for level, half in zip(SCREEN_LEVELS, halves, strict=True):
        if level in taught_screens:
            mask[half[: remaining // len(SCREEN_LEVELS)]] = True
    return pairs.select(mask), is_screen[mask]
