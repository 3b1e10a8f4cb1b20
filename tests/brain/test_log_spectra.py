"""Log spectra equal explicit sums, keep their level, and do not reach beyond their frame."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from frame2sound.brain.config import LogMag, Mel
from frame2sound.brain.spectra import (
    LEVEL_WEIGHT,
    MAX_LIFT,
    MAX_LOG_MAGNITUDE,
    QUIET_LIMIT,
    LogMagnitudes,
    MelMagnitudes,
)
from frame2sound.clock import Clock
from frame2sound.sound.mel_scale import bands_to_bins, mel_filterbank
from tests.brain.reference_spectra import CLOCKS, LENGTHS, noise, slow, tensor, window

BOTH = [(LogMagnitudes, LogMag), (MelMagnitudes, Mel)]
RATES = [Fraction(fps) for fps in ("24", "30", "30000/1001", "60", "120", "1")]


def early(recipe, clock):
    """Return the number of samples by which windows are moved back."""
    middle = (
        Fraction(2 * recipe.windows_per_frame - 1, 2 * recipe.windows_per_frame)
        / clock.fps
        * clock.sample_rate
    )
    past = round(middle) + recipe.window_length // 2 - clock.max_samples_per_frame
    return max(0, past - recipe.window_length // 32)


def decades(power, floor):
    return 0.5 * np.log10(1 + power / floor**2)


def click(target, at):
    """Return one excerpt with a click ``at`` samples after the frame's start."""
    excerpt = torch.zeros(1, target.excerpt_length)
    excerpt[0, at + target.lead_samples] = 1
    return excerpt


