"""Zero and chance phases, and the level that unrelated blocks need."""

import numpy as np
import pytest

from frame2sound.sound.phase.random_phase import RandomPhase, ZeroPhase
from frame2sound.sound.phase.reconstructor import (
    RAYLEIGH_POWER_RATIO,
    incoherent_gain,
    pulse_gain,
    rayleigh_gain,
)
from frame2sound.sound.stft import Stft
from tests.sound.phase.sounding import (
    STFT,
    held_tone,
    level_db,
    magnitude,
    smooth_noise,
    sounded,
    white,
)


def test_a_fourfold_hann_loses_six_decibels():
    assert incoherent_gain(STFT) == pytest.approx(2)
    assert incoherent_gain(Stft(1024, 128)) == pytest.approx(np.sqrt(8))
    assert incoherent_gain(Stft(2048, 256)) == pytest.approx(np.sqrt(8))


@pytest.mark.parametrize(
    "stft", [STFT, Stft(1024, 128), Stft(2048, 1024, "hamming"), Stft(2048, 256, "hann", 1024)]
)
def test_white_noise_keeps_its_level(stft):
    given = white()
    made = sounded(RandomPhase(stft), magnitude(given, stft), stft=stft)
    assert level_db(made) == pytest.approx(level_db(given), abs=0.3)


def test_the_mean_magnitude_of_noise_sounds_at_its_level():
    made = sounded(RandomPhase(STFT), smooth_noise())
    assert level_db(made) == pytest.approx(level_db(white()), abs=0.3)


def test_without_the_gain_it_would_be_too_quiet():
    spectra = RandomPhase(STFT).reconstruct(smooth_noise(), None)
    assert np.abs(spectra).mean() == pytest.approx(
        smooth_noise().mean() * incoherent_gain(STFT) * np.sqrt(RAYLEIGH_POWER_RATIO), rel=1e-3
    )


def test_smooth_magnitudes_lack_power_and_rough_ones_do_not():
    rng = np.random.default_rng(0)
    rough = rng.rayleigh(size=(40, 513)).astype(np.float32)
    flat = np.ones((2, 513), np.float32)
    np.testing.assert_allclose(rayleigh_gain(STFT, flat), np.sqrt(RAYLEIGH_POWER_RATIO), rtol=1e-6)
    # Seventeen bins scatter: at times they lack a little.
    assert 1 <= rayleigh_gain(STFT, rough).mean() < 1.04
    assert (rayleigh_gain(STFT, np.zeros((2, 513), np.float32)) >= 1).all()


@pytest.mark.parametrize("size", [1, 7])
def test_pieces_of_any_size_give_the_same(size):
    wanted = smooth_noise()[:60]
    pieces, whole = (sounded(RandomPhase(STFT, 3), wanted, size=n) for n in (size, None))
    np.testing.assert_allclose(pieces, whole, atol=1e-6)  # transforms side by side round apart


def test_seeds_differ():
    wanted = smooth_noise()[:20]
    assert not np.array_equal(
        sounded(RandomPhase(STFT, 1), wanted), sounded(RandomPhase(STFT, 2), wanted)
    )


def test_zero_is_a_pulse_a_hop_at_the_level_of_noise():
    power = np.sqrt(RAYLEIGH_POWER_RATIO) * smooth_noise()
    made = sounded(ZeroPhase(STFT), power)
    assert level_db(made) == pytest.approx(level_db(white()), abs=0.2)
    assert np.argmax(np.abs(made[100:300])) == 256 - 100
    assert pulse_gain(STFT) == pytest.approx(np.sqrt(1.5))


def test_zero_loses_a_lone_tone_as_it_says():
    tone = held_tone(3000.0)
    made = sounded(ZeroPhase(STFT), magnitude(tone))
    assert -4.6 < level_db(made) - level_db(tone) < 0
