import doctest
import json
import math
from fractions import Fraction
from functools import cache
from importlib import import_module
from itertools import pairwise

import cv2
import numpy as np
import pytest

from frame2sound import bundled as shelves
from frame2sound.clock import Clock
from frame2sound.errors import FilmError
from frame2sound.film.drawing.demo_films import demo_film_names, load_scene
from frame2sound.film.drawing.scene import SILENCE_DB, SceneTruth, clock_and_frame_count

LIGHTS = ["bounce", "lines", "scratch", "theremin", "typing"]  # light is sound
FILMS = [*LIGHTS, "balls", "breeze", "machine", "steps"]
each_film = pytest.mark.parametrize("name", FILMS)


@cache
def film(name, seed=0, seconds=12):
    return load_scene(name, seconds=seconds, seed=seed, size=(96, 72))


@cache
def whole_sound(name, seed=0):
    scene = film(name, seed)
    return scene.synthesise(0, scene.sample_count)


def grey(picture):
    """The picture as a brain sees it: 64 x 64, grey, averaged."""
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return cv2.resize(luma, (64, 64), interpolation=cv2.INTER_AREA)


def strongest_hz(sound, sample_rate):
    """The highest peak of a Hann-windowed, zero-padded magnitude spectrum."""
    magnitude = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 16))
    return np.argmax(magnitude) * sample_rate / (1 << 16)


@pytest.mark.parametrize("module", ["scene", "canvas", "synthesis"])
def test_the_examples_in_the_docstrings_hold(module):
    result = doctest.testmod(import_module(f"frame2sound.film.drawing.{module}"))
    assert result.attempted > 0
    assert result.failed == 0


def test_all_demo_films_are_bundled():
    assert set(FILMS) <= set(demo_film_names())


def test_an_unknown_demo_film_lists_the_known_ones():
    with pytest.raises(
        FilmError, match=r"got the demo film 'cats', expected one of .*, bounce, .*lines"
    ):
        load_scene("cats")


def test_a_missing_bundled_folder_is_named():
    with pytest.raises(FileNotFoundError, match="got no folder 'cellar'"):
        shelves.bundled_folder("cellar")


@each_film
def test_a_seed_determines_the_film(name):
    one, again, other = film(name), load_scene(name, seconds=12, size=(96, 72)), film(name, seed=1)
    assert one.truth == again.truth
    assert one.truth.onsets != other.truth.onsets
    np.testing.assert_array_equal(whole_sound(name), again.synthesise(0, again.sample_count))
    for frame in range(0, one.frame_count, 20):
        np.testing.assert_array_equal(one.draw(frame), again.draw(frame))
    assert any((one.draw(n) != other.draw(n)).any() for n in range(0, one.frame_count, 20))


@each_film
def test_synthesis_in_pieces_equals_the_whole(name):
    scene, whole = film(name), whole_sound(name)
    cuts = [0, 1, 7, 1600, 1601, 50_001, 123_456, 123_457, 400_000, scene.sample_count]
    pieces = [scene.synthesise(a, b) for a, b in pairwise(cuts)]
    assert [len(piece) for piece in pieces] == np.diff(cuts).tolist()
    np.testing.assert_allclose(np.concatenate(pieces), whole, rtol=0, atol=1e-6)
    np.testing.assert_allclose(np.concatenate(list(scene.slices())), whole, rtol=0, atol=1e-6)


@each_film
def test_frames_do_not_depend_on_their_order(name):
    scene = film(name)
    forwards = [scene.draw(frame) for frame in range(30, 40)]
    backwards = [scene.draw(frame) for frame in reversed(range(30, 40))]
    np.testing.assert_array_equal(forwards, backwards[::-1])


@each_film
def test_audio_has_headroom_and_no_offset(name):
    sound = whole_sound(name)
    assert sound.dtype == np.float32
    assert 0.1 < np.abs(sound).max() < 0.7
    assert abs(sound.mean()) < 1e-3


