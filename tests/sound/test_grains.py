"""Grains: laid as a loop over samples would lay them."""

from dataclasses import replace

import numpy as np
import pytest

from frame2sound.sound.grains import Grains, add_grains
from frame2sound.sound.windows import grain_envelope


def grains(*rows):
    onset, length, source, rate, gain = zip(*rows, strict=True)
    return Grains(
        np.array(onset, np.int64),
        np.array(length, np.int64),
        np.array(source, np.float64),
        np.array(rate, np.float64),
        np.array(gain, np.float64),
    )


def read(source, place):
    """Catmull-Rom by its Hermite form: values, and slopes of half the difference of neighbours."""

    def at(n):
        return float(source[n]) if 0 <= n < len(source) else 0.0

    n = int(np.floor(place))
    t = place - n
    here, there = (at(n), (at(n + 1) - at(n - 1)) / 2), (at(n + 1), (at(n + 2) - at(n)) / 2)
    return (
        (1 + 2 * t) * (1 - t) ** 2 * here[0]
        + t * (1 - t) ** 2 * here[1]
        + t**2 * (3 - 2 * t) * there[0]
        + t**2 * (t - 1) * there[1]
    )


def slow_lay(cloud, source, shape, samples, power):
    """One grain and one sample at a time, in double precision."""
    out, weight = np.zeros(samples), np.zeros(samples)
    for i in range(len(cloud)):
        length, rate, begin = int(cloud.length[i]), cloud.playback_rate[i], cloud.source_position[i]
        if rate == 1:
            begin = np.floor(begin + 0.5)
        window = cloud.gain[i] * grain_envelope(shape, length)
        for n in range(length):
            at = cloud.onset[i] + n
            if 0 <= at < samples:
                out[at] += window[n] * read(source, begin + n * rate)
                weight[at] += window[n] ** power
    return out, weight


def random_cloud(seed, count=60, samples=2000):
    rng = np.random.default_rng(seed)
    return Grains(
        rng.integers(-200, samples + 100, count),
        rng.integers(2, 300, count),
        rng.uniform(-200, samples + 100, count),
        rng.choice([0.5, 1.0, 1.0, 1.37, 2.0, -1.0, -0.7], count),
        rng.uniform(-1, 1, count),
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("shape", "power"), [("hann", 1), ("hann", 2), ("triangle", 2)])
def test_lay_is_the_slow_loop(seed, shape, power):
    source = np.random.default_rng(seed).uniform(-1, 1, 2000).astype(np.float32)
    cloud = random_cloud(seed)
    out, weight = np.zeros((2, 2000), np.float32)
    add_grains(cloud, source, shape, out, weight, power)
    expected, weights = slow_lay(cloud, source, shape, 2000, power)
    # Some ten grains overlap, each rounded to float32 thrice.
    np.testing.assert_allclose(out, expected, atol=3e-6)
    np.testing.assert_allclose(weight, weights, atol=3e-6)


def test_laying_adds_to_what_is_there():
    out = np.ones(10, np.float32)
    add_grains(grains((0, 10, 0, 1, 1)), np.zeros(10, np.float32), "hann", out)
    assert (out == 1).all()


def test_a_grain_read_in_place_is_the_windowed_source():
    source = np.random.default_rng(0).uniform(-1, 1, 500).astype(np.float32)
    out = np.zeros(500, np.float32)
    add_grains(grains((100, 200, 100, 1, 0.5)), source, "hann", out)
    expected = source[100:300] * 0.5 * grain_envelope("hann", 200)
    np.testing.assert_allclose(out[100:300], expected, atol=1e-7)
    assert not out[:100].any()
    assert not out[300:].any()


def test_a_place_between_samples_is_read_between_their_values():
    ramp = np.arange(20, dtype=np.float32)
    out = np.zeros(8, np.float32)
    add_grains(grains((0, 8, 2.25, 0.5, 1)), ramp, "hann", out)
    np.testing.assert_allclose(
        out / grain_envelope("hann", 8), 2.25 + 0.5 * np.arange(8), rtol=2e-6
    )


