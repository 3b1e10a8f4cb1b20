"""Resampled tones are tones of the same pitch, phase and level, at the exact times."""

import numpy as np
import pytest

from frame2sound.sound.resampler import input_range, resample

RATES = [
    (48_000, 22_050),
    (44_100, 48_000),
    (22_050, 48_000),
    (8000, 48_000),
    (192_000, 48_000),
    (44_101, 48_000),
]


def tone(hertz, rate, begin, end):
    return np.float32(0.5 * np.sin(2 * np.pi * hertz * np.arange(begin, end) / rate + 1))


def resampled(sound, rates, first, begin, end, block=4096):
    blocks = (sound[at : at + block] for at in range(0, len(sound), block))
    return np.concatenate(list(resample(blocks, rates, first, begin, end)))


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("share", [0.05, 0.86])
def test_a_tone_below_the_lower_nyquist_frequency_is_the_same_tone(rates, share):
    hertz, (old, new) = share * min(rates) / 2, rates
    first, seconds = 12_345, 0.2
    sound = tone(hertz, old, first, first + round(seconds * old))
    begin, end = (round(at * new) for at in (first / old + 0.05, first / old + 0.15))
    got = resampled(sound, rates, first, begin, end)
    np.testing.assert_allclose(got, tone(hertz, new, begin, end), atol=3e-5)  # -84 dB of its peak


@pytest.mark.parametrize("hertz", [12_500, 15_000, 23_000])
def test_what_would_be_an_alias_is_left_out(hertz):
    got = resampled(tone(hertz, 48_000, 0, 20_000), (48_000, 22_050), 0, 2000, 7000)
    assert np.abs(got).max() < 0.5 * 10 ** (-85 / 20)


@pytest.mark.parametrize("rates", [(48_000, 22_050), (22_050, 48_000)])
def test_blocks_of_any_length_and_channels_one_by_one_give_the_same(rates):
    sound = np.random.default_rng(0).normal(0, 0.1, (9000, 2)).astype(np.float32)
    whole = resampled(sound, rates, 70, 0, 3000, 9000)
    assert whole.shape == (3000, 2)
    for block in (1, 37, 1000):
        np.testing.assert_allclose(resampled(sound, rates, 70, 0, 3000, block), whole, atol=1e-6)
    for channel in range(2):
        alone = resampled(sound[:, channel], rates, 70, 0, 3000)
        np.testing.assert_allclose(alone, whole[:, channel], atol=1e-6)


@pytest.mark.parametrize("rates", [(48_000, 22_050), (8000, 48_000), (44_100, 48_000)])
def test_a_part_depends_on_its_input_range_alone(rates):
    sound = np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)
    begin, end = 5000, 5600
    first, last = input_range(begin, end, rates)
    part = resampled(sound[first:last], rates, first, begin, end)
    np.testing.assert_allclose(part, resampled(sound, rates, 0, 0, 6000)[begin:end], atol=1e-6)


def test_what_is_not_given_is_silent():
    got = resampled(np.ones(480, np.float32), (48_000, 24_000), 48_000, 23_000, 26_000)
    assert len(got) == 3000
    assert not got[:900].any()
    assert not got[1340:].any()
    np.testing.assert_allclose(got[1000 + 70 : 1240 - 70], 1, atol=1e-4)
    assert not list(resample([], (48_000, 24_000), 0, 0, 10))
