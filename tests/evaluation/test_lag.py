"""Lag of shifted, stretched and silent sounds."""

import numpy as np
import pytest

from frame2sound.evaluation.lag import Lag, lag
from tests.evaluation.signals import RATE, TRUTH, clicks, pings


@pytest.mark.parametrize("seconds", [0.1, -0.1, 0.0, 0.0133])
def test_lag_is_the_shift(seconds):
    found = lag(pings(TRUTH + seconds), pings(TRUTH), RATE)
    assert found.start_seconds == pytest.approx(seconds, abs=0.002)  # half a hop
    assert found.end_seconds == pytest.approx(seconds, abs=0.002)


def test_drift_is_the_difference_of_lag_between_end_and_start():
    truth = np.arange(0.4, 60, 0.87)
    found = lag(clicks(truth * 1.001, 61), clicks(truth, 61), RATE)
    assert found.start_seconds == pytest.approx(
        0.005, abs=0.003
    )  # the middle of its span is 5 s in
    assert found.end_seconds == pytest.approx(0.055, abs=0.003)
    assert found.drift_seconds == pytest.approx(0.05, abs=0.004)


@pytest.mark.parametrize("sound", [np.zeros(RATE), np.zeros(0), np.full(RATE, 1e-4)])
def test_silence_has_no_lag(sound):
    assert lag(sound, clicks(TRUTH), RATE) == Lag(None, None)
    assert lag(clicks(TRUTH), sound, RATE).drift_seconds is None


@pytest.mark.parametrize("delay", [0.0, 0.1, -0.2])
@pytest.mark.parametrize("period", [0.5, 1.0])
def test_beats_have_the_shorter_of_two_lags(period, delay):
    beats = np.arange(0.4, 9.9, period)
    found = lag(clicks(beats + delay, 11), clicks(beats, 11), RATE)
    assert found.start_seconds == pytest.approx(delay, abs=0.002)


def noise(rng):
    return rng.normal(0, 0.1, 10 * RATE)


def few_clicks(rng):
    return clicks(rng.uniform(0.1, 9.9, 4), 10)


@pytest.mark.parametrize("sound", [noise, few_clicks])
def test_unrelated_sounds_rarely_have_a_lag(sound):
    rng = np.random.default_rng(4)
    shown = [lag(sound(rng), sound(rng), RATE).start_seconds is not None for _ in range(40)]
    assert np.mean(shown) < 0.2
    assert lag(sound(np.random.default_rng(1)), sound(np.random.default_rng(1)), RATE) == Lag(0, 0)
