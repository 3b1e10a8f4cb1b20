"""A split of a library: held-out sound is never used for training."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.brain.reach import reach_seconds
from frame2sound.brain.recipe import parse_recipe
from frame2sound.errors import LibraryError
from frame2sound.library.calibration import CALIBRATION_NAME, add_calibration_film
from frame2sound.library.corpus import read_corpus
from frame2sound.library.folders import exclude
from frame2sound.library.split import LibraryView, split_library
from frame2sound.library.store import Library
from frame2sound.training.dataset import PairDataset
from frame2sound.training.training_data import TrainingData

RATE = 8000
RECIPE = parse_recipe(
    {
        "name": "small",
        "network": {"kind": "mlp", "hidden": [4]},
        "clock": {"sample_rate": RATE},
        "training": {"held_out": 0.0},
    }
)


@pytest.fixture
def library(tmp_path):
    created = Library.create(tmp_path / "library", RATE)
    add_calibration_film(created)
    return created


def test_the_last_fifth_of_each_film_is_held_out_and_a_second_before_it_is_not_learned(
    library, add_film
):
    add_film(library, "long", 30)
    add_film(library, "short", 8)
    add_film(library, "tiny", 2)
    parts = split_library(library)
    assert parts.kind == "ends"
    ranges = {held.film.name: (held.start_sample, held.end_sample) for held in parts.held_out}
    assert ranges == {"long": (24 * RATE, 30 * RATE), "short": (5 * RATE, 8 * RATE)}
    ends = {film.name: film.card.audio_range[1] for film in parts.training.films()}
    assert ends == {
        "long": 23 * RATE,
        "short": 4 * RATE,
        "tiny": 2 * RATE,
        CALIBRATION_NAME: 60 * RATE,
    }


def test_nothing_held_out_reaches_training_or_corpus(library, add_film):
    add_film(library, "film", 10, audio_range=(RATE, 10 * RATE))
    parts = split_library(library)
    (held,) = parts.held_out
    pairs = TrainingData.from_library(parts.training, RECIPE, 0).training
    film = [film.name for film in pairs.films].index("film")
    learned = pairs.start_samples[pairs.film_indices == film]
    assert learned.min() >= RATE
    assert learned.max() + pairs.target.required_range[1] <= held.start_sample - RATE
    (piece,) = read_corpus(parts.training, RECIPE.to_clock()).pieces
    assert piece.start_sample + len(piece.samples) <= held.start_sample - RATE


def test_one_film_in_five_is_drawn_from_five_films_on(library, add_film):
    for number in range(10):
        add_film(library, f"film-{number}")
    parts = split_library(library)
    assert parts.kind == "films"
    held = {held.film.name for held in parts.held_out}
    assert len(held) == 2
    assert held == {held.film.name for held in split_library(library).held_out}
    learned = {film.name for film in parts.training.films()}
    assert learned == {f"film-{number}" for number in range(10)} - held | {CALIBRATION_NAME}


def test_films_are_held_out_by_name(library, add_film):
    add_film(library, "one")
    add_film(library, "two")
    parts = split_library(library, held_out_films=["two"])
    assert [held.film.name for held in parts.held_out] == ["two"]
    assert [film.name for film in parts.training.films()] == [CALIBRATION_NAME, "one"]


def test_a_view_does_not_change_the_films_it_shows(library, add_film):
    film = add_film(library, "film", 10)
    (visible,) = (
        film
        for film in LibraryView(library, end_samples={"film": 5}).films()
        if film.name != CALIBRATION_NAME
    )
    np.testing.assert_array_equal(visible.sound, film.sound)
    assert visible.card.digest == film.card.digest
    assert Library.open(library.path).films()[1].card.audio_range == (0, 10 * RATE)


@pytest.mark.parametrize(
    ("seconds", "kind", "named", "match"),
    [
        ([], None, [], "holds no films; add some"),
        ([10], "films", [], "needs two films, .* has 1; use `split` ends or pickle another"),
        ([10, 10], "films", ["film-7"], "got `held_out` film-7, expected .*: film-0, film-1"),
        ([10, 10], None, ["film-0", "film-1"], "none is left for training"),
        ([10, 10], "ends", ["film-0"], "leave out one of them"),
        ([3, 4], "ends", [], "has 6 s of sound or more.*pickle a longer film"),
    ],
)
def test_impossible_splits_are_refused(library, add_film, seconds, kind, named, match):
    for number, length in enumerate(seconds):
        add_film(library, f"film-{number}", length)
    with pytest.raises(LibraryError, match=match):
        split_library(library, kind, named)


def test_a_view_of_a_colour_library_is_in_colour(tmp_path, add_film):
    colour = Library.create(tmp_path / "colour", RATE, colour=True)
    add_film(colour, "film", 10)
    (film,) = split_library(colour).training.films()
    assert film.frames.shape == (300, 64, 64, 3)


def test_an_excluded_film_is_in_no_part_of_a_split(library, add_film):
    for name in ("in", "out"):
        add_film(library, name, 10)
    exclude(library.path / "out")
    parts = split_library(library)
    assert [held.film.name for held in parts.held_out] == ["in"]
    assert [film.name for film in parts.training.films()] == [CALIBRATION_NAME, "in"]


def small_recipe(**parts):
    table = {
        "name": "small",
        "network": {"kind": "mlp", "hidden": [4]},
        "clock": {"sample_rate": RATE},
        "training": {"held_out": 0.0},
    }
    return parse_recipe(table | parts)


REACHING = {
    "input": {"kind": "pixels", "history": 64},
    "target": {"kind": "mel", "window_length": 4096, "bands": 8},
}


def test_the_reach_is_that_of_past_frames_sound_and_motion():
    assert reach_seconds(small_recipe(**REACHING)) == Fraction(65, 30)
    windows = {"kind": "log-mag", "window_length": 8192, "windows_per_frame": 1}
    assert reach_seconds(small_recipe(target=windows)) == Fraction(8192, RATE) + Fraction(1, 30)
    motion = {"target": {"kind": "mel", "bands": 8}, "events": {"head": "motion"}}
    assert reach_seconds(small_recipe(**motion)) == Fraction(5 * 8 + 15 + 1, 30)


def test_with_the_longest_history_no_example_sees_the_other_part(library, add_film):
    recipe = small_recipe(**REACHING)
    film = add_film(library, "film", 20)
    parts = split_library(library, guard_seconds=reach_seconds(recipe))
    (held,) = parts.held_out
    training = TrainingData.from_library(parts.training, recipe, 0).training
    of_film = training.film_indices == [each.name for each in training.films].index("film")
    target = training.target
    everything = PairDataset.from_films([film], recipe.to_clock(), target, 64)
    judged = everything.select(everything.start_samples >= held.start_sample)
    assert judged.frame_windows.min() > training.frame_windows[of_film].max()
    learned_end = (
        training.start_samples[of_film].max() - target.lead_samples + target.excerpt_length
    )
    assert learned_end <= held.start_sample
    assert training.frame_windows[of_film].max() >= judged.frame_windows.min() - 3


def test_the_longest_held_out_film_stands_for_its_copies(library, add_film):
    films = {f"film-{number}": number for number in range(4)}
    for name, seed in films.items():
        add_film(library, name, 10, seed=seed)
    sound = np.array(library.film(library.path / "film-1").sound)
    add_film(library, "excerpt", 6, sound=sound[2 * RATE : 8 * RATE])
    parts = split_library(library, held_out_films=["film-1"])
    assert [held.film.name for held in parts.held_out] == ["film-1"]
    assert parts.left_out_copies == {"excerpt": "film-1"}
    learned = {film.name for film in parts.training.films()}
    assert learned == {"film-0", "film-2", "film-3", CALIBRATION_NAME}
    by_name = split_library(library, held_out_films=["excerpt"])
    assert [held.film.name for held in by_name.held_out] == ["excerpt"]
    assert by_name.left_out_copies == {"film-1": "excerpt"}
    ends = split_library(library, "ends")
    assert "excerpt" not in {film.name for film in ends.training.films()}
    assert sorted(held.film.name for held in ends.held_out) == sorted(films)
    assert ends.left_out_copies == {"excerpt": "film-1"}


def test_groups_of_copies_are_drawn_whole(library, add_film):
    rng = np.random.default_rng(0)
    for number in range(10):
        sound = rng.normal(0, 0.1, 6 * RATE)
        for copy in ("a", "b"):
            add_film(library, f"film-{number}{copy}", 6, sound=sound)
    parts = split_library(library)
    assert parts.kind == "films"
    assert len(parts.held_out) == len(parts.left_out_copies) == 2
    hidden = {name[:-1] for name in parts.left_out_copies}
    assert hidden == {held.film.name[:-1] for held in parts.held_out}
    assert not hidden & {film.name[:-1] for film in parts.training.films()}


def test_copies_of_one_film_cannot_be_split_by_film(library, add_film):
    sound = np.random.default_rng(0).normal(0, 0.1, 8 * RATE)
    for name in ("a", "b", "c", "d", "e"):
        add_film(library, name, 8, sound=sound)
    with pytest.raises(LibraryError, match=r"are copies or excerpts of one.*use `split` ends"):
        split_library(library, "films")
    parts = split_library(library)
    assert (parts.kind, [held.film.name for held in parts.held_out]) == ("ends", ["a"])
    assert set(parts.left_out_copies) == {"b", "c", "d", "e"}
