"""Mel bands hold all of the power, and give smooth spectra back."""

import numpy as np
import pytest

from frame2sound.sound.mel_scale import bands_to_bins, hz_to_mel, mel_filterbank

SHAPES = [(8, 64, 8000), (96, 1024, 22050), (40, 512, 48000), (512, 64, 8000)]


@pytest.mark.parametrize(("hz", "expected"), [(0, 0), (1000, 1000), (700, 781.17), (8000, 2840.02)])
def test_mel_has_its_tabulated_values(hz, expected):
    assert hz_to_mel(hz) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(("bands", "n_fft", "rate"), SHAPES)
def test_weights_equal_a_slow_reference(bands, n_fft, rate):
    weights = mel_filterbank(bands, n_fft, rate)
    assert weights.shape == (n_fft // 2 + 1, bands)
    top = 2595 * np.log10(1 + rate / 2 / 700)
    for at in range(0, n_fft // 2 + 1, 7):
        pitch = 2595 * np.log10(1 + at * rate / n_fft / 700)
        for band in range(bands):
            middle, width = top * band / (bands - 1), top / (bands - 1)
            expected = max(0, 1 - abs(pitch - middle) / width)
            assert weights[at, band] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("bands", "n_fft", "rate"), SHAPES)
def test_no_power_is_lost_either_way(bands, n_fft, rate):
    weights = mel_filterbank(bands, n_fft, rate)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-12)
    power = np.random.default_rng(0).exponential(size=(5, n_fft // 2 + 1))
    summed = power @ weights
    np.testing.assert_allclose(summed.sum(axis=1), power.sum(axis=1))
    np.testing.assert_allclose(bands_to_bins(summed, weights).sum(axis=1), power.sum(axis=1))


@pytest.mark.parametrize(("bands", "n_fft", "rate"), SHAPES)
def test_an_even_spectrum_comes_back(bands, n_fft, rate):
    weights = mel_filterbank(bands, n_fft, rate)
    power = np.full((1, n_fft // 2 + 1), 0.3)
    np.testing.assert_allclose(bands_to_bins(power @ weights, weights), power, rtol=1e-9)


def test_a_slope_comes_back_and_a_line_does_not():
    weights = mel_filterbank(96, 1024, 22050)
    slope = np.exp(-np.arange(513) / 200)[None]
    again = bands_to_bins(slope @ weights, weights)
    np.testing.assert_allclose(again[:, 10:-10], slope[:, 10:-10], rtol=0.01)
    line = np.zeros((1, 513))
    line[0, 400] = 1
    assert bands_to_bins(line @ weights, weights).max() < 0.2


def test_bands_that_hold_no_bin_say_nothing():
    weights = mel_filterbank(512, 64, 8000)
    empty = weights.sum(axis=0) == 0
    assert empty.any()
    assert not bands_to_bins(empty[None].astype(float), weights).any()