@pytest.mark.parametrize("clock", CLOCKS, ids=str)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("floor_db", [-40.0, -80.0, -140.0])
def test_decades_equal_a_slow_reference_and_decode(clock, length, floor_db):
    recipe = LogMag(window_length=length, floor_db=floor_db)
    target = LogMagnitudes(recipe, clock, scale=0.2)
    excerpts = noise(target)
    magnitude = np.abs(slow(target, excerpts, early(recipe, clock))[0])
    floor = 0.2 * 10 ** (floor_db / 20)
    output = target.encode(tensor(excerpts))
    assert output.shape == (3, target.length) == (3, 4 * (1 + length // 2 + 1))
    values = output.reshape(3, 4, -1)
    # Noise has bins where almost everything cancels and single precision matters.
    np.testing.assert_allclose(values[..., 1:], decades(magnitude**2, floor), atol=2e-3)
    level = decades((magnitude**2).sum(-1), floor)
    np.testing.assert_allclose(values[..., 0] / LEVEL_WEIGHT, level, atol=1e-5)
    # Quiet bins count 80 dB and more below the level; 1e-7 of 7 decades is 2e-6 of a magnitude,
    # and half the floor's power in 513 bins would be 1e-4 of the level at 40 dB.
    sizes = np.linalg.norm(magnitude, axis=-1, keepdims=True)
    rtol = 1e-4 + 513 * (floor / sizes.min()) ** 2
    np.testing.assert_allclose(target.decode(output), magnitude, rtol=rtol, atol=1e-6)
    assert target.log_magnitude(output) is output


@pytest.mark.parametrize("clock", CLOCKS, ids=str)
@pytest.mark.parametrize("length", LENGTHS)
def test_mel_decades_equal_a_slow_reference(clock, length):
    recipe = Mel(window_length=length, bands=20, windows_per_frame=2)
    target = MelMagnitudes(recipe, clock, scale=0.2)
    excerpts = noise(target)
    power = np.abs(slow(target, excerpts, early(recipe, clock))[0]) ** 2
    weights = mel_filterbank(20, length, clock.sample_rate)
    bands = np.zeros((3, 2, 20))
    for at in range(length // 2 + 1):
        for band in range(20):
            bands[..., band] += power[..., at] * weights[at, band]
    output = target.encode(tensor(excerpts))
    values = output.reshape(3, 2, -1)
    np.testing.assert_allclose(values[..., 1:], decades(bands, 0.2e-4), atol=1e-4)
    level = decades(bands.sum(-1), 0.2e-4)
    np.testing.assert_allclose(values[..., 0] / LEVEL_WEIGHT, level, atol=1e-5)
    actual = target.decode(output).astype(np.float64)
    np.testing.assert_allclose(actual, np.sqrt(bands_to_bins(bands, weights)), rtol=1e-3)
    np.testing.assert_allclose((actual**2).sum(-1), power.sum(-1), rtol=1e-4)


@pytest.mark.parametrize(("cls", "recipe"), BOTH)
@pytest.mark.parametrize("lift_db", [-60.0, -6.0, 3.0, 11.5])
def test_the_level_scales_its_spectrum(cls, recipe, lift_db):
    target = cls(recipe(window_length=256), CLOCKS[0], scale=0.2)
    output = target.encode(tensor(noise(target)))
    plain = target.decode(output)
    louder = output.clone().reshape(3, 4, -1)
    louder[..., 0] += LEVEL_WEIGHT * lift_db / 20
    # Decades are of the power plus the floor's, which is 70 dB below even what is 60 dB down.
    np.testing.assert_allclose(
        target.decode(louder.flatten(1)), plain * 10 ** (lift_db / 20), rtol=2e-2, atol=1e-6
    )


def test_a_level_lifts_by_12_db_at_most():
    target = LogMagnitudes(LogMag(window_length=256), CLOCKS[0], scale=0.2)
    output = target.encode(tensor(noise(target)))
    louder = output.clone().reshape(3, 4, -1)
    louder[..., 0] += LEVEL_WEIGHT
    expected = target.decode(output) * MAX_LIFT
    np.testing.assert_allclose(target.decode(louder.flatten(1)), expected, rtol=1e-3)


@pytest.mark.parametrize("decades", [1.0, 10.0])
def test_an_outlier_bin_does_not_change_the_loudness(decades):
    target = LogMagnitudes(LogMag(window_length=256), CLOCKS[0], scale=0.2)
    output = target.encode(tensor(noise(target))).reshape(3, 4, -1)
    plain = np.linalg.norm(target.decode(output.flatten(1)), axis=-1)
    output[:, 2, 40] += decades
    wild = np.linalg.norm(target.decode(output.flatten(1)), axis=-1)
    np.testing.assert_allclose(wild, plain, rtol=1e-3)


@pytest.mark.parametrize("part", ["level", "bins"])
def test_without_a_level_or_without_bins_there_is_silence(part):
    target = LogMagnitudes(LogMag(window_length=256), CLOCKS[0], scale=0.2)
    output = target.encode(tensor(noise(target))).reshape(3, 4, -1)
    output[..., slice(0, 1) if part == "level" else slice(1, None)] = 0
    assert not target.decode(output.flatten(1)).any()


@pytest.mark.parametrize(("cls", "recipe"), BOTH)
def test_numbers_below_silence_are_silence(cls, recipe):
    target = cls(recipe(window_length=256), CLOCKS[0], scale=0.2)
    assert not target.decode(-target.encode(tensor(noise(target)))).any()


def test_one_is_ten_times_the_floor():
    target = LogMagnitudes(LogMag(window_length=256, floor_db=-80), CLOCKS[0], scale=0.1)
    ones = torch.ones(1, 4, 1 + 129)
    ones[..., 0] = LEVEL_WEIGHT * (1 + 0.5 * np.log10(129))
    actual = target.decode(ones.flatten(1))
    # Ten times the floor is 99 floors' power above none, and so is the level's, but for 129.
    np.testing.assert_allclose(actual, 0.1e-4 * np.sqrt(99), rtol=1e-2)


def test_decoded_magnitudes_are_limited():
    target = LogMagnitudes(LogMag(window_length=256), CLOCKS[0], scale=0.1)
    actual = target.decode(torch.full((1, target.length), 1e6))
    power = np.linalg.norm(actual, axis=-1)
    np.testing.assert_allclose(power, 0.1 * 10**MAX_LOG_MAGNITUDE, rtol=1e-3)


def test_a_full_scale_sine_above_a_quiet_library_is_not_limited():
    deep = LogMagnitudes(LogMag(window_length=64, floor_db=-140), CLOCKS[0], scale=0.02)
    wave = tensor(np.cos(2 * np.pi / 8 * np.arange(deep.excerpt_length)))[None]
    assert deep.decode(deep.encode(wave)).max() == pytest.approx(1, rel=1e-4)


def test_values_below_the_floor_decode_below_it():
    target = LogMagnitudes(LogMag(window_length=64, windows_per_frame=1), CLOCKS[0])
    wave = 1e-6 * np.cos(2 * np.pi / 8 * np.arange(target.excerpt_length))
    output = target.encode(tensor(wave[None]))
    assert 0 < output[:, 1:].max() < 1e-4
    # A level counts against the floor itself: what is 40 dB below it is 40 dB quieter still.
    assert 0 < target.decode(output)[0, 0, 8] <= 1e-6


def test_a_smooth_spectrum_is_decoded_from_its_bands():
    target = MelMagnitudes(Mel(window_length=256, bands=24, windows_per_frame=1), CLOCKS[0])
    magnitude = 2 / window("hann", 256).sum()
    actual = target.decode(target.encode(click(target, int(target.centres[0]))))
    np.testing.assert_allclose(actual, magnitude, rtol=1e-4)


@pytest.mark.parametrize("fps", RATES, ids=str)
@pytest.mark.parametrize("windows_per_frame", [1, 4])
@pytest.mark.parametrize("length", [256, 1024])
def test_windows_end_with_the_frame_except_for_their_quiet_ends(fps, windows_per_frame, length):
    clock = Clock(fps, 22050)
    recipe = LogMag(window_length=length, windows_per_frame=windows_per_frame)
    target = LogMagnitudes(recipe, clock)
    centres = target.centres
    middles = (
        (2 * np.arange(windows_per_frame) + 1)
        / (2 * windows_per_frame)
        * clock.sample_rate
        / float(fps)
    )
    np.testing.assert_allclose(centres, middles - early(recipe, clock), atol=0.5)
    assert (np.diff(centres) > 0).all()
    assert centres[-1] + length // 2 <= clock.max_samples_per_frame + QUIET_LIMIT * length
    assert target.lead_samples == length // 2 - centres[0]
    assert target.excerpt_length == centres[-1] - centres[0] + length


@pytest.mark.parametrize("fps", RATES, ids=str)
@pytest.mark.parametrize("windows_per_frame", [1, 4])
def test_a_sound_that_begins_with_the_next_frame_is_not_encoded(fps, windows_per_frame):
    clock = Clock(fps, 22050)
    target = LogMagnitudes(LogMag(windows_per_frame=windows_per_frame), clock)
    total = 2 / window("hann", 1024).sum()
    # The faint end of a Hann window is sin(pi / 32) ** 2, or 0.0096, of a click's full height.
    last = clock.max_samples_per_frame
    if last + target.lead_samples < target.excerpt_length:
        peak = target.transform(click(target, last)).abs().max().item()
        assert peak < 0.01 * total
        reference = target.transform(click(target, int(target.centres[-1]))).abs().max().item()
        assert reference == pytest.approx(total, rel=1e-3)
    else:
        assert int(target.centres[-1]) + 512 <= last


@pytest.mark.parametrize(("cls", "recipe"), BOTH)
@pytest.mark.parametrize("length", LENGTHS)
def test_silence_encodes_and_decodes_to_exact_zeros(cls, recipe, length):
    target = cls(recipe(window_length=length), CLOCKS[1], scale=0.3)
    output = target.encode(torch.zeros(2, target.excerpt_length))
    assert not output.any()
    assert not target.decode(output).any()
