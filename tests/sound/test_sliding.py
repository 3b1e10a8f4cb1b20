"""Sliding extremes and means, beside scipy's."""

import doctest

import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from frame2sound.sound import sliding
from frame2sound.sound.sliding import sliding_max, sliding_mean


def magnitudes(*shape):
    return np.abs(np.random.default_rng(1).standard_normal(shape)).astype(np.float32)


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(sliding).failed == 0


@pytest.mark.parametrize("shape", [(1,), (5,), (1000,), (7, 129)])
@pytest.mark.parametrize("reach", [0, 1, 2, 3, 110])
def test_the_highest_around(shape, reach):
    values = magnitudes(*shape)
    expected = maximum_filter1d(values, 2 * reach + 1, axis=-1, mode="constant")
    np.testing.assert_array_equal(sliding_max(values, reach), expected)


@pytest.mark.parametrize("shape", [(40,), (7, 513)])
@pytest.mark.parametrize("width", [1, 2, 9, 16, 31])
def test_the_mean_around(shape, width):
    values = magnitudes(*shape)
    expected = uniform_filter1d(values, width, axis=-1, mode="nearest")
    np.testing.assert_allclose(sliding_mean(values, width), expected, rtol=1e-6)
    assert sliding_mean(values, width).dtype == np.float32
