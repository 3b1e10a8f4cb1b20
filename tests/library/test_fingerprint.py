"""Fingerprints recognise a picture despite noise and another rate, and distinguish others."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from frame2sound.film.drawing.demo_films import demo_film_names, load_scene
from frame2sound.library.fingerprint import (
    MAX_DUPLICATE_DISTANCE,
    compute_fingerprint,
    fingerprint_distance,
)
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library
from tests.media_files import H264, VP8, Audio, make_film

RATE = 8000


def drifting_noise(seed, frames=96):
    """Return drifting blurred noise, which resembles a film."""
    rng = np.random.default_rng(seed)
    coarse = np.kron(rng.integers(0, 256, (8, 16)), np.ones((8, 8)))
    return np.stack([np.roll(coarse, shift, axis=1)[:, :64] for shift in range(frames)])


@pytest.fixture
def mark(library, add_film):
    def mark(name, frames):
        frames = np.clip(np.round(frames), 0, 255).astype(np.uint8)
        return compute_fingerprint(add_film(library, name, len(frames) / 30, frames=frames))

    return mark


def test_different_pictures_have_different_fingerprints(mark):
    marks = [mark(str(seed), drifting_noise(seed)) for seed in range(6)]
    for number, one in enumerate(marks):
        for other in marks[number + 1 :]:
            assert fingerprint_distance(one, other) > 1.5 * MAX_DUPLICATE_DISTANCE
        assert fingerprint_distance(one, one) == 0


def test_noise_and_contrast_do_not_change_the_fingerprint(mark):
    rng = np.random.default_rng(9)
    noisy = 10 + 0.9 * drifting_noise(0) + rng.normal(0, 4, (96, 64, 64))
    assert (
        fingerprint_distance(mark("a", drifting_noise(0)), mark("b", noisy))
        < MAX_DUPLICATE_DISTANCE / 2
    )


def test_events_in_the_same_scene_distinguish_films(mark):
    def keyboard(seed):
        frames = np.tile(np.kron(np.eye(8) * 100, np.ones((8, 8))), (96, 1, 1))
        for number, key in enumerate(np.random.default_rng(seed).integers(0, 8, 96)):
            frames[number, 8 * key : 8 * key + 8, :32] += 100
        return frames

    assert (
        fingerprint_distance(mark("a", keyboard(0)), mark("b", keyboard(1)))
        > MAX_DUPLICATE_DISTANCE
    )


def test_uniform_films_are_never_duplicates(mark):
    assert (
        fingerprint_distance(mark("a", np.zeros((96, 64, 64))), mark("b", np.zeros((96, 64, 64))))
        == 1
    )


def test_a_encoding_colour_is_that_of_its_grey(tmp_path, add_film, mark):
    library = Library.create(tmp_path / "colour", 8000, colour=True)
    frames = np.repeat(drifting_noise(0).astype(np.uint8)[..., None], 3, axis=-1)
    film = add_film(library, "film", len(frames) / 30, frames=frames)
    assert compute_fingerprint(film) == mark("grey", drifting_noise(0))


@pytest.mark.parametrize("frames", [1, 2, 15])
def test_few_frames_are_enough(mark, frames):
    assert (
        fingerprint_distance(
            mark("a", drifting_noise(0, frames)), mark("b", drifting_noise(0, frames))
        )
        == 0
    )


@pytest.mark.parametrize("name", demo_film_names())
def test_demo_films_with_other_seeds_are_not_duplicates(mark, name):
    marks = []
    for seed in range(4):
        scene = load_scene(name, seconds=12, fps=4, seed=seed, size=(64, 64))
        frames = np.stack([scene.draw(number) for number in range(scene.frame_count)])
        marks.append(mark(f"{name}-{seed}", frames.mean(axis=-1)))
    for one, other in combinations(marks, 2):
        assert fingerprint_distance(one, other) > 2 * MAX_DUPLICATE_DISTANCE


@pytest.mark.parametrize("name", ["typing", "scratch"])
def test_a_film_encoded_smaller_and_faster_is_a_duplicate(tmp_path, library, name):
    scene = load_scene(name, seconds=4, fps=24, size=(320, 240))
    pictures = [scene.draw(number) for number in range(scene.frame_count)]
    audio = Audio(np.zeros(RATE * 4, np.int16), RATE)
    marks = []
    for step, fps, encoding in ((1, 24, H264), (2, 25, VP8)):
        path = tmp_path / f"{fps}.mkv"
        small = [picture[::step, ::step] for picture in pictures]
        make_film(path, small, fps=Fraction(fps), encoding=encoding, audio=audio)
        marks.append(compute_fingerprint(pickle_film(path, library)[0]))
    assert 0 < fingerprint_distance(*marks) < MAX_DUPLICATE_DISTANCE


def test_before_a_late_first_frame_the_fingerprint_has_the_first(library, add_film):
    frames = np.clip(np.round(drifting_noise(0)), 0, 255).astype(np.uint8)
    frames[:12] = frames[0]
    film = add_film(library, "film", 96 / 30, frames=frames)
    expected = compute_fingerprint(film)
    times = np.array(film.times)
    times[:12] = np.linspace(0.3, 0.39, 12)
    np.save(film.path / "times.npy", times)
    assert compute_fingerprint(library.films()[0]) == expected
