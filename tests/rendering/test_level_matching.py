"""Predictions that are too quiet for their films are raised, and by no more than they need."""

import numpy as np
import pytest

from frame2sound.rendering.level_matching import MUTE_DB, SLEW_DB, TOLERANCE_DB, LevelMatcher

LOUD_DB = -20.0


def frames_at(levels_db, samples=64):
    """Return blocks of sound with these levels, of alternating sign."""
    signs = np.where(np.arange(samples) % 2, 1.0, -1.0)
    amplitudes = 10 ** (np.asarray(levels_db, np.float64) / 20)
    return (amplitudes[:, None] * signs).astype(np.float32)


def levels_of(blocks):
    return 20 * np.log10(np.maximum(np.sqrt(np.mean(np.square(blocks, dtype=float), axis=1)), 1e-9))


def observed(levels_db, moves=None, loud_level_db=LOUD_DB):
    matcher = LevelMatcher(loud_level_db)
    moves = np.ones(len(levels_db), np.bool_) if moves is None else moves
    matcher.observe(frames_at(levels_db), moves)
    return matcher


@pytest.mark.parametrize("below", [0.0, 5.0, 25.0, 60.0])
def test_the_loudest_tenth_is_compared(below):
    levels = np.linspace(-80, LOUD_DB - below, 901)
    exact = LOUD_DB - np.quantile(levels, 0.9)
    matcher = observed(levels)
    assert matcher.deficit_db == pytest.approx(exact, abs=0.6)  # bins of half a decibel
    assert matcher.is_mute == (exact > MUTE_DB)


def test_only_frames_that_move_are_compared():
    moves = np.arange(100) < 20
    matcher = observed(np.where(moves, -33.25, -90.0), moves)
    assert matcher.deficit_db == pytest.approx(13.25, abs=0.3)


def test_without_motion_nothing_is_raised():
    levels = np.full(50, -70.0)
    matcher = observed(levels, np.zeros(50, np.bool_))
    assert matcher.deficit_db == 0
    assert not matcher.is_mute
    np.testing.assert_array_equal(matcher.process(frames_at(levels)), frames_at(levels))


@pytest.mark.parametrize("below", [-30.0, 0.0, TOLERANCE_DB - 1])
def test_predictions_near_the_films_or_above_stay_to_the_bit(below):
    blocks = frames_at(np.full(40, LOUD_DB - below))
    assert observed(levels_of(blocks)).process(blocks) is blocks


@pytest.mark.parametrize("below", [TOLERANCE_DB + 1, 25.0, 55.0])
def test_the_gain_is_what_is_needed_and_no_more(below):
    levels = LOUD_DB - below - np.random.default_rng(0).exponential(6, 300)
    matcher, needed = observed(levels), LOUD_DB - np.quantile(levels, 0.9)
    gains = levels_of(matcher.process(frames_at(levels))) - levels
    np.testing.assert_allclose(gains, gains[0], atol=1e-3)
    assert gains[0] == pytest.approx(needed, abs=0.6)


def test_silence_stays_silence():
    levels = np.full(100, -60.0)
    matcher, blocks = observed(levels), frames_at(levels)
    blocks[30:60] = 0
    raised = matcher.process(blocks)
    assert not raised[30:60].any()
    np.testing.assert_allclose(levels_of(raised[:30]), LOUD_DB, atol=0.6)


def test_nothing_but_silence_is_silence():
    blocks = np.zeros((50, 64), np.float32)
    matcher = LevelMatcher(LOUD_DB)
    matcher.observe(blocks, np.ones(50, np.bool_))
    assert matcher.is_mute
    assert not matcher.process(blocks).any()


def test_the_gain_changes_slowly_between_frames_and_batches():
    quiet, loud = np.full(100, -60.0), np.full(900, LOUD_DB)
    matcher = observed(quiet)
    first = levels_of(matcher.process(frames_at(quiet)))
    np.testing.assert_allclose(first, LOUD_DB, atol=0.6)
    matcher.observe(frames_at(loud), np.ones(900, np.bool_))
    parts = [levels_of(matcher.process(frames_at(np.full(n, -60.0)))) for n in (1, 99, 200, 200)]
    gains = np.concatenate([first[-1:], *parts]) + 60
    assert np.diff(gains).min() == pytest.approx(-SLEW_DB, abs=1e-3)
    assert np.diff(gains).max() < 1e-3
    assert gains[-1] == pytest.approx(0, abs=1e-3)


def test_spectra_are_raised_as_a_whole():
    spectra = np.random.default_rng(0).uniform(0, 1e-3, (20, 4, 33)).astype(np.float32)
    matcher = LevelMatcher(LOUD_DB)
    matcher.observe(spectra, np.ones(20, np.bool_))
    gain = np.float32(10 ** (matcher.deficit_db / 20))
    np.testing.assert_allclose(matcher.process(spectra), spectra * gain, rtol=1e-6)


def test_given_levels_are_met_where_something_sounds():
    levels = np.array([-40.0, -30.0, -20.0, -90.0])
    blocks = frames_at([-33.0, -33.0, -70.0, -33.0])
    found = observed(np.full(10, -30.0)).process(blocks, levels)
    np.testing.assert_allclose(levels_of(found)[:3], levels[:3], atol=1e-4)
    assert not found[3].any()  # below -80 dBFS is silence


def test_frames_that_are_predicted_to_be_silent_stay_so_at_any_level():
    blocks = frames_at([-33.0, -33.0])
    blocks[1] = 0
    found = observed(np.full(10, -30.0)).process(blocks, np.array([-25.0, -25.0]))
    assert found[0].any()
    assert not found[1].any()
