"""Loudness, peaks and clipping in chunks, and the error of the level of frames."""

import math

import numpy as np
import pytest

from frame2sound.evaluation.levels import LevelMeter, Levels, level_error_db, masked_black_level_db

RATE = 48000
TONE = np.sin(2 * np.pi * 997 * np.arange(3 * RATE) / RATE).astype(np.float32)


def test_a_tone_has_the_loudness_of_the_standard():
    found = Levels.from_samples(TONE * 0.1, RATE)
    assert found.loudness_lufs == pytest.approx(
        -20 - 3.01, abs=0.1
    )  # BS.1770-4: full scale is -3.01
    assert found.true_peak_dbtp == pytest.approx(-20, abs=0.1)
    assert found.clipped == 0


def test_two_channels_are_3_db_louder_and_clip_independently():
    both = np.stack([TONE, 0.1 * TONE], axis=1)
    both[:5, 0], both[:3, 1] = 1.0, -1.0
    found = Levels.from_samples(both, RATE)
    assert found.clipped >= 8
    even = np.stack([0.1 * TONE, 0.1 * TONE], axis=1)
    assert Levels.from_samples(even, RATE).loudness_lufs == pytest.approx(-20, abs=0.1)


@pytest.mark.parametrize("size", [1, 997, RATE, 10 * RATE])
def test_levels_do_not_depend_on_the_chunk_size(size):
    sound = TONE[: RATE if size > 1 else 2000]
    meter = LevelMeter(RATE)
    for first in range(0, len(sound), size):
        meter.update(sound[first : first + size])
    found, whole = meter.result(), Levels.from_samples(sound, RATE)
    assert found.loudness_lufs == pytest.approx(whole.loudness_lufs)
    assert found.true_peak_dbtp == pytest.approx(whole.true_peak_dbtp)
    assert found.clipped == whole.clipped


@pytest.mark.parametrize("samples", [0, 100, RATE])
def test_silence(samples):
    assert Levels.from_samples(np.zeros(samples, np.float32), RATE) == Levels(
        -math.inf, -math.inf, 0
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match="not finite"):
        Levels.from_samples(np.array([0.0, bad, 0.0], np.float32), RATE)


def test_level_error_is_the_mean_absolute_difference_above_60_db():
    sound, bounds = np.repeat([0.1, 0.01, 0.0], 100), np.arange(4) * 100
    assert level_error_db(sound, [-20.0, -40.0, -120.0], bounds) == pytest.approx(0)
    assert level_error_db(sound, [-23.0, -40.0, -60.0], bounds) == pytest.approx(1)
    assert level_error_db(0 * sound, [-20.0, -40.0, -120.0], bounds) == pytest.approx(20)
    assert level_error_db(sound, [], bounds[:1]) is None


def test_the_level_in_black_needs_only_which_frames_are_black():
    dark, times = np.array([False, True, True, True]), np.arange(5) / 10
    sound = np.repeat([1, 1, 1, 0.1], RATE // 10)
    assert masked_black_level_db(sound, RATE, times, dark) == pytest.approx(-20)
    assert masked_black_level_db(sound, RATE, times, ~dark) is None
