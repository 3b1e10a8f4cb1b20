"""In stereo the demo films sound where they are seen, with the power that they have in mono."""

from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from frame2sound.clock import Clock
from frame2sound.film.drawing.demo_films import demo_film_names, load_scene
from frame2sound.film.drawing.recordings import RecordingTrack, TimedRecording
from frame2sound.film.drawing.scene import SILENCE_DB
from frame2sound.film.drawing.stereo import STEREO_WIDTH, place_gains, soft_clip_stereo
from frame2sound.film.drawing.synthesis import soft_clip

MONO = {"breeze", "theremin"}
STEREO = sorted(set(demo_film_names()) - MONO)
SECONDS = 10
ONE_BALL = 0
"""A seed of `balls` with a single ball."""


@cache
def film(name):
    return load_scene(name, seconds=SECONDS, seed=2, size=(96, 72))


@cache
def sounds(name):
    scene = film(name)
    return scene.synthesise(0, scene.sample_count), scene.synthesise_stereo(0, scene.sample_count)


def test_gains_have_constant_power_and_known_values():
    x = np.array([0.0, 120.0, 240.0, 480.0])
    left, right = place_gains(x)
    np.testing.assert_allclose(left**2 + right**2, 2)
    angle = np.array([0.4, 0.7, 1.0, 1.6]) * np.pi / 4  # (p + 1) pi / 4 for p up to 0.6
    assert STEREO_WIDTH == 0.6
    np.testing.assert_allclose(left, 2**0.5 * np.cos(angle))
    np.testing.assert_allclose(right, 2**0.5 * np.sin(angle))
    assert (left[2], right[2]) == pytest.approx((1, 1))
    assert 20 * np.log10((left[0] + right[0]) / 2) == pytest.approx(-1.0, abs=0.01)
    assert 20 * np.log10(left[0] / right[0]) == pytest.approx(9.8, abs=0.05)


def test_clipping_moves_nothing_and_equals_that_of_mono():
    sound = np.linspace(-3, 3, 101)
    gains = place_gains(60.0)
    clipped = soft_clip_stereo(gains[:, None] * sound, 0.69)
    np.testing.assert_allclose(clipped, (gains[:, None] * soft_clip(sound, 0.69)).T, atol=1e-6)


def test_recordings_sound_at_their_places():
    track = RecordingTrack(
        [
            TimedRecording(0.001, np.ones(3), 0.5, x=0.0),
            TimedRecording(0.003, np.ones(2), 1.0, x=480.0),
            TimedRecording(0.009, np.ones(2)),
        ],
        Clock(Fraction(30), 1000),
    )
    near, far = place_gains(0.0)
    left, right = track.mix_stereo(0, 11)
    np.testing.assert_allclose(
        left, [0, near / 2, near / 2, near / 2 + far, far, 0, 0, 0, 0, 1, 1], atol=1e-12
    )
    np.testing.assert_allclose(
        right, [0, far / 2, far / 2, far / 2 + near, near, 0, 0, 0, 0, 1, 1], atol=1e-12
    )


@pytest.mark.parametrize("name", sorted(MONO))
def test_films_without_left_and_right_are_mono(name):
    assert film(name).synthesise_stereo is None


@pytest.mark.parametrize("name", STEREO)
def test_a_single_sound_has_the_power_of_mono_and_others_nearly(name):
    scene = film(name)
    _, stereo = sounds(name)
    assert stereo.shape == (scene.sample_count, 2)
    assert stereo.dtype == np.float32
    assert 0.1 < np.abs(stereo).max() < 0.95
    bounds = scene.clock.sample_bounds(scene.frame_count)
    power = np.array([np.mean(stereo[a:b].astype(np.float64) ** 2) for a, b in pairwise(bounds)])
    level_db = 10 * np.log10(np.maximum(power, 1e-12))
    truth_db = np.array(scene.truth.loudness_db)
    assert ((level_db == SILENCE_DB) == (truth_db == SILENCE_DB)).all()
    assert abs(10 * np.log10(power.sum() / np.sum(10 ** (truth_db / 10)))) < 1
    if name in ("bounce", "lines", "typing"):
        alone = np.array([pitch is not None for pitch in scene.truth.pitch_hz])
        assert alone.sum() > 30
        np.testing.assert_allclose(level_db[alone], truth_db[alone], atol=1e-3)


@pytest.mark.parametrize("name", STEREO)
def test_mixed_to_mono_it_is_the_mono_sound_less_a_decibel_at_most(name):
    mono, stereo = sounds(name)
    mixed = stereo.astype(np.float64).mean(axis=1)
    gain_db = 10 * np.log10(np.mean(mixed**2) / np.mean(mono.astype(np.float64) ** 2))
    assert -1.05 < gain_db < 0.05
    assert np.corrcoef(mixed, mono)[0, 1] > 0.99


@pytest.mark.parametrize("name", STEREO)
def test_pieces_equal_the_whole(name):
    scene, (_, whole) = film(name), sounds(name)
    cuts = [0, 1, 1601, 50_001, 123_456, 123_457, 400_000, scene.sample_count]
    pieces = [scene.synthesise_stereo(a, b) for a, b in pairwise(cuts)]
    np.testing.assert_allclose(np.concatenate(pieces), whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["lines", "scratch", "typing"])  # light is sound
def test_sound_is_where_the_light_is(name):
    scene, (_, stereo) = film(name), sounds(name)
    bounds = scene.clock.sample_bounds(scene.frame_count)
    idle = scene.draw(0).astype(int)
    seen, heard = [], []
    for frame in range(scene.frame_count):
        light = np.maximum(scene.draw(frame) - idle, 0).sum(axis=(0, 2))
        left, right = np.sqrt(
            np.mean(stereo[bounds[frame] : bounds[frame + 1]].astype(np.float64) ** 2, axis=0)
        )
        columns = (np.arange(96) + 0.5) * 5
        if light.sum() and left + right > 1e-3:
            x = light @ columns / light.sum()
            if light @ (columns - x) ** 2 / light.sum() < 20**2:  # one thing is lit
                seen.append(x)
                heard.append((np.arctan2(right, left) / (np.pi / 4) - 1) / STEREO_WIDTH)
    assert len(seen) > 20
    assert np.ptp(seen) > 250
    np.testing.assert_allclose(240 * (np.array(heard) + 1), seen, atol=20)
    assert np.median(np.abs(240 * (np.array(heard) + 1) - seen)) < 6


def test_a_ball_sounds_where_it_meets_the_floor():
    scene = load_scene("balls", seconds=SECONDS, seed=ONE_BALL, size=(96, 72))
    stereo = scene.synthesise_stereo(0, scene.sample_count).astype(np.float64)
    seen, heard = [], []
    for onset in scene.truth.onsets:
        left, right = np.sqrt(np.mean(stereo[round(onset * 48_000) :][:480] ** 2, axis=0))
        heard.append(240 * ((np.arctan2(right, left) / (np.pi / 4) - 1) / STEREO_WIDTH + 1))
        shown = round(onset * 30)
        moved = np.abs(scene.draw(shown).astype(int) - scene.draw(shown - 2)).sum(axis=(0, 2))
        seen.append(moved @ ((np.arange(96) + 0.5) * 5) / moved.sum())
    assert len(seen) > 8
    np.testing.assert_allclose(heard, seen, atol=20)
