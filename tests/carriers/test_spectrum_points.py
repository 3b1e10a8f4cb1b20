"""Closed forms of colours that are spectra: shifts, mirrors, sines, impulses, and rounding."""

import numpy as np
import pytest

from frame2sound.carriers.colours import to_rgb
from frame2sound.carriers.spectrum_points import (
    BRIGHTEST,
    DARKEST,
    RADIUS,
    LevelScale,
    certainty,
    from_points,
    to_points,
)
from frame2sound.sound.stft import InverseStft, Stft
from tests.carriers.sounds import bells, snr_db

STFT = Stft(256, 64)
SCALE = LevelScale(0.0, 120.0)


def spectra_of(sound):
    return STFT.analyse(sound, STFT.centres(len(sound)))


def inverted(spectra, length):
    inverse = InverseStft(STFT)
    parts = [inverse.process(spectra.astype(np.complex64)), inverse.flush(fade_out=False)]
    return np.concatenate(parts)[:length]


def through_points(spectra):
    return from_points(to_points(spectra, SCALE), SCALE)


def test_all_colours_are_inside_the_gamut():
    angles = np.exp(1j * np.linspace(-np.pi, np.pi, 721))
    for level in (1e-6, 1e-4, 1e-3, 0.1, 1.0):
        rgb = to_rgb(to_points(level * angles, SCALE))
        assert rgb.min() >= 0
        assert rgb.max() <= 255


def test_level_is_luma_and_phase_is_direction():
    points = to_points(np.array([1.0, 1j, 0.001, 0.0]), SCALE)
    np.testing.assert_allclose(points[0], [BRIGHTEST, RADIUS, 0], atol=1e-12)
    np.testing.assert_allclose(points[1], [BRIGHTEST, 0, RADIUS], atol=1e-12)
    np.testing.assert_allclose(points[2], [(BRIGHTEST + DARKEST) / 2, RADIUS, 0], atol=1e-12)
    np.testing.assert_allclose(points[3], [DARKEST, 0, 0], atol=1e-12)
    np.testing.assert_allclose(certainty(points), [1, 1, 1, 0], atol=1e-12)


def test_a_shift_by_columns_is_a_delay_by_hops():
    sound = np.pad(bells(1.0)[:, 0], (0, 1000))
    spectra = through_points(spectra_of(sound))
    shifted = np.concatenate([np.zeros((5, STFT.bins)), spectra[:-5]])
    delayed = np.concatenate([np.zeros(5 * 64, np.float32), sound[: -5 * 64]])
    assert snr_db(delayed, inverted(shifted, len(sound))) > 60


def test_a_mirrored_and_conjugate_picture_is_the_sound_reversed():
    sound = np.pad(bells(1.0)[:, 0], (300, 300))[: 64 * 120 + 1]
    centres = np.arange(121) * 64
    spectra = through_points(STFT.analyse(sound, centres))
    again = inverted(np.conj(spectra[::-1]), len(sound))
    assert snr_db(sound[::-1], again) > 60


def test_the_hue_of_a_sine_turns_by_its_frequency_times_the_hop():
    frequency = 20.25 / 256  # cycles for a sample
    sound = np.sin(2 * np.pi * frequency * np.arange(4000))
    points = to_points(spectra_of(sound)[10:-10, 20], SCALE)
    hue = np.unwrap(np.arctan2(points[:, 2], points[:, 1]))
    expected = np.angle(np.exp(2j * np.pi * frequency * 64))
    np.testing.assert_allclose(np.angle(np.exp(1j * np.diff(hue))), expected, atol=1e-3)


def test_the_hues_of_an_impulse_are_linear_in_frequency():
    sound = np.zeros(1024)
    sound[512 + 9] = 1  # nine samples after a centre
    spectrum = STFT.analyse(sound, np.array([512]))[0]
    points = to_points(spectrum, LevelScale(0, 80))
    hue = np.unwrap(np.arctan2(points[:, 2], points[:, 1]))
    np.testing.assert_allclose(np.diff(hue), -2 * np.pi * 9 / 256, atol=1e-6)


@pytest.mark.parametrize("bits", [3, 4, 5, 6])
def test_rounded_phases_cost_what_theory_says(bits):
    """Phases of b bits at redundancy R leave 6.02 b - 5.17 + 10 log10 R dB."""
    rng = np.random.default_rng(bits)
    sound = rng.normal(0, 0.1, 40_000)
    spectra = spectra_of(sound)
    step = 2 * np.pi / 2**bits
    rounded = np.abs(spectra) * np.exp(1j * step * np.round(np.angle(spectra) / step))
    redundancy = 4.0
    expected = 6.02 * bits - 5.17 + 10 * np.log10(redundancy)
    got = snr_db(sound[500:-500], inverted(rounded, len(sound))[500:-500])
    assert got == pytest.approx(expected, abs=2.0)  # neighbours' errors are not quite independent


@pytest.mark.parametrize("step_db", [0.35, 0.7, 1.4])
def test_rounded_levels_cost_what_theory_says(step_db):
    """Levels in steps of d dB at redundancy R leave -20 log10(d / 8.686) + 10.8 + 10 log10 R."""
    sound = np.random.default_rng(1).normal(0, 0.1, 40_000)
    spectra = spectra_of(sound)
    levels = 20 * np.log10(np.abs(spectra))
    rounded = 10 ** (step_db * np.round(levels / step_db) / 20) * np.exp(1j * np.angle(spectra))
    expected = -20 * np.log10(step_db / 8.686) + 10.8 + 10 * np.log10(4.0)
    got = snr_db(sound[500:-500], inverted(rounded, len(sound))[500:-500])
    assert got == pytest.approx(expected, abs=2.0)


def test_scipy_reads_the_spectra_that_are_drawn():
    from scipy.signal import ShortTimeFFT

    sound = bells(1.0)[: 64 * 100, 0].astype(np.float64)
    drawn = from_points(to_points(spectra_of(sound), SCALE), SCALE) * STFT.amplitude_scale
    other = ShortTimeFFT(STFT.analysis_window, 64, fs=1.0, phase_shift=None)
    from_start = np.exp(-2j * np.pi * np.arange(STFT.bins) * 128 / 256)
    before = ((0, 0), (-other.p_min, 0))  # slices before sample 0
    again = other.istft(np.pad((drawn * from_start).T, before), 0, len(sound))
    assert snr_db(sound[400:-400], again[400:-400]) > 60
