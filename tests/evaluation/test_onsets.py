"""Onsets: detection, scores, chance level and sync, on signals whose onsets are known."""

import numpy as np
import pytest

from frame2sound.evaluation.onsets import (
    OnsetChance,
    OnsetScores,
    carries_sync,
    count_onsets,
    in_sync,
    mean_chance,
    onset_chance,
    onset_scores,
    pool_chance,
)
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
    assert onset_scores([], []) is None


def test_too_many_onsets_have_high_recall_and_low_precision():
    score = onset_scores(np.arange(0, 3, 0.03), TRUTH)
    assert score.recall == 1.0
    assert score.precision == pytest.approx(6 / 100)
    assert score.f_measure == pytest.approx(2 * 0.06 / 1.06)


def test_steady_sound_scores_nothing_by_its_start():
    ours, theirs = (detect_onsets(noise(1.0, seed=seed), RATE) for seed in (1, 2))
    assert ours[0] == theirs[0] == 0.0
    assert onset_scores(ours[:1], theirs[:1]) == OnsetScores(1.0, 1.0, 1.0)
    assert count_onsets(ours[:1], theirs[:1]).f_measure is None


@pytest.mark.parametrize(
    ("estimated", "reference", "counts"),
    [
        ([0.02, 1.0], [0.06, 1.0], (2, 2, 2)),  # early, for one that counts
        ([0.06, 1.0], [0.02, 1.0], (1, 1, 1)),  # late, for one that does not
        ([0.02, 0.09], [0.3], (0, 1, 1)),
        ([], [0.01], (0, 0, 0)),
    ],
)
def test_onsets_count_from_50_ms_on_without_an_edge(estimated, reference, counts):
    found = count_onsets(np.array(estimated), np.array(reference))
    assert (found.is_hit.sum(), len(found.estimated), len(found.reference)) == counts


def test_chance_of_one_onset_is_the_share_of_shifts_that_bring_it_there():
    # Shifts of 0.1 s to 1.9 s; 0.1 s of them bring 0.5 s within 50 ms of 1 s, and then F is 1.
    chance = onset_chance(np.array([0.5]), np.array([1.0]), 2.0)
    assert chance.mean == pytest.approx(0.1 / 1.8, abs=1 / 200)
    assert chance.high == 1.0  # reached by more than 5 % of the shifts
    assert onset_chance(np.array([1.0]), np.array([1.0]), 2.0) == OnsetChance(0.0, 0.0)
    assert onset_chance(np.array([]), np.array([1.0]), 2.0) == OnsetChance(0.0, 0.0)


@pytest.mark.parametrize(("count", "seconds"), [(0, 2.0), (1, 0.2)])
def test_without_onsets_or_room_nothing_can_be_said_of_chance(count, seconds):
    onsets = np.full(count, 0.1)
    assert onset_chance(onsets, onsets, seconds) is None


def test_chance_keeps_the_rhythm():
    beats = np.arange(0.125, 100, 0.25)  # 0.1 s of every 0.25 s of shifts bring beats upon beats
    chance = onset_chance(beats, beats, 100.0)
    assert chance.mean == pytest.approx(0.4, abs=0.1)  # 3 sigma of 200 shifts
    assert chance.high == 1.0


def test_chance_of_several_sounds_is_pooled_by_counts():
    always, never = np.full(200, 3), np.zeros(200, int)
    pooled = pool_chance([(always, 10), (never, 30), (np.zeros(0, int), 50)])
    assert pooled == OnsetChance(pytest.approx(6 / 40), pytest.approx(6 / 40))
    half = np.repeat([0, 2], 100)
    # Shifted alike, two sounds of one rhythm would reach 0 or 1; apart, half of the time 0.5.
    alike = pool_chance([(half, 4), (half, 4)])
    assert alike.mean == 0.5
    assert pool_chance([(half, 4)] * 50).high < 0.65
    assert pool_chance([]) is None
    # A mean over films weighs the film of ten onsets as much as that of thirty.
    apart = mean_chance([[(always, 10)], [(never, 30)], []])
    assert apart == OnsetChance(pytest.approx(0.3), pytest.approx(0.3))


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


def test_in_sync_says_something_of_struck_sounds_only():
    beats = np.arange(0.3, 8.0, 0.9)
    swell = np.sin(2 * np.pi * 440 * np.arange(8 * RATE) / RATE) * (np.arange(8 * RATE) / RATE % 1)
    assert carries_sync(clicks(beats, 8.0), beats, RATE)
    assert not carries_sync(swell, np.arange(0.0, 8.0), RATE)
    assert not carries_sync(noise(8.0), beats, RATE)
    assert not carries_sync(np.zeros(8 * RATE), beats, RATE)
    dense = np.arange(0.2, 8.0, 0.18)  # 0.17 of every 0.18 s are near an onset, by chance
    assert not carries_sync(clicks(dense, 8.0), dense, RATE)


@pytest.mark.parametrize(("share", "carries"), [(0.2, False), (0.4, True)])
def test_own_sound_must_beat_its_shifts_by_a_fifth(share, carries):
    onsets = np.array([2.0, 4.0, 6.0, 8.0])  # 0.17 s of every 2 s are near one: 0.085 by chance
    sound = np.sqrt(share) * clicks(onsets, 10.0) + np.sqrt(1 - share) * clicks(onsets - 0.7, 10.0)
    assert in_sync(sound, onsets, RATE) == pytest.approx(share, abs=0.03)
    assert carries_sync(sound, onsets, RATE) == carries


def test_the_start_of_a_sound_is_no_energy():
    steady = np.full(RATE, 0.1)
    assert in_sync(steady + clicks([0.5], 1.0), [0.0], RATE) < 0.01
