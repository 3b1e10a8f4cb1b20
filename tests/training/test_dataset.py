"""Each frame is paired with the block of sound that begins with it."""

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.brain.config import LogMag
from frame2sound.brain.spectra import LogMagnitudes
from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import Clock, frame_indices_at_ticks
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.store import Library
from frame2sound.training.dataset import PairDataset

CLOCK = Clock(Fraction(30), 8000)


def slow(films, clock, target):
    """Return all pairs, one frame at a time."""
    found = []
    for film in films:
        number = 0
        while number / clock.fps < film.times[-1] - 1e-9:
            past = [
                at for at, time in enumerate(film.times[:-1]) if time <= float(number / clock.fps)
            ]
            begin = round(number * clock.sample_rate / clock.fps) - target.lead_samples
            end = begin + target.length
            if film.card.audio_range[0] <= begin and end <= film.card.audio_range[1]:
                found.append((film.frames[past[-1]], film.sound[begin:end]))
            number += 1
    return [np.stack(side) for side in zip(*found, strict=True)]


@pytest.fixture
def films(library, add_film):
    return [
        add_film(library, "a", fps=30),
        add_film(library, "b", fps=24, seconds=1.5, audio_range=(1234, 11_000)),
        add_film(library, "c", fps=12, seconds=2, audio_range=(0, 15_000)),
    ]


@pytest.mark.parametrize("fps", [Fraction(30), Fraction(24), Fraction(30000, 1001), Fraction(7)])
@pytest.mark.parametrize("lead", [0, 50])
def test_pairs_equal_a_slow_reference(films, fps, lead):
    clock = Clock(fps, 8000)
    target = PcmBlocks(lead, lead + clock.max_samples_per_frame)
    pairs = PairDataset.from_films(films, clock, target)
    frames, blocks = slow(films, clock, target)
    assert len(pairs) == len(frames)
    taken = pairs.load(np.arange(len(pairs)))
    np.testing.assert_array_equal(taken[0], frames[:, None])
    np.testing.assert_array_equal(taken[1], blocks)
    which = np.random.default_rng(0).permutation(len(pairs))[:20]
    some = pairs.load(which)
    np.testing.assert_array_equal(some[0], frames[which, None])
    np.testing.assert_array_equal(some[1], blocks[which])


def test_a_slower_film_repeats_frames(films):
    pairs = PairDataset.from_films(films[2:], CLOCK, PcmBlocks(0, 267))
    rows = frame_indices_at_ticks(films[2].times, CLOCK)[: len(pairs)]
    np.testing.assert_array_equal(pairs.frame_indices, rows)
    assert pairs.frame_indices[:6].tolist() == [0, 0, 0, 1, 1, 2]


@pytest.mark.parametrize(
    ("audio_range", "lead", "numbers"),
    [
        ((0, 8000), 0, range(30)),
        ((0, 8000), 1, range(1, 30)),  # the lead of the first frame lies before the film
        ((800, 8000), 0, range(3, 30)),
        ((801, 8000), 0, range(4, 30)),
        ((800, 8000), 1, range(4, 30)),
        ((0, 4000), 0, range(15)),  # the block of frame 14 begins with sample 3733 and has 267
        ((0, 3999), 0, range(14)),
        ((0, 8000), 267, range(1, 30)),  # frame 1 starts with sample 267
        ((0, 0), 0, range(0)),
        ((100, 200), 0, range(0)),
    ],
)
def test_frames_without_all_of_their_sound_are_left_out(
    library, add_film, audio_range, lead, numbers
):
    film = add_film(library, "film", audio_range=audio_range)
    pairs = PairDataset.from_films([film], CLOCK, PcmBlocks(lead, lead + 267))
    assert pairs.frame_indices.tolist() == list(numbers)


def test_a_film_shorter_than_a_block_gives_no_pairs(library, add_film):
    films = [add_film(library, "dot", seconds=0.02, fps=50), add_film(library, "film")]
    pairs = PairDataset.from_films(films, CLOCK, PcmBlocks(0, 267))
    assert set(pairs.film_indices) == {1}
    assert len(PairDataset.from_films(films[:1], CLOCK, PcmBlocks(0, 267))) == 0