@pytest.mark.parametrize("name", LIGHTS)
def test_black_frames_are_silent_and_sounding_frames_are_not_black(name):
    scene = film(name)
    pictures = np.stack([grey(scene.draw(frame)) for frame in range(scene.frame_count)])
    idle = pictures[0]  # nothing has happened yet: black, or the keyboard in the dark
    assert idle.max() <= 12
    resting = (pictures == idle).all(axis=(1, 2))
    loudness = np.array(scene.truth.loudness_db)
    assert 0.02 < resting.mean() < 0.8
    assert (loudness[resting] == SILENCE_DB).all()
    assert (pictures[loudness > -50].max(axis=(1, 2)) > 12).all()


@each_film
def test_loudness_is_that_of_the_frames_samples(name):
    scene, sound = film(name), whole_sound(name).astype(np.float64)
    bounds = scene.clock.sample_bounds(scene.frame_count)
    for frame in range(0, scene.frame_count, 7):
        power = np.mean(sound[bounds[frame] : bounds[frame + 1]] ** 2)
        expected = max(SILENCE_DB, 10 * np.log10(max(power, 1e-30)))
        assert scene.truth.loudness_db[frame] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", [name for name in FILMS if name != "breeze"])  # swells
def test_the_picture_changes_at_every_onset(name):
    scene = film(name)
    assert len(scene.onsets) >= 4
    for frame, time in zip(scene.onsets, scene.truth.onsets, strict=True):
        assert frame == math.floor(time * scene.clock.fps + 1e-9)
        shown = math.ceil(time * scene.clock.fps - 1e-9)  # the first picture after it
        assert (scene.draw(shown) != scene.draw(shown - 1)).any()


@pytest.mark.parametrize("name", ["typing", "bounce"])
@pytest.mark.parametrize("fps", [Fraction(30), Fraction(24000, 1001)])
def test_energy_rises_within_a_millisecond_of_every_onset(name, fps):
    scene = load_scene(name, seconds=12, fps=fps, seed=3, size=(64, 64))
    energy = np.diff(scene.synthesise(0, scene.sample_count).astype(np.float64), prepend=0) ** 2
    for frame in scene.onsets:
        start, millisecond = scene.clock.start_sample(frame), scene.clock.sample_rate // 1000
        before = energy[start - 2 * millisecond : start].mean()
        after = energy[start : start + millisecond].mean()
        assert after > 4 * before + 1e-7


@pytest.mark.parametrize("name", [name for name in FILMS if name != "machine"])  # hums
def test_no_sound_begins_without_an_onset(name):
    scene = film(name)
    silent = np.array(scene.truth.loudness_db) == SILENCE_DB
    begun = np.flatnonzero(silent[:-1] & ~silent[1:]) + 1
    assert len(begun) > 0
    assert set(begun.tolist()) <= set(scene.onsets)


@pytest.mark.parametrize("name", ["theremin", "lines", "bounce", "typing"])
def test_pitch_is_that_of_the_audio(name):
    scene, sound = film(name), whole_sound(name)
    bounds, errors = scene.clock.sample_bounds(scene.frame_count), []
    for frame in range(0, scene.frame_count, 2):
        pitch, loudness = scene.truth.pitch_hz[frame], scene.truth.loudness_db[frame]
        if pitch is not None and loudness > -45:
            samples = sound[bounds[frame] : bounds[frame + 1]]
            measured_hz = strongest_hz(samples, scene.clock.sample_rate)
            errors.append(abs(1200 * np.log2(measured_hz / pitch)))
    assert len(errors) > 30
    assert np.percentile(errors, 95) < 50


@each_film
def test_silent_frames_have_no_pitch(name):
    truth = film(name, seed=2).truth
    pairs = zip(truth.pitch_hz, truth.loudness_db, strict=True)
    assert all(pitch is None for pitch, loudness in pairs if loudness == SILENCE_DB)