@pytest.mark.parametrize("rate", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("begin", [-300.0, 51.0, 1000.0])
def test_outside_the_source_there_is_silence(rate, begin):
    out = np.zeros(100, np.float32)
    add_grains(grains((0, 100, begin, rate, 1)), np.ones(50, np.float32), "hann", out)
    assert not out.any()


def test_a_source_without_samples_is_silence():
    out = np.zeros(100, np.float32)
    add_grains(grains((0, 100, 0, 1, 1), (0, 100, 0, 2, 1)), np.empty(0, np.float32), "hann", out)
    assert not out.any()


def test_a_grain_beyond_either_end_is_left_out():
    out = np.zeros(100, np.float32)
    add_grains(
        grains((-50, 50, 0, 1, 1), (100, 50, 0, 1, 1)), np.ones(200, np.float32), "hann", out
    )
    assert not out.any()


def test_no_grains_change_nothing():
    none = Grains(*(np.empty(0, kind) for kind in (np.int64, np.int64, float, float, float)))
    out = np.zeros(5, np.float32)
    add_grains(none, np.ones(5, np.float32), "hann", out)
    assert len(none) == 0
    assert not out.any()


@pytest.mark.parametrize("rate", [0.5, 1.0, 2.0])
def test_the_rate_divides_the_period_of_a_sine(rate):
    period, length = 64, 8192
    source = np.sin(2 * np.pi * np.arange(4 * length) / period).astype(np.float32)
    out = np.zeros(length, np.float32)
    add_grains(grains((0, length, 0, rate, 1)), source, "hann", out)
    cycles = np.abs(np.fft.rfft(out)).argmax()
    assert length / cycles == period / rate


def test_a_grains_peak_is_half_way_through():
    np.testing.assert_array_equal(
        grains((10, 5, 0, 1, 1), (-3, 8, 0, 1, 1)).peak_positions(), [12.5, 1]
    )
    np.testing.assert_array_equal(grains((10, 50, 0, 1, 1)).peak_positions(0.02), [11])


def test_a_grain_of_rate_minus_one_is_the_sound_backwards():
    source = np.random.default_rng(0).uniform(-1, 1, 500).astype(np.float32)
    out = np.zeros(200, np.float32)
    add_grains(grains((0, 200, 399, -1, 1)), source, "triangle", out)
    np.testing.assert_allclose(out, source[399:199:-1] * grain_envelope("triangle", 200), atol=1e-6)


def test_two_channels_share_the_power_of_one():
    rng = np.random.default_rng(3)
    source = rng.uniform(-1, 1, 900).astype(np.float32)
    for pan in (-1, -0.3, 0, 0.8, 1):
        one = grains((100, 300, 200, 1, 0.7))
        mono, both = np.zeros(600, np.float32), np.zeros((2, 600), np.float32)
        add_grains(one, source, "hann", mono)
        add_grains(replace(one, pan=np.array([float(pan)])), source, "hann", both)
        np.testing.assert_allclose((both**2).sum(axis=0), mono**2, atol=1e-6)
        angle = (pan + 1) * np.pi / 4
        np.testing.assert_allclose(both, np.outer([np.cos(angle), np.sin(angle)], mono), atol=1e-6)


def test_clouds_together_are_laid_as_one_after_the_other():
    source = np.random.default_rng(0).uniform(-1, 1, 2000).astype(np.float32)
    clouds = [random_cloud(seed) for seed in (1, 2)]
    apart, together = np.zeros((2, 2000), np.float32)
    for one in clouds:
        add_grains(one, source, "hann", apart)
    add_grains(Grains.concatenate(clouds), source, "hann", together)
    np.testing.assert_allclose(apart, together, atol=3e-6)


def test_earlier_moves_both_timelines():
    moved = grains((10, 5, 20, 1, 1)).shift_earlier(4)
    assert (moved.onset[0], moved.source_position[0], moved.length[0]) == (6, 16, 5)


def test_an_envelope_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="expected one of hann, triangle"):
        add_grains(
            grains((0, 5, 0, 1, 1)), np.ones(9, np.float32), "square", np.zeros(9, np.float32)
        )
