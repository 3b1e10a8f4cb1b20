"""What is learned from and what is held out.

Neighbouring frames are near copies, so pairs are held out by blocks of seconds with a guard
between, or by whole films, never one by one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.config import TrainingConfig
from frame2sound.errors import TrainingError
from frame2sound.library.calibration import is_calibration
from frame2sound.training.dataset import PairDataset

MAX_SCREENS_PER_FRAME = 0.25
"""Most black and white screens to learn from, for each frame of film."""


def split_pairs(
    pairs: PairDataset, training_recipe: TrainingConfig, seed: int
) -> tuple[PairDataset, PairDataset]:
    """Split pairs into those to learn from and those held out; the calibration film is learned.

    Returns
    -------
    learned, held_out : Pairs
        ``held_out`` is empty when the recipe says so or the library is shorter than three blocks.

    Raises
    ------
    TrainingError
        A split by film of fewer than two films.
    """
    pairs, screens = _limit_screens(pairs)
    seconds = pairs.start_samples / pairs.films[0].card.sample_rate
    block = np.zeros(len(pairs), np.int64)
    if training_recipe.split == "blocks":
        block = (seconds // training_recipe.block_seconds).astype(np.int64)
    place = np.stack([pairs.film_indices, block], axis=1)
    places = np.unique(place[~screens], axis=0)
    if training_recipe.split == "films" and training_recipe.held_out and len(places) < 2:
        raise TrainingError(
            f"a split by film needs two films, the library has {len(places)}; "
            "add films or use --set training.split=blocks"
        )
    if not training_recipe.held_out or (training_recipe.split == "blocks" and len(places) < 3):
        return pairs, pairs.select(np.zeros(len(pairs), bool))
    count = min(max(1, round(training_recipe.held_out * len(places))), len(places) - 1)
    chosen = np.random.default_rng([seed, 1]).permutation(len(places))[:count]
    held = np.zeros(len(pairs), bool)
    guarded = np.zeros(len(pairs), bool)
    for film, number in places[chosen]:
        here = pairs.film_indices == film
        held |= here & (block == number)
        if training_recipe.split == "blocks":
            begin = number * training_recipe.block_seconds - training_recipe.guard_seconds
            end = (number + 1) * training_recipe.block_seconds + training_recipe.guard_seconds
            guarded |= here & (seconds >= begin) & (seconds < end)
    return pairs.select(~held & ~guarded), pairs.select(held)


def _limit_screens(pairs: PairDataset) -> tuple[PairDataset, NDArray[np.bool_]]:
    """Leave out screens of the calibration film that would drown a short library.

    All of its black frames are alike, and so are the white ones: what is left is the beginning of
    either half, unbroken. Returns also which of the pairs that are left are screens.
    """
    calibration = [i for i, film in enumerate(pairs.films) if is_calibration(film)]
    screens = np.isin(pairs.film_indices, calibration)
    count = int(screens.sum())
    kept = min(count, max(2, round(MAX_SCREENS_PER_FRAME * (len(pairs) - count))))
    chosen = ~screens
    halves = np.array_split(np.flatnonzero(screens), 2)
    for half in halves:
        chosen[half[: kept // 2]] = True
    return pairs.select(chosen), screens[chosen]
