"""The balls: thuds at the contacts, between frames, louder for faster balls, without a flash."""

import numpy as np
import pytest

from frame2sound.film.drawing.demo_films import load_scene

GRAVITY = 1400.0
ONE_BALL, TWO_BALLS, THREE_BALLS = 0, 2, 7  # seeds


def film(seed, **settings):
    return load_scene("balls", **({"seconds": 20, "seed": seed, "size": (240, 180)} | settings))


def whole(scene):
    return scene.synthesise(0, scene.sample_count).astype(np.float64)


def flights(scene):
    """The contacts that end the flights of a lone ball from the floor, and the flights' seconds."""
    times = np.array(scene.onset_seconds)
    return times[1:], np.diff(times)


def test_contacts_do_not_depend_on_the_frame_rate_and_lie_between_frames():
    slow, fast = film(TWO_BALLS, fps=24), film(TWO_BALLS, fps=120)
    assert slow.truth.onsets == fast.truth.onsets
    phases = np.array(slow.truth.onsets) * 24 % 1
    assert np.ptp(phases) > 0.8
    assert ((phases > 0.1) & (phases < 0.9)).mean() > 0.5


@pytest.mark.parametrize("seed", [ONE_BALL, THREE_BALLS])
def test_sound_begins_at_the_contacts_to_the_sample(seed):
    scene = film(seed)
    sound = whole(scene)
    silent_before = 0
    for time in scene.truth.onsets:
        at = round(time * scene.clock.sample_rate)
        before, after = sound[max(0, at - 480) : at], sound[at : at + 480]
        assert np.abs(after).max() > 1e-3
        if not before.any():
            silent_before += 1
            assert np.abs(after[:48]).max() > 0
    assert silent_before >= (3 if seed == ONE_BALL else 0)


def test_a_ball_touches_the_floor_at_its_contacts_alone():
    scene, floor_row = film(ONE_BALL, fps=240, seconds=8), 159
    background = np.median([scene.draw(n) for n in range(0, scene.frame_count, 60)], axis=0)

    def edge(number):
        differs = np.abs(scene.draw(number)[:floor_row] - background[:floor_row]).sum(axis=-1) > 60
        return np.flatnonzero(differs.any(axis=1)).max()

    for time in scene.truth.onsets:
        assert max(edge(int(time * 240)), edge(int(time * 240) + 1)) >= floor_row - 2
    times, gaps = flights(scene)
    assert len(times) >= 4
    for time, gap in zip(times, gaps, strict=True):
        height = GRAVITY * gap**2 / 8 / 2  # of a parabola; two stage units are a pixel
        assert 158 - edge(int((time - gap / 2) * 240)) == pytest.approx(height, abs=2)


def test_levels_follow_the_speed_of_the_impact():
    scene = film(ONE_BALL, seconds=60)
    sound = whole(scene)
    times, gaps = flights(scene)
    starts = np.rint(times * scene.clock.sample_rate).astype(int)
    levels = [np.log(np.abs(sound[a : a + 2400]).max()) for a in starts]
    slope, _ = np.polyfit(np.log(gaps), levels, 1)  # the time in the air grows with the speed
    assert np.corrcoef(np.log(gaps), levels)[0, 1] > 0.95
    assert slope == pytest.approx(1.3, abs=0.25)


def test_nothing_flashes():
    scene = film(THREE_BALLS)
    means = [scene.draw(number).mean() for number in range(scene.frame_count)]
    assert np.abs(np.diff(means)).max() < 0.3


def test_seeds_have_one_to_three_balls_that_differ():
    counts = [len(film(seed, seconds=60).truth.onsets) for seed in range(8)]
    assert 60 < min(counts) < 100
    assert 180 < max(counts) < 300


def test_contacts_of_different_balls_seldom_coincide():
    gaps = np.diff(film(THREE_BALLS, seconds=60).truth.onsets)
    assert (gaps < 0.05).mean() < 0.12


@pytest.mark.parametrize(("ground", "grey"), [("white", 255), ("black", 0), ("grey", 128)])
def test_the_ground_changes_the_picture_alone(ground, grey):
    scene, dark = film(TWO_BALLS, ground=ground), film(TWO_BALLS)
    picture = scene.draw(40)
    assert picture[0, 0].tolist() == [grey] * 3
    assert np.abs(picture[:150].astype(int) - grey).max() > 80  # the balls stand out
    assert scene.truth == dark.truth


def test_an_unknown_ground_lists_the_known_ones():
    with pytest.raises(
        ValueError, match="got the ground 'sand', expected one of dark, black, grey"
    ):
        film(0, ground="sand")
