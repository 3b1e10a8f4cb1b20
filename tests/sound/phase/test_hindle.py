"""The ancestor's experiments: what they repeat, and what chance does to it."""

import numpy as np
import pytest

from frame2sound.sound.phase.hindle import HINDLE_STFT, HINDLE_STRATEGIES, FixedAdvance, RandomWalk
from tests.sound.phase.sounding import level_db, magnitude, sounded, white

PULSES = ("hindle-1", "hindle-8", "hindle-9")
"""All bins in step: a pulse at the block's edge, where the window is nearly closed."""

HALF = np.pi / 2


def test_there_are_eleven():
    assert list(HINDLE_STRATEGIES) == [f"hindle-{number}" for number in range(1, 12)]


def test_windows_per_frame_at_30_fps_is_a_hop():
    assert HINDLE_STFT.hop * 30 == 30720


@pytest.mark.parametrize("name", HINDLE_STRATEGIES)
def test_all_but_pulses_keep_the_level_of_noise_and_all_are_repeatable(name):
    given = white()
    wanted = magnitude(given, HINDLE_STFT)
    once, again, other = (
        sounded(HINDLE_STRATEGIES[name](HINDLE_STFT, seed), wanted, stft=HINDLE_STFT)
        for seed in (1, 1, 2)
    )
    if name in PULSES:
        assert level_db(once) < level_db(given) - 1
    else:  # two-fold windows and phases in step with each other scatter the level by some 0.5 dB
        assert level_db(once) == pytest.approx(level_db(given), abs=1)
    np.testing.assert_array_equal(once, again)
    assert np.array_equal(once, other) == (name in ("hindle-8", "hindle-9"))


@pytest.mark.parametrize("name", HINDLE_STRATEGIES)
def test_pieces_of_any_size_give_the_same(name):
    wanted = magnitude(white(), HINDLE_STFT)[:20]
    whole, pieces = (
        sounded(HINDLE_STRATEGIES[name](HINDLE_STFT, 1), wanted, size=size, stft=HINDLE_STFT)
        for size in (20, 3)
    )
    np.testing.assert_allclose(pieces, whole, atol=1e-5)  # sums in another order


def test_phases_are_those_of_the_first_sample():
    flat = np.ones((1, HINDLE_STFT.bins), np.float32)
    block = HINDLE_STFT.inverse_blocks(FixedAdvance(HINDLE_STFT).reconstruct(flat, None))[0]
    assert np.argmax(np.abs(block)) == 0


def test_a_fixed_advance_adds_up():
    flat = np.ones((4, HINDLE_STFT.bins), np.float32)
    spectra = FixedAdvance(HINDLE_STFT, 0.3, 0.5).reconstruct(flat, None)
    turns = np.angle(spectra[1:] / spectra[:-1])
    np.testing.assert_allclose(turns, 0.5, atol=1e-5)
    np.testing.assert_allclose(np.angle(spectra[0, ::2]), 0.3, atol=1e-5)


def test_a_walk_without_steps_repeats_the_block():
    flat = np.ones((3, HINDLE_STFT.bins), np.float32)
    spectra = RandomWalk(HINDLE_STFT, 0.0, HALF).reconstruct(flat, None)
    np.testing.assert_array_equal(spectra[0], spectra[2])


def test_a_walk_strays_as_the_root_of_time():
    flat = np.ones((17, HINDLE_STFT.bins), np.float32)
    spectra = RandomWalk(HINDLE_STFT, 0.1, seed=4).reconstruct(flat, None)
    strayed = np.angle(spectra[16] / spectra[0])
    assert strayed.std() == pytest.approx(0.4, rel=0.1)
