"""A crossfade keeps the power of sounds, whether they are the same, alike or unrelated."""

import numpy as np
import pytest

from frame2sound.sound.crossfade import crossfade, crossfade_gains


def noise(length=220, seed=0, shape=()):
    return np.random.default_rng(seed).normal(0, 0.1, (length, *shape))


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.9, 1.0])
def test_gains_keep_the_power(correlation):
    rise, fall = crossfade_gains(177, correlation)
    power = rise**2 + fall**2 + 2 * rise * fall * correlation
    np.testing.assert_allclose(power, 1, atol=1e-12)
    assert rise[0] < 0.01 < 0.99 < rise[-1]
    np.testing.assert_allclose(rise, fall[::-1])


@pytest.mark.parametrize("shape", [(), (2,)])
def test_a_sound_crossfaded_with_itself_is_unchanged(shape):
    sound = noise(shape=shape)
    np.testing.assert_allclose(crossfade(sound, sound, 0), sound, atol=1e-12)


def test_unrelated_sounds_keep_their_level():
    pairs = [(noise(seed=2 * i), noise(seed=2 * i + 1)) for i in range(300)]
    levels = [np.mean(crossfade(*pair, 0) ** 2) for pair in pairs]
    # Negative correlations count as 0, which takes a tenth of the power: within 0.5 dB.
    assert 10 * np.log10(np.mean(levels)) == pytest.approx(-20, abs=0.5)


@pytest.mark.parametrize(("silent_correlation", "middle"), [(1, 0.5), (0, 0.5**0.5)])
def test_the_fade_to_silence_is_linear_or_of_constant_power(silent_correlation, middle):
    ones = np.ones(101, np.float32)
    faded = crossfade(ones, np.zeros_like(ones), silent_correlation)
    assert faded.dtype == np.float32
    assert faded[50] == pytest.approx(middle, abs=1e-6)
    assert faded[0] > 0.999
    assert faded[-1] < 0.02
