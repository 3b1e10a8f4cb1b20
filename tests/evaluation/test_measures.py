"""Every measure, on signals whose answer is known, and on some that must score badly."""

import math

import numpy as np
import pytest

from frame2sound.evaluation import levels, measures

RATE = 22050
TRUTH = np.array([0.2, 0.5, 1.0133, 1.7, 2.345, 2.9])
TONE = np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE)


def clicks(times, seconds=3.0, sample_rate=RATE, amplitude=0.5):
    sound = np.zeros(round(seconds * sample_rate), dtype=np.float32)
    sound[np.round(np.asarray(times) * sample_rate).astype(int)] = amplitude
    return sound


def noise(seconds=3.0, amplitude=0.1, seed=1):
    return amplitude * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def pings(times, seconds=3.0):
    """Decaying tones, each of its own pitch, with an attack of 2 ms."""
    sound, t = np.zeros(round(seconds * RATE)), np.arange(round(seconds * RATE)) / RATE
    for time, pitch in zip(times, np.geomspace(80, 3000, len(times)), strict=True):
        age = np.maximum(t - time, 0)
        sound += (
            0.3 * np.sin(2 * np.pi * pitch * age) * np.minimum(age / 0.002, 1) * np.exp(-8 * age)
        )
    return sound


# onsets


@pytest.mark.parametrize("sample_rate", [16000, 22050, 44100, 48000])
@pytest.mark.parametrize("amplitude", [1.0, 0.02])
def test_clicks_are_found_where_they_are(sample_rate, amplitude):
    found = measures.detect_onsets(clicks(TRUTH, 3, sample_rate, amplitude), sample_rate)
    assert found == pytest.approx(TRUTH, abs=0.008)  # two hops of 4 ms


def test_pings_are_found_where_they_begin():
    assert measures.detect_onsets(pings(TRUTH), RATE) == pytest.approx(TRUTH, abs=0.015)


def test_a_sound_that_starts_at_once_starts_at_zero():
    assert measures.detect_onsets(TONE, RATE) == pytest.approx([0.0], abs=1e-9)


@pytest.mark.parametrize("sound", [np.zeros(RATE), np.zeros(0), np.ones(5), noise(1.0, 0.0002)])
def test_what_is_not_heard_has_no_onsets(sound):
    assert len(measures.detect_onsets(sound, RATE)) == 0


def test_clicks_below_60_dbfs_are_not_heard_and_above_are():
    assert len(measures.detect_onsets(clicks(TRUTH, amplitude=0.0009), RATE)) == 0
    assert len(measures.detect_onsets(pings(TRUTH) / 30, RATE)) == len(TRUTH)


def test_steady_noise_has_no_onsets_but_its_start():
    assert len(measures.detect_onsets(noise(), RATE)) <= 2  # the start, and one by chance


def test_long_sounds_are_measured_in_blocks_without_a_seam():
    truth = np.arange(0.5, 30, 0.777)
    assert measures.detect_onsets(clicks(truth, 30), RATE) == pytest.approx(truth, abs=0.008)


# onset scores


def test_the_truth_scores_one_and_silence_nothing():
    assert measures.onset_scores(TRUTH + 0.049, TRUTH) == measures.OnsetScores(1.0, 1.0, 1.0)
    assert measures.onset_scores(TRUTH + 0.051, TRUTH) == measures.OnsetScores(0.0, 0.0, 0.0)
    assert measures.onset_scores([], TRUTH) == measures.OnsetScores(0.0, 0.0, 0.0)
    assert measures.onset_scores(TRUTH, []) == measures.OnsetScores(0.0, 0.0, 0.0)
    assert measures.onset_scores([], []) == measures.OnsetScores(1.0, 1.0, 1.0)


def test_firing_all_the_time_buys_recall_with_precision():
    score = measures.onset_scores(np.arange(0, 3, 0.03), TRUTH)
    assert score.recall == 1.0
    assert score.precision == pytest.approx(6 / 100)
    assert score.f_measure == pytest.approx(2 * 0.06 / 1.06)