@each_film
@pytest.mark.parametrize(
    ("seconds", "fps", "size", "sample_rate"),
    [
        (3.3, Fraction(24000, 1001), (64, 64), 22050),
        (2, Fraction(60000, 1001), (101, 77), 44100),
        (4, Fraction(25, 2), (640, 200), 16000),
        (0.1, Fraction(30), (64, 64), 48000),
    ],
)
def test_any_length_rate_and_size(name, seconds, fps, size, sample_rate):
    scene = load_scene(name, seconds=seconds, fps=fps, seed=5, size=size, sample_rate=sample_rate)
    clock = Clock(fps, sample_rate)
    assert scene.frame_count == clock.count_frames_within(Fraction(str(seconds)))
    assert scene.sample_count == clock.start_sample(scene.frame_count)
    assert sum(map(len, scene.slices())) == scene.sample_count
    for frame in {0, scene.frame_count // 2, scene.frame_count - 1}:
        picture = scene.draw(frame)
        assert (picture.shape, picture.dtype) == ((size[1], size[0], 3), np.uint8)


@each_film
def test_a_film_looks_the_same_in_every_size(name):
    small, large = (load_scene(name, seconds=6, size=size) for size in ((64, 64), (480, 360)))
    for frame in range(20, 180, 16):
        difference = grey(small.draw(frame)).astype(int) - grey(large.draw(frame))
        assert np.abs(difference).mean() < 2
    assert small.truth == large.truth


@each_film
def test_the_truth_survives_json(name):
    truth = film(name).truth
    assert SceneTruth.from_json(truth.to_json()) == truth
    page = json.loads(truth.to_json())
    assert page["fps"] == "30"
    assert page["seconds"] == 12
    assert set(page["frames"][0]) == {"time", "pitch_hz", "loudness_db"}


def test_json_that_is_not_a_truth_is_refused():
    with pytest.raises(ValueError, match="expected the truth of a demo film"):
        SceneTruth.from_json('{"film": "lines"}')


def test_a_film_without_duration_is_refused():
    with pytest.raises(ValueError, match="got 0 seconds, expected a finite number above 0"):
        clock_and_frame_count(0, Fraction(30), 48000)


# What makes the typing film learnable from single frames.


def test_keys_are_struck_one_at_a_time_at_a_typical_pace():
    for seed in range(3):
        scene = film("typing", seed, 60)
        assert 3 <= len(scene.onsets) / 60 <= 6
        assert np.diff(scene.onsets).min() >= 1
        assert np.diff(scene.onsets).max() > 15  # there are pauses


def test_the_grey_of_a_key_shows_its_age():
    scene = film("typing", 0, 60)
    alone = [a for a, b in pairwise(scene.onsets) if b - a >= 10]
    assert len(alone) >= 10
    for onset in alone:
        fading = np.stack([grey(scene.draw(onset + age)).astype(int) for age in range(10)])
        drops = -np.diff(fading, axis=0)  # from each frame to the next, and into the dark
        assert drops.max(axis=(1, 2)).min() >= 20
        assert drops.sum(axis=(1, 2)).min() >= 400
        assert (np.diff(fading.reshape(10, -1).sum(axis=1)) < 0).all()


def test_equal_pictures_of_two_seeds_sound_the_same():
    sounds = {}
    for seed in (0, 1):
        scene = film("typing", seed, 30)
        for frame, piece in enumerate(scene.slices()):
            picture = scene.draw(frame).tobytes()
            np.testing.assert_allclose(piece, sounds.setdefault(picture, piece), atol=1e-6)
    frame_counts = [film("typing", seed, 30).frame_count for seed in (0, 1)]
    assert len(sounds) < sum(frame_counts)  # some pictures are repeated


def test_a_minute_of_typing_strikes_every_key():
    board = load_scene("typing", seconds=60, size=(480, 360))
    places = {int(grey(board.draw(frame)).argmax()) for frame in board.onsets}
    assert len(places) == 31
