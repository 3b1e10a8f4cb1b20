"""Held-out pairs are never near training pairs."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from frame2sound.brain.config import TrainingConfig
from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import Clock
from frame2sound.errors import TrainingError
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.checksums import Checksums
from frame2sound.training.dataset import PairDataset
from frame2sound.training.training_data import TrainingData, split_pairs

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
def test_a_guard_separates_training_from_held_out_pairs(pairs, held_out, block, guard, seed):
    recipe = TrainingConfig(held_out=held_out, block_seconds=block, guard_seconds=guard)
    training, held_out_pairs = split_pairs(pairs, recipe, seed)
    assert len(held_out_pairs)
    assert keys(training) | keys(held_out_pairs) <= keys(pairs)
    assert not keys(training) & keys(held_out_pairs)
    assert 0 not in held_out_pairs.film_indices
    for film in (1, 2):
        training_seconds, held_out_seconds = (
            part.start_samples[part.film_indices == film] / 8000
            for part in (training, held_out_pairs)
        )
        if len(training_seconds) and len(held_out_seconds):
            apart = np.abs(training_seconds[:, None] - held_out_seconds[None]).min()
            assert apart >= guard - 1e-3  # a frame starts up to half a sample off its time


def test_the_longest_history_is_guarded(library, add_film):
    """A guard of half a second would let 49 pairs after a held-out block see into it."""
    film = add_film(library, "film", 15)
    pairs = PairDataset.from_films([film], CLOCK, PcmBlocks(0, 267), past_frames=64)
    recipe = TrainingConfig(held_out=0.1, block_seconds=2.0, guard_seconds=0.5)
    for seed in range(8):
        training, held_out = split_pairs(pairs, recipe, seed)
        assert len(held_out) == 60
        assert not np.isin(training.frame_windows, held_out.frame_indices).any()
        assert not np.isin(held_out.frame_windows, training.frame_indices).any()


@pytest.mark.parametrize("held_out", [0.1, 0.25, 0.5])
def test_the_held_out_share_is_that_of_the_recipe(library, add_film, held_out):
    pairs = PairDataset.from_films([add_film(library, "long", 100)], CLOCK, PcmBlocks(0, 267))
    recipe = TrainingConfig(held_out=held_out, block_seconds=1.0, guard_seconds=0.1)
    _, held_out_pairs = split_pairs(pairs, recipe, 0)
    assert len(held_out_pairs) / len(pairs) == pytest.approx(held_out, abs=0.01)


def test_the_calibration_film_is_thinned_and_never_held_out(pairs):
    training, held_out_pairs = split_pairs(
        pairs, TrainingConfig(held_out=0.5, block_seconds=1.0), 0
    )
    film = (pairs.film_indices != 0).sum()
    assert (training.film_indices == 0).sum() == pytest.approx(0.1 * film, abs=1)
    assert not (held_out_pairs.film_indices == 0).any()
    frames, _ = training.load(np.flatnonzero(training.film_indices == 0))
    assert (frames == 0).all(axis=(1, 2)).mean() == pytest.approx(0.5, abs=0.01)
    assert (frames == 255).all(axis=(1, 2)).mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(("taught", "levels"), [([0], {0}), ([255], {255}), ([], set())])
def test_only_taught_screens_are_trained_on(pairs, taught, levels):
    training, _ = split_pairs(pairs, TrainingConfig(), 0, taught)
    frames, _ = training.load(np.flatnonzero(training.film_indices == 0))
    assert set(np.unique(frames)) == levels


def test_with_a_long_film_the_calibration_film_is_not_thinned(library, add_film):
    films = [add_calibration_film(library), add_film(library, "long", 600)]
    pairs = PairDataset.from_films(films, CLOCK, PcmBlocks(0, 267))
    training, _ = split_pairs(pairs, TrainingConfig(), 0)
    assert (training.film_indices == 0).sum() == (pairs.film_indices == 0).sum()


def test_without_a_guard_no_pair_is_left_out(pairs):
    recipe = TrainingConfig(held_out=0.3, block_seconds=1.0, guard_seconds=0.0)
    training, held_out_pairs = split_pairs(pairs, recipe, 0)
    films = {key for key in keys(pairs) if key[0]}
    assert {key for key in keys(training) | keys(held_out_pairs) if key[0]} == films


@pytest.mark.parametrize("held_out", [0.1, 0.5, 0.9])
def test_a_split_by_film_holds_out_whole_films(pairs, held_out):
    training, held_out_pairs = split_pairs(
        pairs, TrainingConfig(split="films", held_out=held_out), 0
    )
    assert len(set(held_out_pairs.film_indices)) == 1
    assert set(training.film_indices) | set(held_out_pairs.film_indices) == {0, 1, 2}
    assert not set(training.film_indices) & set(held_out_pairs.film_indices)


def test_a_split_by_film_needs_two_films(library, add_film):
    films = [add_calibration_film(library), add_film(library, "only", 12)]
    pairs = PairDataset.from_films(films, CLOCK, PcmBlocks(0, 267))
    with pytest.raises(
        TrainingError,
        match="a library of 1 film, not counting copies, expected two or more to split",
    ):
        split_pairs(pairs, TrainingConfig(split="films"), 0)
    training, held_out_pairs = split_pairs(pairs, TrainingConfig(split="films", held_out=0.0), 0)
    assert ((training.film_indices == 1).sum(), len(held_out_pairs)) == (
        (pairs.film_indices == 1).sum(),
        0,
    )


@pytest.mark.parametrize(
    "recipe", [TrainingConfig(held_out=0.0), TrainingConfig(block_seconds=10.0)], ids=str
)
def test_nothing_is_held_out_of_a_short_library(pairs, recipe):
    films = [1] if recipe.held_out else [1, 2]
    some = pairs.select(np.isin(pairs.film_indices, films))
    training, held_out_pairs = split_pairs(some, recipe, 0)
    assert (len(training), len(held_out_pairs)) == (len(some), 0)


@pytest.mark.parametrize("split", ["blocks", "films"])
def test_the_split_depends_on_the_seed_only(pairs, split):
    recipe = TrainingConfig(split=split, held_out=0.4, block_seconds=1.0)
    parts = [keys(split_pairs(pairs, recipe, seed)[1]) for seed in range(8)]
    again = [keys(split_pairs(pairs, recipe, seed)[1]) for seed in range(8)]
    assert parts == again
    assert len(set(map(frozenset, parts))) > 1


def with_card(film, colour=False, **changes):
    return replace(film, colour=colour, card=replace(film.card, **changes))


def test_a_training_is_told_from_one_of_other_arrays(library, add_film, small):
    """Films that are pickled again in colour, or by another decoder, keep name, file and sound."""
    add_film(library, "film", 6)
    data = TrainingData.from_library(library, small(), 0)
    film, sums = data.films[0], Checksums("a", "b", "c")
    kinds = [
        film,
        with_card(film, colour=True),
        with_card(film, checksums=sums),
        with_card(film, checksums=replace(sums, sound="d")),
    ]
    each = [replace(data, films=[kind]) for kind in kinds]
    assert len({one.signature(small(), 0) for one in each}) == len(kinds)
    tables = [one.describe_settings(small(), 0) for one in each]
    assert [table["library"] for table in tables] == ["grey", "colour", "grey", "grey"]
    contents = [table.get("content of film film") for table in tables]
    assert contents[:2] == [None, None]
    assert len({*contents}) == 3
    of_other_sound = with_card(film, checksums=replace(sums, full_sound="e"))
    signature = replace(data, films=[of_other_sound]).signature(small(), 0)
    assert signature == each[2].signature(small(), 0)  # it is not learned