def test_chance_of_one_guess_is_the_share_of_time_that_counts():
    # One guess, one truth: it hits when it falls in 0.1 s of 2 s, and then F is 1.
    chance = measures.onset_chance(1, [1.0], 2.0, draws=2000)
    assert chance == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / 2000))  # 3 sigma
    assert measures.onset_chance(1, [1.0], 2.0, draws=2000) == chance
    assert measures.onset_chance(0, [1.0], 2.0) == 0.0


def test_chance_is_high_where_onsets_are_dense():
    truth = np.arange(0.125, 100, 0.25)  # 4 a second, so 0.4 guesses fall in each 100 ms
    chance = measures.onset_chance(len(truth), truth, 100.0, draws=20)
    assert chance == pytest.approx(1 - math.exp(-0.4), abs=0.02)  # 3 sigma of 20 draws


# lag


@pytest.mark.parametrize("seconds", [0.1, -0.1, 0.0, 0.0133])
def test_lag_is_the_shift(seconds):
    found = measures.lag(pings(TRUTH + seconds), pings(TRUTH), RATE)
    assert found.start_seconds == pytest.approx(seconds, abs=0.002)  # half a hop
    assert found.end_seconds == pytest.approx(seconds, abs=0.002)


def test_drift_is_seen_between_start_and_end():
    truth = np.arange(0.4, 60, 0.87)
    found = measures.lag(clicks(truth * 1.001, 61), clicks(truth, 61), RATE)
    assert found.start_seconds == pytest.approx(
        0.005, abs=0.003
    )  # the middle of its span is 5 s in
    assert found.end_seconds == pytest.approx(0.055, abs=0.003)
    assert found.drift_seconds == pytest.approx(0.05, abs=0.004)


@pytest.mark.parametrize("sound", [np.zeros(RATE), np.zeros(0), np.full(RATE, 1e-4)])
def test_silence_has_no_lag(sound):
    assert measures.lag(sound, clicks(TRUTH), RATE) == measures.Lag(None, None)
    assert measures.lag(clicks(TRUTH), sound, RATE).drift_seconds is None


# in sync


@pytest.mark.parametrize(
    ("late", "share"), [(0.0, 1), (0.115, 1), (0.14, 0), (-0.035, 1), (-0.06, 0)]
)
def test_in_sync_forgives_late_sound_more_than_early(late, share):
    found = measures.in_sync(clicks(TRUTH + late, 3.2), TRUTH, RATE)
    assert found == pytest.approx(share, abs=1e-6)


def test_in_sync_is_the_share_of_energy_that_meets_an_event():
    first, second = 88 * 125 / RATE, 88 * 375 / RATE  # alike to the hop of 88 samples
    sound = clicks([first], amplitude=0.3) + clicks([second], amplitude=0.4)
    expected = 0.3**2 / (0.3**2 + 0.4**2)
    assert measures.in_sync(sound, [first], RATE) == pytest.approx(expected, abs=1e-6)


def test_steady_noise_is_in_sync_by_chance_only():
    share = measures.in_sync(noise(20.0), np.arange(0.5, 20, 0.5), RATE)
    assert share == pytest.approx(0.17 / 0.5, abs=0.05)  # 170 ms of every 500 ms


def test_in_sync_of_nothing():
    assert measures.in_sync(np.zeros(RATE), TRUTH, RATE) is None
    assert measures.in_sync(clicks(TRUTH), [], RATE) == 0.0


# envelopes


def test_an_envelope_agrees_with_itself_and_with_its_half():
    sound = pings(TRUTH)
    assert measures.envelope_scores(sound, sound, RATE) == measures.EnvelopeScores(
        pytest.approx(1.0), 0.0
    )
    half = measures.envelope_scores(sound / 2, sound, RATE)
    assert half.correlation == pytest.approx(1.0)
    full = measures.envelope_scores(0 * sound, sound, RATE)
    assert half.mean_absolute_error == pytest.approx(full.mean_absolute_error / 2)


def test_envelopes_that_swap_loud_and_silent_correlate_minus_one():
    loud = np.repeat([1.0, 0.0, 1.0, 0.0], 441)
    scores = measures.envelope_scores(loud, 1 - loud, 44100)  # 441 samples: 10 ms
    assert scores == measures.EnvelopeScores(pytest.approx(-1.0), 1.0)


