"""Block sums: pooled, they give the measures of the whole soundtrack."""

from __future__ import annotations

import numpy as np
import pytest

from frame2sound.comparison.block_stats import STATISTICS, GroundTruth, sum_blocks
from frame2sound.evaluation.envelopes import envelope_scores
from frame2sound.evaluation.onsets import count_onsets, in_sync
from frame2sound.evaluation.pitch import pitch_accuracy
from frame2sound.evaluation.spectral_distance import log_spectral_distance
from frame2sound.sound.onset_detection import detect_onsets

RATE = 8000
TRUE_ONSETS = np.array([0.5, 1.3, 2.9, 4.2, 5.0, 7.7])
ONSETS = np.array([0.51, 1.3, 3.2, 4.24, 5.0, 6.1])


def clicks(at, seconds=9.0, pitch=400.0):
    """Decaying tones at some times."""
    sound = np.zeros(round(seconds * RATE))
    t = np.arange(RATE) / RATE
    for begin in at:
        here = sound[round(begin * RATE) :][: len(t)]
        here += (np.exp(-12 * t) * np.sin(2 * np.pi * pitch * t) * 0.5)[: len(here)]
    return sound


def truth_of(original, lead=0, onsets=TRUE_ONSETS, *pitched):
    return GroundTruth(RATE, lead, len(original) - lead, original, np.asarray(onsets), *pitched)


def value(name, sums):
    return float(STATISTICS[name](sums.sum(0)))


def test_pooled_blocks_give_the_measures_of_the_whole():
    original, sound = clicks(TRUE_ONSETS), clicks(ONSETS, pitch=420.0)
    pitch = tuple([400.0] * 60 + [None] * 30)
    times = np.arange(91) / 10
    truth = truth_of(original, 0, TRUE_ONSETS, pitch, times)
    found = sum_blocks(sound, truth)
    assert truth.block_count == 4
    assert {sums.shape[0] for sums in found.values()} == {4}
    detected = detect_onsets(sound, RATE)
    expected = {
        "onset_f": count_onsets(detected, TRUE_ONSETS).f_measure,
        "in_sync": in_sync(sound, TRUE_ONSETS, RATE),
        "envelope_correlation": envelope_scores(sound, original, RATE).correlation,
        "spectral_distance_db": log_spectral_distance(sound, original, RATE),
        "pitch": pitch_accuracy(sound, RATE, pitch, times),
    }
    for name, expected_value in expected.items():
        assert value(name, found[name]) == pytest.approx(expected_value), name
    assert 0 < expected["onset_f"] < 1


def test_sound_from_before_the_segment_is_no_onset():
    original = clicks([0.2, 1.9, 4.0, 6.5], seconds=9.0)
    lead = 2 * RATE
    found = sum_blocks(original, truth_of(original, lead, [2.0, 4.5]))
    assert value("onset_f", found["onset_f"]) == 1.0
    assert value("in_sync", found["in_sync"]) > 0.95


def test_an_onset_at_the_first_sample_matches_an_early_one():
    original = clicks([2.0, 4.0], seconds=6.0)
    truth = truth_of(original, 2 * RATE, [0.0, 2.0])
    early = clicks([1.98, 4.0], seconds=6.0)
    for sound in (original, early):
        assert value("onset_f", sum_blocks(sound, truth)["onset_f"]) == 1.0


def test_silence_has_no_sync_and_no_correlation():
    original = clicks(TRUE_ONSETS)
    found = sum_blocks(np.zeros_like(original), truth_of(original))
    assert value("in_sync", found["in_sync"]) == 0.0  # its film is not left out
    assert value("envelope_correlation", found["envelope_correlation"]) == 0.0
    assert value("onset_f", found["onset_f"]) == 0.0
    assert "pitch" not in found


def test_of_a_silent_segment_nothing_can_be_said():
    quiet = np.zeros(4 * RATE)
    found = sum_blocks(quiet, truth_of(quiet, 0, []))
    assert "in_sync" not in found
    for name in ("envelope_correlation", "onset_f", "spectral_distance_db"):
        assert np.isnan(value(name, found[name])), name


@pytest.mark.parametrize("change_db", [0.5, 6.0])
def test_only_a_film_whose_level_changes_has_an_envelope(change_db):
    times = np.arange(8 * RATE) / RATE
    tone = np.sin(2 * np.pi * 440 * times)
    steps = np.where(times % 1 < 0.5, 1.0, 10 ** (change_db / 20))
    sums = sum_blocks(steps * tone, truth_of(steps * tone, 0, []))["envelope_correlation"]
    known = np.isfinite(STATISTICS["envelope_correlation"](sums.sum(0)))
    assert known == (change_db > 1)


