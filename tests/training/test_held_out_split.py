"""What is held out is never near what is learned."""

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.brain.config import TrainingConfig
from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import Clock
from frame2sound.errors import TrainingError
from frame2sound.library.calibration import add_calibration_film
from frame2sound.training.dataset import PairDataset
from frame2sound.training.held_out_split import split_pairs

CLOCK = Clock(Fraction(30), 8000)


@pytest.fixture
def pairs(library, add_film):
    """Two films and the calibration film."""
    films = [add_calibration_film(library), add_film(library, "a", 12), add_film(library, "b", 9)]
    return PairDataset.from_films(films, CLOCK, PcmBlocks(0, 267))


def keys(pairs):
    return set(zip(pairs.film_indices.tolist(), pairs.start_samples.tolist(), strict=True))


@pytest.mark.parametrize("held_out", [0.1, 0.3, 0.6, 0.95])
@pytest.mark.parametrize(("block", "guard"), [(1.0, 0.5), (0.7, 0.2), (4.0, 0.0), (1.0, 1.5)])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_guard_lies_between_the_learned_and_the_held_out(pairs, held_out, block, guard, seed):
    recipe = TrainingConfig(held_out=held_out, block_seconds=block, guard_seconds=guard)
    learned, held = split_pairs(pairs, recipe, seed)
    assert len(held)
    assert keys(learned) | keys(held) <= keys(pairs)
    assert not keys(learned) & keys(held)
    assert 0 not in held.film_indices
    for film in (1, 2):
        ours, theirs = (
            part.start_samples[part.film_indices == film] / 8000 for part in (learned, held)
        )
        if len(ours) and len(theirs):
            apart = np.abs(ours[:, None] - theirs[None]).min()
            assert apart >= guard - 1e-3  # a frame starts up to half a sample beside its time


@pytest.mark.parametrize("held_out", [0.1, 0.25, 0.5])
def test_the_share_is_about_right(library, add_film, held_out):
    pairs = PairDataset.from_films([add_film(library, "long", 100)], CLOCK, PcmBlocks(0, 267))
    recipe = TrainingConfig(held_out=held_out, block_seconds=1.0, guard_seconds=0.1)
    _, held = split_pairs(pairs, recipe, 0)
    assert len(held) / len(pairs) == pytest.approx(held_out, abs=0.01)


def test_the_calibration_is_thinned_and_never_held_out(pairs):
    learned, held = split_pairs(pairs, TrainingConfig(held_out=0.5, block_seconds=1.0), 0)
    film = (pairs.film_indices != 0).sum()
    assert (learned.film_indices == 0).sum() == round(0.25 * film)
    assert not (held.film_indices == 0).any()
    frames, _ = learned.load(np.flatnonzero(learned.film_indices == 0))
    assert (frames == 0).all(axis=(1, 2)).mean() == pytest.approx(0.5, abs=0.01)
    assert (frames == 255).all(axis=(1, 2)).mean() == pytest.approx(0.5, abs=0.01)


def test_beside_a_long_film_all_of_the_calibration_is_learned(library, add_film):
    films = [add_calibration_film(library), add_film(library, "long", 300)]
    pairs = PairDataset.from_films(films, CLOCK, PcmBlocks(0, 267))
    learned, _ = split_pairs(pairs, TrainingConfig(), 0)
    assert (learned.film_indices == 0).sum() == (pairs.film_indices == 0).sum()


def test_without_a_guard_every_pair_is_one_or_the_other(pairs):
    recipe = TrainingConfig(held_out=0.3, block_seconds=1.0, guard_seconds=0.0)
    learned, held = split_pairs(pairs, recipe, 0)
    films = {key for key in keys(pairs) if key[0]}
    assert {key for key in keys(learned) | keys(held) if key[0]} == films


@pytest.mark.parametrize("held_out", [0.1, 0.5, 0.9])
def test_a_split_by_film_holds_out_whole_films(pairs, held_out):
    learned, held = split_pairs(pairs, TrainingConfig(split="films", held_out=held_out), 0)
    assert len(set(held.film_indices)) == 1
    assert set(learned.film_indices) | set(held.film_indices) == {0, 1, 2}
    assert not set(learned.film_indices) & set(held.film_indices)


def test_a_split_by_film_needs_two_films(library, add_film):
    films = [add_calibration_film(library), add_film(library, "only", 12)]
    pairs = PairDataset.from_films(films, CLOCK, PcmBlocks(0, 267))
    with pytest.raises(TrainingError, match=r"needs two films, the library has 1; add films or"):
        split_pairs(pairs, TrainingConfig(split="films"), 0)
    learned, held = split_pairs(pairs, TrainingConfig(split="films", held_out=0.0), 0)
    assert ((learned.film_indices == 1).sum(), len(held)) == ((pairs.film_indices == 1).sum(), 0)


@pytest.mark.parametrize(
    "recipe", [TrainingConfig(held_out=0.0), TrainingConfig(block_seconds=10.0)], ids=str
)
def test_nothing_is_held_out_of_little(pairs, recipe):
    films = [1] if recipe.held_out else [1, 2]
    some = pairs.select(np.isin(pairs.film_indices, films))
    learned, held = split_pairs(some, recipe, 0)
    assert (len(learned), len(held)) == (len(some), 0)


@pytest.mark.parametrize("split", ["blocks", "films"])
def test_a_seed_is_a_split(pairs, split):
    recipe = TrainingConfig(split=split, held_out=0.4, block_seconds=1.0)
    parts = [keys(split_pairs(pairs, recipe, seed)[1]) for seed in range(8)]
    again = [keys(split_pairs(pairs, recipe, seed)[1]) for seed in range(8)]
    assert parts == again
    assert len(set(map(frozenset, parts))) > 1