@pytest.mark.parametrize("length", [64, 256, 2000, 40_000])
@pytest.mark.parametrize("fps", [Fraction(24), Fraction(30000, 1001)])
def test_excerpts_are_padded_with_silence(films, length, fps):
    clock = Clock(fps, 8000)
    target = LogMagnitudes(LogMag(window_length=length, windows_per_frame=3), clock)
    pairs = PairDataset.from_films(films, clock, target)
    _, excerpts = pairs.load(np.arange(len(pairs)))
    assert excerpts.shape == (len(pairs), target.excerpt_length)
    assert pairs.start_samples[0] == 0
    for number, start, excerpt in zip(
        pairs.film_indices, pairs.start_samples, excerpts, strict=True
    ):
        sound = films[number].sound
        begin = start - target.lead_samples
        padded = np.concatenate([np.zeros(50_000), sound, np.zeros(50_000)])
        np.testing.assert_array_equal(excerpt, padded[begin + 50_000 :][: target.excerpt_length])


def test_spectra_require_only_the_sound_during_the_frame(library, add_film):
    target = LogMagnitudes(LogMag(), CLOCK)
    film = add_film(library, "film", audio_range=(800, 4000))
    assert PairDataset.from_films([film], CLOCK, target).frame_indices.tolist() == list(
        range(3, 15)
    )


@pytest.mark.parametrize("max_count", [1, 2, 7, 1000])
def test_spread_indices_are_even_and_unique(films, max_count):
    pairs = PairDataset.from_films(films, CLOCK, PcmBlocks(0, 267))
    which = pairs.spread_indices(max_count)
    assert len(which) == min(max_count, len(pairs)) == len(set(which))
    if max_count == 1000:
        np.testing.assert_array_equal(which, np.arange(len(pairs)))
    if max_count == 7:
        assert (which[0], which[-1]) == (0, len(pairs) - 1)
        assert np.ptp(np.diff(which)) <= 1
    assert len(pairs.select(np.zeros(len(pairs), bool)).spread_indices(max_count)) == 0


def test_sound_is_loaded_with_the_gain_of_its_film(library, add_film):
    tone = np.sin(2 * np.pi * 997 * np.arange(3 * 8000) / 8000)
    quiet, loud = (
        add_film(library, name, 3, sound=gain * tone, seed=1)
        for name, gain in (("quiet", 0.001), ("loud", 0.9))
    )
    target = PcmBlocks(50, 317)
    equal = PairDataset.from_films([quiet, loud], CLOCK, target, loudness="equal")
    plain = PairDataset.from_films([quiet, loud], CLOCK, target)
    assert plain.gains_db == [0, 0]
    assert equal.gains_db == [pytest.approx(40.0, abs=0.01), pytest.approx(-19.0, abs=0.5)]
    half = len(equal) // 2
    factors = [10 ** (gain_db / 20) for gain_db in equal.gains_db]
    _, learned = equal.load(np.arange(len(equal)))
    _, as_it_is = plain.load(np.arange(len(plain)))
    np.testing.assert_allclose(learned[:half], as_it_is[:half] * factors[0], rtol=1e-6)
    np.testing.assert_allclose(learned[half:], as_it_is[half:] * factors[1], rtol=1e-6)
    odd = equal.select(np.arange(len(equal)) % 2 == 1)
    np.testing.assert_array_equal(odd.load(np.arange(len(odd)))[1], learned[1::2])


def test_films_on_paper_are_loaded_as_light_figures_on_black(library, add_film):
    drawing = np.zeros((30, 64, 64), np.uint8)
    drawing[np.arange(30), 10:30, np.arange(30)] = 230
    films = [
        add_film(library, "black", frames=drawing),
        add_film(library, "paper", frames=255 - drawing),
        add_film(library, "real"),  # noise has no ground
        add_calibration_film(library),
    ]
    target = PcmBlocks(0, 267)
    as_they_are = PairDataset.from_films(films, CLOCK, target, 1)
    pairs = PairDataset.from_films(films, CLOCK, target, 1, match_ground=True)
    pairs = pairs.select(np.ones(len(pairs), bool))
    every = np.arange(len(pairs))
    expected, sound = as_they_are.load(every)
    expected[pairs.film_indices == 1] = 255 - expected[pairs.film_indices == 1]
    loaded = pairs.load(every)
    np.testing.assert_array_equal(loaded[0], expected)
    np.testing.assert_array_equal(loaded[1], sound)
    assert expected[pairs.film_indices == 3].max() == 255


def test_a_grey_film_on_paper_in_a_colour_library_is_matched(tmp_path, add_film):
    drawing = np.full((30, 64, 64, 3), 255, np.uint8)
    drawing[np.arange(30), 10:30, np.arange(30)] = 40
    film = add_film(Library.create(tmp_path / "colours", 8000, True), "paper", frames=drawing)
    pairs = PairDataset.from_films([film], CLOCK, PcmBlocks(0, 267), match_ground=True)
    np.testing.assert_array_equal(pairs.load(np.arange(30))[0][:, 0], 255 - drawing)