def test_steady_sound_at_the_start_of_a_film_is_no_onset():
    random = np.random.default_rng(0)
    ours, theirs = 0.1 * random.standard_normal((2, 4 * RATE))
    assert detect_onsets(ours, RATE)[0] == detect_onsets(theirs, RATE)[0] == 0.0
    sums = sum_blocks(ours[:RATE], truth_of(theirs[:RATE], 0, [0.0]))
    assert np.isnan(value("onset_f", sums["onset_f"]))


def test_onsets_count_from_the_end_of_the_lead_in():
    original = clicks([1.0, 3.0], seconds=6.0)
    for lead, counted in ((RATE, 2), (0, 2), (RATE - RATE // 100, 2)):
        truth = truth_of(original, lead, np.array([1.0, 3.0]) - lead / RATE)
        assert sum_blocks(original, truth)["onset_f"][:, 2].sum() == counted
    cut = original[RATE - RATE // 100 :]  # the first onset is 10 ms after a start without lead-in
    sums = sum_blocks(cut, truth_of(cut, 0, [0.01, 2.01]))["onset_f"]
    assert sums.sum(0).tolist() == [1.0, 1.0, 1.0]


def test_in_sync_is_left_out_where_the_original_swells():
    ramp = np.arange(8 * RATE) / RATE % 1
    swell = ramp * np.sin(2 * np.pi * 440 * np.arange(8 * RATE) / RATE)
    sums = sum_blocks(swell, truth_of(swell, 0, np.arange(8.0)))
    assert "onset_f" in sums
    assert "in_sync" not in sums


def test_distances_of_blocks_are_of_active_frames_at_the_gain_of_the_whole():
    random = np.random.default_rng(0)
    own = 0.1 * random.standard_normal(8 * RATE)
    own[4 * RATE :] = 0.0
    ours = own.copy()
    ours[: 2 * RATE] /= 10  # a fourth of all, but half of what sounds
    ours[RATE // 4 : 2 * RATE] *= 5
    sums = sum_blocks(ours, truth_of(own))["spectral_distance_db"]
    assert sums[2:, 1].tolist()[1:] == [0.0]
    assert value("spectral_distance_db", sums) == pytest.approx(
        log_spectral_distance(ours, own, RATE)
    )
    quiet = sum_blocks(ours / 2, truth_of(own))["spectral_distance_db"]
    assert quiet == pytest.approx(sums, abs=1e-6)


def test_without_an_original_only_onsets_and_pitch_are_measured():
    original = clicks(TRUE_ONSETS)
    silent = GroundTruth(
        RATE, 0, len(original), None, TRUE_ONSETS, (400.0,) * 90, np.arange(91) / 10
    )
    assert set(sum_blocks(original, silent)) == {"onset_f", "pitch"}
    assert sum_blocks(original, GroundTruth(RATE, 0, len(original))) == {}


def envelope_sums(estimate, reference):
    estimate, reference = np.asarray(estimate, float), np.asarray(reference, float)
    moments = np.ones_like(estimate), estimate, reference, estimate**2, reference**2
    return np.array([*(m.sum() for m in moments), (estimate * reference).sum()])


def test_the_level_of_each_film_is_no_envelope():
    """Noise at each film's level: 0 in each film, though one correlation over all is high."""
    ripple = np.array([1.0, 1.0, -1.0, -1.0] * 50)
    noise = np.array([1.0, -1.0, 1.0, -1.0] * 50)
    levels = 0.1 * np.arange(1, 6)
    films = np.stack([envelope_sums(level * (2 + noise), level * (2 + ripple)) for level in levels])
    statistic = STATISTICS["envelope_correlation"]
    # one correlation of all: variance of levels .02 x 4, of ripples the mean square of levels .11
    assert statistic(films.sum(0)) == pytest.approx(0.08 / (0.08 + 0.11))
    assert statistic.mean_of_films(statistic(films)) == pytest.approx(0.0, abs=1e-9)


def test_correlations_of_films_are_averaged_as_fishers_z():
    statistic = STATISTICS["envelope_correlation"]
    found = statistic.mean_of_films(np.tanh([[0.5, 1.5], [0.2, 0.4]]))
    assert found == pytest.approx(np.tanh([1.0, 0.3]))
    assert statistic.mean_of_films(np.array([1.0, 1.0])) == pytest.approx(0.999)
    assert statistic.mean_of_films(np.array([1.0, np.nan])) == 1.0
    assert np.isnan(statistic.mean_of_films(np.array([np.nan, np.nan])))
    assert STATISTICS["spectral_distance_db"].mean_of_films(np.array([8.0, 4.0])) == 6.0
