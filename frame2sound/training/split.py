"""What is learned from and what is held out.

Neighbouring frames are near copies, so pairs are held out by blocks of seconds with a guard
between, or by whole films, never one by one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.ingredients import Training
from frame2sound.errors import TrainingError
from frame2sound.library.calibration import is_calibration
from frame2sound.training.pairs import Pairs

SCREENS = 0.25
"""Most black and white screens to learn from, for each frame of film."""


def split_pairs(pairs: Pairs, recipe: Training, seed: int) -> tuple[Pairs, Pairs]:
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
    pairs, screens = _thinned(pairs)
    seconds = pairs.start / pairs.films[0].card.sample_rate
    block = np.zeros(len(pairs), np.int64)
    if recipe.split == "blocks":
        block = (seconds // recipe.block_seconds).astype(np.int64)
    place = np.stack([pairs.film, block], axis=1)
    places = np.unique(place[~screens], axis=0)
    if recipe.split == "films" and recipe.held_out and len(places) < 2:
        raise TrainingError(
            f"a split by film needs two films, the library has {len(places)}; "
            "add films or use --set training.split=blocks"
        )
    if not recipe.held_out or (recipe.split == "blocks" and len(places) < 3):
        return pairs, pairs.only(np.zeros(len(pairs), bool))
    count = min(max(1, round(recipe.held_out * len(places))), len(places) - 1)
    chosen = np.random.default_rng([seed, 1]).permutation(len(places))[:count]
    held = np.zeros(len(pairs), bool)
    guarded = np.zeros(len(pairs), bool)
    for film, number in places[chosen]:
        here = pairs.film == film
        held |= here & (block == number)
        if recipe.split == "blocks":
            begin = number * recipe.block_seconds - recipe.guard_seconds
            end = (number + 1) * recipe.block_seconds + recipe.guard_seconds
            guarded |= here & (seconds >= begin) & (seconds < end)
    return pairs.only(~held & ~guarded), pairs.only(held)


def _thinned(pairs: Pairs) -> tuple[Pairs, NDArray[np.bool_]]:
    """Leave out screens of the calibration film that would drown a short library.

    All of its black frames are alike, and so are the white ones: what is left is the beginning of
    either half, unbroken. Returns also which of the pairs that are left are screens.
    """
    calibration = [i for i, film in enumerate(pairs.films) if is_calibration(film)]
    screens = np.isin(pairs.film, calibration)
    count = int(screens.sum())
    kept = min(count, max(2, round(SCREENS * (len(pairs) - count))))
    chosen = ~screens
    halves = np.array_split(np.flatnonzero(screens), 2)
    for half in halves:
        chosen[half[: kept // 2]] = True
    return pairs.only(chosen), screens[chosen]
