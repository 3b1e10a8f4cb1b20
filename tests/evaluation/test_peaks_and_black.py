"""RMS, true peak, clipping, and the level in black frames, by closed forms."""

import math

import numpy as np
import pytest

from frame2sound.evaluation import levels
from frame2sound.evaluation.levels import black_level_db, count_clipped, rms_db, true_peak_db
from tests.evaluation.signals import RATE, TONE, clicks, noise


def test_rms_and_silence():
    assert rms_db(TONE) == pytest.approx(-3.0103, abs=1e-4)
    assert rms_db(np.full(100, -0.1, dtype=np.float32)) == pytest.approx(-20, abs=1e-5)
    for silence in (np.zeros(100), np.zeros(0)):
        assert rms_db(silence) == -math.inf
        assert true_peak_db(silence) == -math.inf


def test_true_peak_lies_between_the_samples():
    fade = np.minimum(1, np.minimum(np.arange(20000), np.arange(20000)[::-1]) / 5000)
    sound = 0.5 * fade * np.sin(np.pi / 2 * np.arange(20000) + np.pi / 4)
    sample_peak = 20 * math.log10(np.abs(sound).max())
    assert sample_peak == pytest.approx(-9.031, abs=0.001)
    # Annex 2 allows an interpolator 0.2 dB of ripple; this one keeps within 0.02
    assert true_peak_db(sound) - sample_peak == pytest.approx(3.01, abs=0.02)


def test_true_peak_is_never_below_the_sample_peak():
    assert 0 <= true_peak_db(np.ones(1)) < 0.01
    assert true_peak_db(clicks([1.0], amplitude=0.5)) == pytest.approx(-6.0206, abs=0.01)


def test_true_peak_is_the_same_in_blocks(monkeypatch):
    whole = true_peak_db(noise())
    monkeypatch.setattr(levels, "_BLOCK", 1000)
    assert true_peak_db(noise()) == pytest.approx(whole, abs=1e-9)


def test_clipped_samples_are_those_at_full_scale():
    assert count_clipped(np.array([0.99, 1.0, -1.0, 32767 / 32768, 1.5, -0.9])) == 4
    assert count_clipped(np.zeros(0)) == 0


def screen(*levels):
    return np.broadcast_to(np.array(levels, np.uint8)[:, None, None], (len(levels), 64, 64))


def test_black_counts_only_frames_that_have_been_black_for_200_ms():
    frames, times = screen(255, 0, 0, 0, 0, 255, 0, 0), np.arange(9) / 10
    sound = np.repeat([1, 1, 1, 0.1, 0.1, 1, 1, 1], RATE // 10)
    assert black_level_db(sound, RATE, times, frames) == pytest.approx(-20, abs=1e-9)


def test_black_of_a_varying_rate_and_a_nearly_black_screen():
    frames, times = screen(8, 8, 9, 8, 8), np.array([0.0, 0.5, 0.6, 1.0, 1.3, 1.4])
    sound = np.zeros(round(1.4 * RATE))
    assert black_level_db(sound, RATE, times, frames) == -math.inf
    sound[round(0.55 * RATE)] = sound[round(1.35 * RATE)] = 0.1
    expected = 10 * math.log10(2 * 0.01 / (0.2 * RATE))  # two clicks in twice 100 ms
    assert black_level_db(sound, RATE, times, frames) == pytest.approx(expected, abs=1e-6)


def test_no_level_without_black():
    black = black_level_db(TONE, RATE, np.arange(9) / 30, screen(*[0] * 8))
    assert black == pytest.approx(rms_db(TONE), abs=0.05)
    assert black_level_db(TONE, RATE, np.arange(5) / 30, screen(*[0] * 4)) is None
    assert black_level_db(TONE, RATE, np.arange(9) / 2, screen(*[200] * 8)) is None
    assert black_level_db(TONE, RATE, np.zeros(1), screen()) is None
