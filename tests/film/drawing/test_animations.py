"""The animations that brains are tested with: grounds, rates, and the times of their onsets."""

from fractions import Fraction

import numpy as np
import pytest

from benchmarks import animations
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.drawing.scene import SceneTruth


@pytest.mark.parametrize("name", sorted(animations.DRAWN))
def test_a_seed_determines_an_animation(name):
    one, again, other = (animations.DRAWN[name](seed=seed, seconds=12) for seed in (1, 1, 2))
    assert one.frame_count == 288
    assert one.onset_seconds == again.onset_seconds
    for frame in range(0, 288, 60):
        np.testing.assert_array_equal(one.draw(frame), again.draw(frame))
    assert any((one.draw(n) != other.draw(n)).any() for n in range(0, 288, 12))


def test_pencil_drawings_stand_for_two_frames_and_land_with_a_drawing():
    scene = animations.pencil_balls(1, 10)
    for frame in (20, 21, 60):
        standing = (scene.draw(frame) == scene.draw(frame + 1)).all()
        assert standing == (frame % 2 == 0)
    assert all(time * 12 == pytest.approx(round(time * 12)) for time in scene.truth.onsets)


def test_white_frames_click():
    scene = animations.white_frame_click(0, 10)
    white = [n for n in range(scene.frame_count) if scene.draw(n).min() == 255]
    assert scene.truth.onsets == tuple(n / 30 for n in white)
    assert 0.35 < np.diff(scene.truth.onsets).min() < np.diff(scene.truth.onsets).max() < 1.55


@pytest.mark.parametrize("ground", sorted(animations.GROUNDS))
def test_a_ground_keeps_the_contrast_and_a_negative_is_exact(ground):
    balls = animations.balls(2, 3, ground="black")
    drawn, negative = (animations.on_ground(balls, ground, i).draw(20) for i in (False, True))
    assert tuple(drawn[0, 0]) == animations.GROUNDS[ground]
    assert np.abs(drawn.astype(int) - drawn[0, 0]).max() > 75
    np.testing.assert_array_equal(negative, 255 - drawn)


def test_variable_rates_are_written_as_they_are(tmp_path):
    scene = animations.balls(2, 1, 120)
    shown = animations.irregular_frames(scene)
    path = animations.write_animation(scene, tmp_path / "balls.mkv", shown=shown)
    ends = [frame.end_seconds for frame in FilmReader(path).frames()]
    assert [float(end) for end in ends[:-1]] == pytest.approx(
        [n / 120 for n in shown[1:]], abs=1e-3
    )
    assert len(set(np.diff(shown))) > 3
    assert SceneTruth.from_json((tmp_path / "balls.json").read_text()) == scene.truth


def test_joined_scenes_keep_their_onsets_and_sounds():
    parts = [animations.strobe(1, 2), animations.tiny_dot(2, 3)]
    both = animations.joined("both", 0, parts)
    assert both.frame_count == 120
    assert both.truth.onsets == (*parts[0].truth.onsets, *(2 + t for t in parts[1].truth.onsets))
    np.testing.assert_array_equal(both.draw(50), parts[1].draw(2))
    np.testing.assert_array_equal(
        both.synthesise(95_000, 97_000),
        np.concatenate([parts[0].synthesise(95_000, 96_000), parts[1].synthesise(0, 1_000)]),
    )
    assert both.clock.fps == Fraction(24)
