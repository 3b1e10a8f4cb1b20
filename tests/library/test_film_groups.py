"""Copies and excerpts of films are in one group, and other films are not."""

import io

import av
import numpy as np
import pytest

from frame2sound.errors import LibraryError
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.library.film_groups import group_films
from frame2sound.library.sound_fingerprint import (
    MIN_AGREEMENT,
    SoundFingerprint,
    compute_sound_fingerprint,
    sound_agreement,
)

RATE = 8000


def events(seed, seconds=12):
    """Return decaying tones at random times, with a little noise."""
    rng = np.random.default_rng(seed)
    sound = rng.normal(0, 1e-3, seconds * RATE)
    for start in rng.integers(0, len(sound) - RATE, 3 * seconds):
        times = np.arange(RATE) / RATE
        hz, decay = rng.uniform(200, 2500), rng.uniform(0.05, 0.3)
        sound[start : start + RATE] += 0.2 * np.exp(-times / decay) * np.sin(2 * np.pi * hz * times)
    return sound.astype(np.float32)


def encode(sound, bit_rate=48_000):
    """Return a sound after AAC."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="adts") as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(sound[None], "fltp", "mono")
        frame.sample_rate = RATE
        container.mux([*stream.encode(frame), *stream.encode(None)])
    buffer.seek(0)
    with av.open(buffer) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def names(groups):
    return [[film.name for film in group] for group in groups]


@pytest.fixture
def add(library, add_film):
    def add(name, sound, seed=0, **changes):
        return add_film(library, name, len(sound) / RATE, sound=sound, seed=seed, **changes)

    return add


def test_a_film_under_two_names_encoded_again_and_cut_is_one_group(add):
    sound = events(0)
    films = [
        add("original", sound),
        add("other", events(1)),
        add("quieter-aac", 0.4 * encode(sound), seed=1),
        add("excerpt", encode(sound[round(3.217 * RATE) : round(9.8 * RATE)]), seed=2),
        add("third", events(2)),
    ]
    assert names(group_films(films)) == [
        ["original", "quieter-aac", "excerpt"],
        ["other"],
        ["third"],
    ]


def test_the_same_picture_with_another_sound_is_a_copy(add):
    frames = np.random.default_rng(3).integers(0, 256, (360, 64, 64), np.uint8)
    films = [add("one", events(3), frames=frames), add("two", events(4), frames=frames)]
    assert names(group_films(films)) == [["one", "two"]]


def test_a_copy_of_a_copy_is_in_the_same_group(add):
    """Two halves share nothing, but both are excerpts of the whole that comes last."""
    sound = events(5, 16)
    films = [add("b", sound[: 8 * RATE]), add("c", sound[8 * RATE :]), add("a", sound)]
    assert names(group_films(films)) == [["b", "c", "a"]]


@pytest.mark.parametrize("sound", [np.zeros(8 * RATE), np.full(8 * RATE, 0.1), np.zeros(RATE)])
def test_silent_constant_and_very_short_sounds_are_not_copies(add, sound):
    assert len(group_films([add("one", sound), add("two", sound)])) == 2


def test_the_same_file_is_a_copy_even_if_it_is_silent(add, library, add_film):
    """The digest of a film of these tests is made of its name and seed."""
    film = add("one", np.zeros(RATE))
    assert len(group_films([film, film])) == 1


@pytest.mark.parametrize("sample", [1e30, np.nan])
def test_impossible_sound_is_refused(add, sample):
    films = [add("good", events(0)), add("bad", np.append(events(1), np.float32(sample)))]
    with pytest.raises(LibraryError, match=r"bad/sound\.npy holds numbers that are not finite"):
        group_films(films)


def fingerprint(marks, levels=None):
    levels = np.arange(len(marks)) if levels is None else levels
    return SoundFingerprint(marks.astype(np.float32), np.asarray(levels, np.float32))


def test_agreement_is_one_with_itself_and_less_with_another_mark_or_level():
    rng = np.random.default_rng(6)
    marks, levels = rng.choice([-1.0, 1.0], (100, 12)), rng.normal(-20, 5, 100)
    sound = fingerprint(marks, levels)
    assert sound_agreement(sound, sound) == pytest.approx(1)
    assert sound_agreement(sound, fingerprint(marks, -levels)) == pytest.approx(-1)
    steady = np.ones((100, 12))
    assert sound_agreement(fingerprint(steady), fingerprint(-steady)) == pytest.approx(-1)


def test_agreement_is_that_of_all_shifts_counted_slowly():
    rng = np.random.default_rng(7)
    long, short = (rng.choice([-1.0, 0.0, 1.0], (size, 12)) for size in (130, 90))
    expected = []
    for shift in range(-89, 130):
        start, end = max(shift, 0), min(shift + 90, 130)
        if end - start >= 60:
            ours, theirs = long[start:end], short[start - shift : end - shift]
            either = np.count_nonzero((ours != 0) | (theirs != 0))
            expected.append((ours * theirs).sum() / either)
    found = sound_agreement(fingerprint(long), fingerprint(short))
    assert found == pytest.approx(max(expected), abs=1e-5)
    assert sound_agreement(fingerprint(short), fingerprint(long)) == pytest.approx(found, abs=1e-5)


@pytest.mark.parametrize("name", ["typing", "breeze"])
def test_demo_films_with_other_seeds_are_not_copies(name):
    """Breeze is the hardest: one recording of noise moves in all its films."""
    one, other = (
        np.concatenate(list(load_scene(name, seconds=12, seed=seed, sample_rate=RATE).slices()))
        for seed in (0, 1)
    )
    fingerprints = [compute_sound_fingerprint(sound, RATE) for sound in (one, other, encode(one))]
    assert sound_agreement(fingerprints[0], fingerprints[1]) < MIN_AGREEMENT - 0.05
    assert sound_agreement(fingerprints[0], fingerprints[2]) > MIN_AGREEMENT + 0.1
