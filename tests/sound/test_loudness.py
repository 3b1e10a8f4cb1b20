"""Loudness: the standard's own figures, and another meter's."""

import math

import numpy as np
import pyloudnorm
import pytest

from frame2sound.sound.loudness import LoudnessMeter, k_weighting


def sine(hz, seconds, rate, gain=1.0):
    return (gain * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(
        np.float32
    )


def loudness(sound, rate, sizes=()):
    meter = LoudnessMeter(rate, 1 if sound.ndim == 1 else sound.shape[1])
    for piece in np.split(sound, np.cumsum(sizes, dtype=int)):
        meter.update(piece)
    return meter.integrated_lufs


def test_the_weighting_is_the_tabulated_one_at_48_khz():
    # ITU-R BS.1770-4, tables 1 and 2.
    table = [
        (
            [1.53512485958697, -2.69169618940638, 1.19839281085285],
            [-1.69065929318241, 0.73248077421585],
        ),
        ([1.0, -2.0, 1.0], [-1.99004745483398, 0.99007225036621]),
    ]
    for section, (zeros, poles) in zip(k_weighting(48000), table, strict=True):
        np.testing.assert_allclose(section, [*zeros, 1.0, *poles], atol=1e-8)


@pytest.mark.parametrize("gain_db", [0, -20, -50])
def test_a_sine_of_997_hz_reads_3_lu_below_its_peak(gain_db):
    sound = sine(997, 5, 48000, 10 ** (gain_db / 20))
    assert loudness(sound, 48000) == pytest.approx(gain_db - 3.01, abs=0.01)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 96000, 192000])
def test_every_rate_gives_the_same(rate):
    # Where the rate is low the bilinear transform bends the shelf.
    tolerance = 0.3 if rate < 20000 else 0.05
    assert loudness(sine(997, 3, rate), rate) == pytest.approx(-3.01, abs=tolerance)


def test_two_channels_add_their_powers():
    one = sine(997, 2, 48000)
    both = loudness(np.stack([one, one], axis=1), 48000)
    assert both - loudness(one, 48000) == pytest.approx(10 * math.log10(2), abs=1e-6)
    left = loudness(np.stack([one, 0 * one], axis=1), 48000)
    assert left == pytest.approx(loudness(one, 48000), abs=1e-9)


def test_the_relative_gate_leaves_quiet_stretches_out():
    # EBU Tech 3341, case 3: -36, -23 and -36 dBFS for 10, 60 and 10 s, in two channels.
    levels = [(-36, 10), (-23, 60), (-36, 10)]
    one = np.concatenate([sine(1000, s, 8000, 10 ** (db / 20)) for db, s in levels])
    alone = sine(1000, 60, 8000, 10 ** (-23 / 20))
    assert loudness(one, 8000) == pytest.approx(loudness(alone, 8000), abs=0.1)


def test_the_absolute_gate_leaves_silence_out():
    loud = sine(1000, 20, 8000, 0.1)
    with_silence = np.concatenate([loud, np.zeros(800_000, np.float32)])
    assert loudness(with_silence, 8000) == pytest.approx(loudness(loud, 8000), abs=0.1)


@pytest.mark.parametrize(
    "sound", [np.zeros(48000), np.full(48000, 1e-5), np.ones(3000), np.empty(0)]
)
def test_silence_and_less_than_a_block_have_no_loudness(sound):
    assert loudness(sound.astype(np.float32), 48000) == -math.inf


@pytest.mark.parametrize("sizes", [(1, 0, 7), (4800,), (100,) * 50, (5000, 30000)])
@pytest.mark.parametrize("channels", [1, 2])
def test_pieces_give_what_the_whole_gives(sizes, channels):
    shape = 60000 if channels == 1 else (60000, channels)
    sound = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    assert loudness(sound, 11025, sizes) == pytest.approx(loudness(sound, 11025), abs=1e-9)


@pytest.mark.parametrize("rate", [22050, 48000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", ["white", "brown", "pulses"])
def test_pyloudnorm_agrees(rate, channels, kind):
    rng = np.random.default_rng(1)
    sound = rng.normal(0, 0.1, (4 * rate, channels))
    if kind == "brown":
        sound = np.cumsum(sound, axis=0) / 100
    if kind == "pulses":
        sound[(np.arange(len(sound)) // (rate // 2)) % 3 > 0] = 0
    sound = sound.astype(np.float32)
    other = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(sound)
    assert loudness(sound, rate) == pytest.approx(other, abs=0.1)


def test_what_it_cannot_hear_is_refused():
    with pytest.raises(ValueError, match="at least 4000"):
        LoudnessMeter(1000)
    with pytest.raises(ValueError, match="got 6 channels"):
        LoudnessMeter(48000, 6)
    with pytest.raises(ValueError, match="got 2 channels, expected 1"):
        LoudnessMeter(48000).update(np.zeros((5, 2), np.float32))
    with pytest.raises(ValueError, match="not finite"):
        LoudnessMeter(48000).update(np.full(5, np.nan, np.float32))


@pytest.mark.parametrize("rate", [100, 3999, 48000])
def test_without_weighting_it_is_the_gated_rms(rate):
    sound = np.repeat(np.float32([0.1, 0.0]), 4 * rate)
    meter = LoudnessMeter(rate, weighted=False)
    meter.update(sound)
    # 37 blocks of the constant, and three that reach its end by 3, 2 and 1 of their 4 steps.
    power = 0.01 * (37 + 3 / 4 + 2 / 4 + 1 / 4) / 40
    assert meter.integrated_lufs == pytest.approx(10 * math.log10(power), abs=0.02)
