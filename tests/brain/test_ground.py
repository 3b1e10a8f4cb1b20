"""Drawn films on any plain ground become light figures on black; other films stay as they are."""

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.brain.ground import GroundEstimator, GroundMap, estimate_ground, match_ground
from frame2sound.film.drawing.demo_films import load_scene

AHEAD = 100


def disc_film(frame_count=240, peak=255, seed=0):
    """Return a grey disc with a soft edge that moves on black."""
    path = np.random.default_rng(seed).uniform(-8, 8, (frame_count, 2)).cumsum(0) % 44 + 10
    y, x = np.mgrid[:64, :64]
    distance = np.hypot(x - path[:, :1, None], y - path[:, 1:, None])
    return np.rint(peak * np.clip((10 - distance) / 4, 0, 1)).astype(np.uint8)


def on_ground(film, ground, toward):
    """Return a light film as figures of another grey value on a ground."""
    mixed = ground + (toward - ground) * (film / 255.0)
    return np.rint(mixed).astype(np.uint8)


def screens(*levels_and_counts):
    parts = [np.full((count, 64, 64), level, np.uint8) for level, count in levels_and_counts]
    return np.concatenate(parts)


def matched(film, ahead=AHEAD, batch=64):
    batches = [film[first : first + batch] for first in range(0, len(film), batch)]
    out = list(match_ground(batches, ahead))
    assert [len(each) for each in out] == [len(each) for each in batches]
    return np.concatenate(out)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["bounce", "lines", "scratch", "theremin", "typing"])
def test_demo_films_stay_as_they_are_and_inverted_ones_become_them(name, seed):
    scene = load_scene(name, seconds=8, seed=seed, size=(64, 64), fps=Fraction(15))
    film = np.stack([scene.draw(frame).max(-1) for frame in range(scene.frame_count)])
    np.testing.assert_array_equal(matched(film), film)
    np.testing.assert_array_equal(matched(255 - film), film)


@pytest.mark.parametrize(
    ("ground", "toward"),
    [(255, 0), (255, 130), (128, 255), (128, 0), (158, 255), (64, 255), (64, 0), (0, 100)],
)
def test_a_figure_on_any_ground_becomes_light_on_black(ground, toward):
    film = disc_film()
    result = matched(on_ground(film, ground, toward)).astype(int)
    assert np.abs(result - film).max() <= 12
    assert (result[film == 0] == 0).all()


def test_lighter_and_darker_figures_on_grey_both_become_light():
    lighter, darker = disc_film(seed=1), disc_film(seed=2)[:, ::-1]
    film = 128 + (lighter.astype(int) - darker) * 100 // 255
    result = matched(film.astype(np.uint8))
    assert (result[(lighter == 255) & (darker == 0)] > 240).all()
    assert (result[(darker == 255) & (lighter == 0)] > 240).all()


def test_the_map_tells_the_ground_and_the_gain():
    assert estimate_ground(disc_film()) == GroundMap(0, 1)
    assert estimate_ground(255 - disc_film()) == GroundMap(255, 1)
    assert estimate_ground(on_ground(disc_film(), 100, 185)) == GroundMap(100, 3)


def test_a_map_multiplies_and_clips_differences_from_the_ground():
    levels = np.array([[0, 90, 100, 130, 200, 255]], np.uint8)
    assert GroundMap(100, 2).apply(levels).tolist() == [[200, 20, 0, 60, 200, 255]]
    assert GroundMap().apply(levels) is levels
    colour = np.array([[[255, 0, 0], [255, 255, 255]]], np.uint8)
    assert GroundMap(255).apply(colour).tolist() == [[[179] * 3, [0] * 3]]


def test_a_film_without_a_plain_ground_stays_as_it_is():
    noise = np.random.default_rng(0).integers(0, 256, (120, 64, 64), np.uint8)
    gradient = np.broadcast_to(np.linspace(60, 240, 64).astype(np.uint8), (120, 64, 64))
    moving = np.maximum(gradient, disc_film(120))
    for film in (noise, moving):
        assert estimate_ground(film) == GroundMap()
        np.testing.assert_array_equal(matched(film), film)


@pytest.mark.parametrize(
    "film",
    [
        screens((255, 200)),
        screens((0, 200)),
        screens((0, 90), (255, 1), (0, 109)),
        screens(*[(255 * (frame % 2), 1) for frame in range(200)]),
        screens(*[(frame, 1) for frame in range(256)]),
    ],
    ids=["white", "black", "flash", "strobe", "fade"],
)
def test_plain_screens_stay_as_they_are(film):
    np.testing.assert_array_equal(matched(film), film)


def test_a_white_screen_in_a_film_on_black_stays_white():
    film = np.concatenate([disc_film(100), screens((255, 300)), disc_film(100)])
    np.testing.assert_array_equal(matched(film), film)


def test_paper_before_the_first_stroke_is_black():
    film = np.concatenate([screens((255, 40)), 255 - disc_film(100)])
    assert (matched(film)[:40] == 0).all()


def test_a_small_figure_is_seen():
    film = screens((255, 120))
    film[np.arange(120), 20, np.arange(120) % 64] = 0
    result = matched(film)
    np.testing.assert_array_equal(result, 255 - film)


def test_scenes_on_other_grounds_change_the_map_at_the_cut():
    figures = disc_film(450)
    film = figures.copy()
    film[150:300] = 255 - film[150:300]
    np.testing.assert_array_equal(matched(film, ahead=150), figures)


def test_a_short_scene_on_another_ground_keeps_the_map():
    film = disc_film(400)
    film[200:230] = 255 - film[200:230]
    np.testing.assert_array_equal(matched(film), film)


@pytest.mark.parametrize("batch", [1, 7, 500])
def test_the_result_does_not_depend_on_the_size_of_batches(batch):
    film = on_ground(disc_film(300), 200, 90)
    film[120:] = 255 - film[120:]
    np.testing.assert_array_equal(matched(film, batch=batch), matched(film))


def test_no_frames_and_no_look_ahead_are_accepted():
    assert list(match_ground([], 10)) == []
    film = 255 - disc_film(50)
    np.testing.assert_array_equal(matched(film, ahead=0), 255 - film)


def test_an_estimator_says_when_its_map_changes():
    estimator = GroundEstimator(half_life_frames=50)
    assert estimator.observe(on_ground(disc_film(20), 255, 155))
    assert estimator.current() == GroundMap(255, 2.55)
    assert not estimator.observe(on_ground(disc_film(20, seed=1), 255, 150))
    assert not estimator.observe(screens((0, 500)))
    assert estimator.observe(255 - disc_film(50))
    assert estimator.current() == GroundMap(255, 1)
    assert estimator.observe(disc_film(100))
    assert estimator.current() == GroundMap(0, 1)


def test_an_estimator_stays_exact_over_a_long_film():
    estimator = GroundEstimator(half_life_frames=1)
    film = on_ground(disc_film(20), 150, 70)
    for _ in range(30):
        estimator.observe(film)
    assert estimator.current().ground == 150
