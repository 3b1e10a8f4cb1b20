"""Films that sound on black or white outrank the calibration film."""

import numpy as np
import pytest

from frame2sound.brain.recipe import load_recipe
from frame2sound.library.calibration import add_calibration_film
from frame2sound.training.sounding_screens import find_sounding_screens
from frame2sound.training.training_data import choose_screens

FRAMES, RATE = 300, 8000
GREY = 90


def levels_with(level, frames, elsewhere=0):
    levels = np.full(FRAMES, elsewhere)
    levels[frames] = level
    return levels


def add(library, add_film, levels, loud, name="film", noise=0, quiet=0.0):
    """Add a film of plain frames that is loud in some of them; return it."""
    gain = np.full(FRAMES, quiet)
    gain[loud] = 0.1
    edges = np.round(np.arange(FRAMES + 1) * RATE / 30).astype(int)
    sound = np.repeat(gain, np.diff(edges)) * np.random.default_rng(1).choice([-1, 1], edges[-1])
    pixels = np.random.default_rng(2).integers(-noise, noise + 1, (FRAMES, 64, 64))
    frames = np.clip(levels[:, None, None] + pixels, 0, 255).astype(np.uint8)
    return add_film(library, name, FRAMES / 30, sound=sound, frames=frames)


FLASHES = np.arange(10, FRAMES, 25)


@pytest.mark.parametrize("noise", [0, 8])
def test_white_frames_with_a_click_each_sound_and_black_between_does_not(library, add_film, noise):
    film = add(library, add_film, levels_with(255, FLASHES), FLASHES, noise=noise)
    assert find_sounding_screens([film]) == {255}


@pytest.mark.parametrize(
    ("loud", "expected"),
    [
        ([], set()),
        ([50], set()),  # one noisy frame
        (np.arange(50, 70), set()),  # a tail of 20 of 50 frames
        (np.arange(50, 100), {0}),
    ],
    ids=["silent", "one frame", "a tail", "all"],
)
def test_black_sounds_only_if_most_of_it_does(library, add_film, loud, expected):
    black = np.arange(50, 100)
    loud = np.concatenate([np.arange(100, 200), np.asarray(loud, int)])
    film = add(library, add_film, levels_with(0, black, elsewhere=GREY), loud)
    assert find_sounding_screens([film]) == expected


@pytest.mark.parametrize(("quiet_db", "expected"), [(-40, set()), (-10, {255})])
def test_what_is_loud_depends_on_the_film(library, add_film, quiet_db, expected):
    """A noise floor far below the film's own level is no sound."""
    levels = levels_with(255, np.arange(100), elsewhere=GREY)
    quiet = 0.1 * 10 ** (quiet_db / 20)
    film = add(library, add_film, levels, np.arange(100, 300), quiet=quiet)
    assert find_sounding_screens([film]) == expected


def test_a_drawing_on_white_is_no_screen(library, add_film):
    frames = np.full((FRAMES, 64, 64), 255, np.uint8)
    frames[:, 30:33, 30:33] = 40
    assert find_sounding_screens([add_film(library, "drawing", 10, frames=frames)]) == set()


def test_few_frames_are_no_evidence(library, add_film):
    film = add(library, add_film, levels_with(255, [10, 60, 90]), [10, 60, 90])
    assert find_sounding_screens([film]) == set()


def test_films_vote(library, add_film):
    clicks = add(library, add_film, levels_with(255, FLASHES), FLASHES, "clicks")
    silent = [
        add(library, add_film, levels_with(255, np.arange(200), GREY), np.arange(250, 300), name)
        for name in ("a", "b")
    ]
    assert find_sounding_screens([clicks, silent[0]]) == {255}
    assert find_sounding_screens([clicks, *silent]) == set()


def test_frames_without_recorded_sound_are_no_evidence(library, add_film):
    frames = np.full((FRAMES, 64, 64), GREY, np.uint8)
    frames[:100] = 0
    film = add_film(library, "late", 10, frames=frames, audio_range=(4 * RATE, 10 * RATE))
    assert find_sounding_screens([film]) == set()


@pytest.mark.parametrize(
    ("recipe", "sounding", "expected"),
    [
        ("deep", False, ((0,), (255,))),
        ("deep", True, ((0,), ())),
        ("memory", False, ((0, 255), ())),
        ("memory", True, ((0,), ())),
    ],
)
def test_which_screens_are_taught(library, add_film, recipe, sounding, expected):
    levels = levels_with(255 if sounding else 200, FLASHES)
    films = [add(library, add_film, levels, FLASHES)]
    assert choose_screens(films, load_recipe(recipe)) == ((), ())
    assert choose_screens([add_calibration_film(library), *films], load_recipe(recipe)) == expected
