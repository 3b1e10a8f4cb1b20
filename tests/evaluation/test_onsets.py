"""Onsets: detection, scores, chance level and sync, on signals whose onsets are known."""

import math

import numpy as np
import pytest

from frame2sound.evaluation.onsets import OnsetScores, in_sync, onset_chance, onset_scores
from frame2sound.sound.onset_detection import detect_onsets
from tests.evaluation.signals import RATE, TONE, TRUTH, clicks, noise, pings


@pytest.mark.parametrize("sample_rate", [16000, 22050, 44100, 48000])
@pytest.mark.parametrize("amplitude", [1.0, 0.02])
def test_clicks_are_detected(sample_rate, amplitude):
    found = detect_onsets(clicks(TRUTH, 3, sample_rate, amplitude), sample_rate)
    assert found == pytest.approx(TRUTH, abs=0.008)  # two hops of 4 ms


def test_onsets_of_decaying_tones_are_detected():
    assert detect_onsets(pings(TRUTH), RATE) == pytest.approx(TRUTH, abs=0.015)


def test_a_sound_that_starts_at_once_has_an_onset_at_zero():
    assert detect_onsets(TONE, RATE) == pytest.approx([0.0], abs=1e-9)


@pytest.mark.parametrize("sound", [np.zeros(RATE), np.zeros(0), np.ones(5), noise(1.0, 0.0002)])
def test_silent_and_very_short_sounds_have_no_onsets(sound):
    assert len(detect_onsets(sound, RATE)) == 0


def test_onsets_below_60_dbfs_do_not_count():
    assert len(detect_onsets(clicks(TRUTH, amplitude=0.0009), RATE)) == 0
    assert len(detect_onsets(pings(TRUTH) / 30, RATE)) == len(TRUTH)


def test_steady_noise_has_no_onsets_but_its_start():
    assert len(detect_onsets(noise(), RATE)) <= 2  # the start, and one by chance


def test_onsets_of_long_sounds_are_detected_across_blocks():
    truth = np.arange(0.5, 30, 0.777)
    assert detect_onsets(clicks(truth, 30), RATE) == pytest.approx(truth, abs=0.008)


def test_true_onsets_score_one_and_none_score_zero():
    assert onset_scores(TRUTH + 0.049, TRUTH) == OnsetScores(1.0, 1.0, 1.0)
    assert onset_scores(TRUTH + 0.051, TRUTH) == OnsetScores(0.0, 0.0, 0.0)
    assert onset_scores([], TRUTH) == OnsetScores(0.0, 0.0, 0.0)
    assert onset_scores(TRUTH, []) == OnsetScores(0.0, 0.0, 0.0)
    assert onset_scores([], []) == OnsetScores(1.0, 1.0, 1.0)


def test_too_many_onsets_have_high_recall_and_low_precision():
    score = onset_scores(np.arange(0, 3, 0.03), TRUTH)
    assert score.recall == 1.0
    assert score.precision == pytest.approx(6 / 100)
    assert score.f_measure == pytest.approx(2 * 0.06 / 1.06)


def test_chance_of_one_guess_is_the_share_of_time_that_counts():
    # One guess, one truth: it hits when it falls in 0.1 s of 2 s, and then F is 1.
    chance = onset_chance(1, [1.0], 2.0, draws=2000)
    assert chance == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / 2000))  # 3 sigma
    assert onset_chance(1, [1.0], 2.0, draws=2000) == chance
    assert onset_chance(0, [1.0], 2.0) == 0.0


def test_chance_is_high_where_onsets_are_dense():
    truth = np.arange(0.125, 100, 0.25)  # 4 a second, so 0.4 guesses fall in each 100 ms
    chance = onset_chance(len(truth), truth, 100.0, draws=20)
    assert chance == pytest.approx(1 - math.exp(-0.4), abs=0.02)  # 3 sigma of 20 draws


@pytest.mark.parametrize(
    ("late", "share"), [(0.0, 1), (0.115, 1), (0.14, 0), (-0.035, 1), (-0.06, 0)]
)
def test_in_sync_forgives_late_sound_more_than_early(late, share):
    found = in_sync(clicks(TRUTH + late, 3.2), TRUTH, RATE)
    assert found == pytest.approx(share, abs=1e-6)


def test_in_sync_is_the_share_of_energy_near_an_onset():
    first, second = 88 * 125 / RATE, 88 * 375 / RATE  # alike to the hop of 88 samples
    sound = clicks([first], amplitude=0.3) + clicks([second], amplitude=0.4)
    expected = 0.3**2 / (0.3**2 + 0.4**2)
    assert in_sync(sound, [first], RATE) == pytest.approx(expected, abs=1e-6)


def test_steady_noise_is_in_sync_by_chance_only():
    share = in_sync(noise(20.0), np.arange(0.5, 20, 0.5), RATE)
    assert share == pytest.approx(0.17 / 0.5, abs=0.05)  # 170 ms of every 500 ms


def test_in_sync_without_onset_energy_or_reference_onsets():
    assert in_sync(np.zeros(RATE), TRUTH, RATE) is None
    assert in_sync(clicks(TRUTH), [], RATE) == 0.0