def test_constant_envelopes_have_a_score():
    flat, silent, moving = np.full(RATE, 0.25), np.zeros(RATE), pings([0.5], 1.0)
    assert measures.envelope_scores(flat, silent, RATE) == measures.EnvelopeScores(
        1.0, pytest.approx(0.25)
    )
    assert measures.envelope_scores(silent, moving, RATE).correlation == 0.0
    assert measures.envelope_scores(moving, flat, RATE).correlation == 0.0
    assert measures.envelope_scores(silent[:0], silent[:0], RATE).mean_absolute_error == 0.0


def test_a_sound_that_ends_early_is_silent_from_there():
    scores = measures.envelope_scores(np.ones(RATE // 2), np.ones(RATE), RATE)
    assert scores.correlation == 0.0
    assert scores.mean_absolute_error == pytest.approx(0.5)


# levels


def test_rms_and_silence():
    assert measures.rms_db(TONE) == pytest.approx(-3.0103, abs=1e-4)
    assert measures.rms_db(np.full(100, -0.1, dtype=np.float32)) == pytest.approx(-20, abs=1e-5)
    for silence in (np.zeros(100), np.zeros(0)):
        assert measures.rms_db(silence) == -math.inf
        assert measures.true_peak_db(silence) == -math.inf


def test_true_peak_lies_between_the_samples():
    fade = np.minimum(1, np.minimum(np.arange(20000), np.arange(20000)[::-1]) / 5000)
    sound = 0.5 * fade * np.sin(np.pi / 2 * np.arange(20000) + np.pi / 4)
    sample_peak = 20 * math.log10(np.abs(sound).max())
    assert sample_peak == pytest.approx(-9.031, abs=0.001)
    # Annex 2 allows an interpolator 0.2 dB of ripple; this one keeps within 0.02
    assert measures.true_peak_db(sound) - sample_peak == pytest.approx(3.01, abs=0.02)


def test_true_peak_is_never_below_the_sample_peak():
    assert measures.true_peak_db(np.ones(1)) >= 0.0
    assert measures.true_peak_db(clicks([1.0], amplitude=0.5)) == pytest.approx(-6.0206, abs=0.01)


def test_true_peak_is_the_same_in_blocks(monkeypatch):
    whole = measures.true_peak_db(noise())
    monkeypatch.setattr(levels, "_BLOCK", 1000)
    assert measures.true_peak_db(noise()) == pytest.approx(whole, abs=1e-9)


def test_clipped_samples_are_those_at_full_scale():
    assert measures.count_clipped(np.array([0.99, 1.0, -1.0, 32767 / 32768, 1.5, -0.9])) == 4
    assert measures.count_clipped(np.zeros(0)) == 0


# black


def screen(*levels):
    return np.broadcast_to(np.array(levels, np.uint8)[:, None, None], (len(levels), 64, 64))


def test_black_counts_only_frames_that_have_been_black_for_200_ms():
    frames, times = screen(255, 0, 0, 0, 0, 255, 0, 0), np.arange(9) / 10
    sound = np.repeat([1, 1, 1, 0.1, 0.1, 1, 1, 1], RATE // 10)
    assert measures.black_level_db(sound, RATE, times, frames) == pytest.approx(-20, abs=1e-9)


def test_black_of_a_varying_rate_and_a_nearly_black_screen():
    frames, times = screen(8, 8, 9, 8, 8), np.array([0.0, 0.5, 0.6, 1.0, 1.3, 1.4])
    sound = np.zeros(round(1.4 * RATE))
    assert measures.black_level_db(sound, RATE, times, frames) == -math.inf
    sound[round(0.55 * RATE)] = sound[round(1.35 * RATE)] = 0.1
    expected = 10 * math.log10(2 * 0.01 / (0.2 * RATE))  # two clicks in twice 100 ms
    assert measures.black_level_db(sound, RATE, times, frames) == pytest.approx(expected, abs=1e-6)


def test_no_level_without_black():
    assert measures.black_level_db(TONE, RATE, np.arange(9) / 30, screen(*[0] * 8)) is not None
    assert measures.black_level_db(TONE, RATE, np.arange(5) / 30, screen(*[0] * 4)) is None
    assert measures.black_level_db(TONE, RATE, np.arange(9) / 2, screen(*[200] * 8)) is None
    assert measures.black_level_db(TONE, RATE, np.zeros(1), screen()) is None
