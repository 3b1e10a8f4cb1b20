"""Spectral flux: the same for any block size, zero for silence, and onsets picked from it."""

import numpy as np
import pytest

from frame2sound.sound.spectral_flux import SpectralFlux, pick_onset_hops, spectral_flux

RATE = 22050


@pytest.mark.parametrize("block", [1, 7, 100])
def test_flux_does_not_depend_on_the_block_size(block):
    sound = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    whole, parts = spectral_flux(sound, RATE), spectral_flux(sound, RATE, block_hops=block)
    np.testing.assert_allclose(parts.rise_db, whole.rise_db, atol=1e-9)  # FFT of other batches
    np.testing.assert_allclose(parts.power, whole.power, atol=1e-12)


def test_power_of_a_tone_rises_once_to_its_mean_square():
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)
    flux = spectral_flux(tone, RATE)
    assert flux.power.sum() == pytest.approx(0.5**2 / 2, rel=0.01)  # Hann side lobes ripple
    assert flux.rise_db[10:].max() < 0.01


def test_silence_and_sounds_shorter_than_a_hop_have_no_flux():
    assert not spectral_flux(np.full(RATE, 0.0009), RATE).rise_db.any()
    assert len(spectral_flux(np.ones(87), RATE).rise_db) == 0
    assert spectral_flux(np.ones(87), RATE).hop_samples == 88


def test_onsets_are_30_ms_apart_and_2_db_above_the_mean():
    rise = np.zeros(200)
    rise[[0, 3, 40, 60, 199]] = 10, 12, 1.9, 3, 5
    flux = SpectralFlux(rise, rise, 88, RATE)
    assert pick_onset_hops(flux).tolist() == [0, 60, 199]
    assert pick_onset_hops(SpectralFlux(rise + 7, rise, 88, RATE)).tolist() == [0, 60, 199]
