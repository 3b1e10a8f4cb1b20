"""A picture as a spectrogram: its rows are frequencies, its columns times, its greys levels."""

import numpy as np
import pytest

from benchmarks.sonification import heard_picture, similarity
from frame2sound.sonification.frequencies import spaced_axis, tuned_axis
from frame2sound.sonification.noise_bands import band_shares
from frame2sound.sonification.oscillators import OscillatorBank
from frame2sound.sonification.scanning import brightness_at_hops
from frame2sound.sonification.timbres import TIMBRES
from frame2sound.sound.named_scales import parse_scale
from tests.sonification.scanned import (
    RATE,
    amplitude_at,
    middle_seconds,
    scan_of,
    sound_of,
    strongest_hz,
)

AXIS = spaced_axis(64, 200, 6000, "linear")


@pytest.mark.parametrize("timbre", ["sines", "grains"])
@pytest.mark.parametrize("spacing", ["linear", "log", "mel"])
def test_a_horizontal_line_is_a_sine_of_the_frequency_of_its_row(spacing, timbre):
    picture = np.zeros((64, 5))
    picture[20] = 1
    axis = spaced_axis(64, 200, 6000, spacing)
    expected = {
        "linear": 6000 - 20 * 5800 / 63,
        "log": 6000 / 30 ** (20 / 63),
        "mel": 700 * ((1 + 6000 / 700) ** (43 / 63) * (1 + 200 / 700) ** (20 / 63) - 1),
    }[spacing]
    sound = sound_of(picture, axis, timbre=timbre)
    assert strongest_hz(sound) == pytest.approx(expected, rel=1e-3)
    if timbre == "sines":
        assert amplitude_at(sound, expected) == pytest.approx(1, rel=1e-3)
        rest = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
        peak = round(expected)
        assert np.delete(rest, range(peak - 8, peak + 9)).max() < 1e-3 * rest.max()


@pytest.mark.parametrize("timbre", TIMBRES)
def test_a_vertical_line_is_a_burst_at_the_time_of_its_column(timbre):
    picture = np.zeros((64, 50))
    picture[:, 31] = 1
    sound = sound_of(picture, AXIS, 2, timbre)
    assert middle_seconds(sound) == pytest.approx(31.5 / 50 * 2, abs=0.005)
    near = sound[round(30 / 50 * 2 * RATE) : round(33 / 50 * 2 * RATE)]
    assert np.square(near).sum() > 0.97 * np.square(sound).sum()


def test_tuned_rows_are_the_tones_of_the_scale():
    axis = tuned_axis(parse_scale("D minor"), 200, 1000)
    semitones = [s for s in range(7, 36) if s % 12 in (0, 2, 4, 5, 7, 9, 10)]
    tones = [261.6255653 / 2 * 2 ** (s / 12) for s in semitones]
    expected = [hz for hz in tones if 200 <= hz <= 1000]
    assert axis.hz[::-1] == pytest.approx(expected)
    picture = np.zeros((len(axis), 3))
    picture[4] = 1
    assert strongest_hz(sound_of(picture, axis)) == pytest.approx(expected[-5], rel=1e-3)


def test_a_scale_without_tones_in_the_range_is_refused():
    with pytest.raises(ValueError, match="has 0 tones from 500 to 510 Hz, expected 1 to 4096"):
        tuned_axis(parse_scale("hz 440 550"), 500, 510)
    with pytest.raises(ValueError, match="expected 1 to 4096"):
        tuned_axis(parse_scale("999-tet"), 20, 20_000)


def test_steps_of_grey_are_steps_in_decibels():
    rows = [10, 30, 50]
    picture = np.zeros((64, 2))
    picture[rows] = np.array([[1], [1 - 6 / 40], [1 - 12 / 40]])
    sound = sound_of(picture, AXIS)
    levels = [20 * np.log10(amplitude_at(sound, AXIS.hz[row])) for row in rows]
    assert levels == pytest.approx([0, -6, -12], abs=0.01)


@pytest.mark.parametrize("timbre", TIMBRES)
def test_black_is_silent_and_white_has_the_power_of_its_sines(timbre):
    assert not sound_of(np.zeros((64, 9)), AXIS, timbre=timbre).any()
    white = sound_of(np.ones((64, 9)), AXIS, 2, timbre)[RATE // 2 : -RATE // 2]
    assert 10 * np.log10(np.square(white).mean() / 32) == pytest.approx(0, abs=0.6)


@pytest.mark.parametrize("timbre", TIMBRES)
def test_the_seed_alone_decides_what_is_random(timbre):
    picture = np.ones((64, 9))
    first, again = (sound_of(picture, AXIS, timbre=timbre) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, sound_of(picture, AXIS, timbre=timbre, seed=1), atol=0.1)


def test_a_bank_is_the_sum_of_faded_sines_whatever_the_batches():
    random = np.random.default_rng(0)
    hz, phase = np.array([300.0, 1234.5]), np.array([0.1, 0.6])
    levels = random.random((9, 2))
    bank = OscillatorBank(hz, phase, RATE, 100)
    sound = np.concatenate([bank.process(levels[:4]), bank.process(levels[4:])])
    known = np.vstack([np.zeros(2), levels])
    at = np.arange(900)
    rise = (np.sin(np.pi * (at % 100 + 0.5) / 200) ** 2)[:, None]
    faded = (1 - rise) * known[at // 100] + rise * known[at // 100 + 1]
    sines = np.cos(2 * np.pi * (np.outer(at, hz) / RATE + phase))
    assert sound == pytest.approx((faded * sines).sum(axis=1), abs=1e-5)


def test_columns_are_interpolated_and_averaged_where_they_are_closer_than_hops():
    ramp = np.linspace(0, 1, 11)[None]
    hops = np.concatenate(list(brightness_at_hops([scan_of(ramp, 1)], 1000, 10)))
    assert (len(hops), hops[0, 0], hops[-1, 0]) == (101, 0, 0)
    assert hops[50, 0] == pytest.approx(0.5)
    assert hops[52, 0] == pytest.approx(0.5 + 0.02 * 11 / 10)
    stripes = np.tile([0, 1], 500)[None]
    assert np.concatenate(list(brightness_at_hops([scan_of(stripes, 1)], 1000, 10)))[
        1:-1
    ] == pytest.approx(0.5)


def test_bands_share_all_of_a_rows_power_over_its_bins():
    axis = spaced_axis(40, 100, 7000, "log")
    shares = band_shares(axis, 512, RATE)
    assert shares.sum(axis=1) == pytest.approx(1)
    middle = (shares * np.arange(257)).sum(axis=1) * RATE / 512
    assert middle == pytest.approx((axis.edges[1:] + axis.edges[:-1]) / 2, abs=RATE / 512)


@pytest.mark.parametrize(("timbre", "least"), [("sines", 0.95), ("noise", 0.85), ("grains", 0.85)])
def test_a_drawing_is_seen_again_in_the_spectrogram_of_its_sound(timbre, least):
    drawing = np.zeros((48, 64))
    drawing[8:20, 8:30] = 1
    drawing[30:42, 20:56] = 0.6
    axis = spaced_axis(48, 200, 7000, "linear")
    heard = heard_picture(sound_of(drawing, axis, 3, timbre), RATE, axis, 0.0, columns=64)
    assert similarity(drawing, heard) > least
    assert similarity(drawing[::-1], heard) < 0.5
