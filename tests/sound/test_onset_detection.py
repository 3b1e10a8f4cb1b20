"""Levels of events have closed forms for constant sounds."""

import numpy as np
import pytest

from frame2sound.sound.onset_detection import onset_levels_db

RATE = 22050


def test_the_level_is_that_of_the_loudest_window_after_the_onset():
    samples = np.zeros(RATE)
    samples[RATE // 2 : RATE // 2 + RATE // 10] = 0.1
    samples[RATE // 2 + 700 : RATE // 2 + 700 + 441] = 0.5
    levels = onset_levels_db(samples, RATE, np.array([0.1, 0.5]))
    np.testing.assert_allclose(levels, [-120, 20 * np.log10(0.5)], atol=1e-6)


def test_the_next_event_does_not_count():
    samples = np.full(RATE, 0.01)
    samples[round(0.55 * RATE) :] = 0.5
    levels = onset_levels_db(samples, RATE, np.array([0.5, 0.55]))
    assert levels[0] == pytest.approx(-40, abs=0.01)
    assert levels[1] == pytest.approx(20 * np.log10(0.5), abs=0.01)


def test_an_onset_at_the_end_has_what_is_left():
    assert onset_levels_db(np.full(RATE, 0.5), RATE, np.array([1.0])).tolist() == [-120]
    half = onset_levels_db(np.full(RATE, 0.5), RATE, np.array([0.99]))
    assert half[0] == pytest.approx(20 * np.log10(0.5) - 10 * np.log10(2), abs=0.1)
