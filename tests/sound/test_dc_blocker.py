"""Removal of direct current: a first-order high pass, by its closed form."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frame2sound.sound.dc_blocker import CUTOFF_HZ, DcBlocker

RATE = 22050


def filtered(sound, rate=RATE, sizes=()):
    removal = DcBlocker(rate)
    return np.concatenate(
        [removal.process(piece) for piece in np.split(sound, np.cumsum(sizes)[: len(sizes)])]
    )


def gain_db(hz, rate=RATE):
    """The filter's magnitude at a frequency, from its equation."""
    pole = math.exp(-2 * math.pi * CUTOFF_HZ / rate)
    step = np.exp(-2j * np.pi * hz / rate)
    return 20 * math.log10(abs((1 + pole) / 2 * (1 - step) / (1 - pole * step)))


def test_a_constant_decays_as_its_pole_says():
    out = filtered(np.full(RATE, 0.5, np.float32))
    pole = math.exp(-2 * math.pi * CUTOFF_HZ / RATE)
    expected = 0.5 * (1 + pole) / 2 * pole ** np.arange(RATE)
    np.testing.assert_allclose(out, expected, atol=1e-7)  # float32 holds 0.5 to 6e-8
    assert abs(out[-1]) < 1e-8


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_what_can_be_heard_is_kept(rate):
    assert gain_db(20, rate) > -0.3
    assert gain_db(100, rate) > -0.02
    assert gain_db(rate / 2, rate) == pytest.approx(0, abs=1e-9)
    assert gain_db(CUTOFF_HZ, rate) == pytest.approx(-3.01, abs=0.02)


@pytest.mark.parametrize("hz", [5, 20, 440])
def test_a_sine_loses_what_the_equation_says(hz):
    sine = np.sin(2 * np.pi * hz * np.arange(3 * RATE) / RATE).astype(np.float32)
    steady = filtered(sine)[2 * RATE :].astype(np.float64)
    # A whole number of periods; what is left is float32 rounding.
    assert 10 * math.log10(2 * np.mean(steady**2)) == pytest.approx(gain_db(hz), abs=1e-3)


@given(sizes=st.lists(st.sampled_from([0, 1, 7, 500]), max_size=20))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_pieces_of_any_size_give_what_the_whole_gives(sizes):
    sound = np.random.default_rng(0).uniform(0, 1, 3000).astype(np.float32)
    np.testing.assert_array_equal(filtered(sound, sizes=sizes), filtered(sound))


def test_silence_stays_silence():
    assert not filtered(np.zeros(1000, np.float32)).any()
