"""The paired block bootstrap, on cases with known results."""

from __future__ import annotations

import math

import numpy as np
import pytest

from frame2sound.comparison.block_stats import STATISTICS
from frame2sound.comparison.bootstrap import Difference, paired_difference

MEAN = STATISTICS["spectral_distance_db"]


def sums(values):
    """Sums for a mean, from one value per seed and block."""
    values = np.asarray(values, np.float64)
    return np.stack([values, np.ones_like(values)], axis=-1)


def test_identical_brains_have_no_difference():
    same = sums(np.random.default_rng(0).normal(size=(3, 40)))
    assert paired_difference(same, same.copy(), MEAN) == Difference(0.0, 0.0, 0.0)
    assert not Difference(0.0, 0.0, 0.0).excludes_zero


def test_a_known_difference_has_the_known_standard_error():
    # Of one seed, the mean of n paired differences has a standard error of sd / sqrt(n).
    random = np.random.default_rng(1)
    shared, noise = random.normal(0, 10, 400), random.normal(0, 1, 400)
    ours, theirs = sums([shared + 0.5 + noise]), sums([shared])
    found = paired_difference(ours, theirs, MEAN)
    error = noise.std() / math.sqrt(400)
    assert found.value == pytest.approx(0.5 + noise.mean())
    # The quantile of 2000 resamples has an error of about 3 %. The shared part, which is ten times
    # as large, must not widen the interval.
    assert found.low == pytest.approx(found.value - 1.96 * error, abs=0.2 * error)
    assert found.high == pytest.approx(found.value + 1.96 * error, abs=0.2 * error)
    assert found.excludes_zero


def test_95_percent_intervals_cover_the_truth_in_95_percent_of_cases():
    random, truth, covered, trials = np.random.default_rng(2), 0.3, 0, 300
    for trial in range(trials):
        hard = random.normal(0, 3, 60)
        seeds = random.normal(0, 0.2, (10, 1))
        ours = hard + truth + seeds + random.normal(0, 1, (10, 60))
        theirs = hard + random.normal(0, 1, (10, 60))
        found = paired_difference(sums(ours), sums(theirs), MEAN, resamples=400, seed=trial)
        covered += found.low <= truth <= found.high
    # Percentile intervals of ten seeds cover a little less than 95 %: their spread is taken by
    # 10, not by 9. The standard error of a share of 300 is 1.3 %.
    assert 0.90 <= covered / trials <= 0.98


def test_seeds_that_disagree_widen_the_interval():
    blocks, apart = np.zeros((3, 50)), np.array([[0.0], [1.0], [2.0]])
    agreed = paired_difference(sums(blocks + 1.0), sums(blocks), MEAN)
    unsure = paired_difference(sums(blocks + apart), sums(blocks), MEAN)
    assert (agreed.low, agreed.high) == (1.0, 1.0)
    assert (unsure.low, unsure.value, unsure.high) == (0.0, 1.0, 2.0)


def test_the_same_seed_gives_the_same_interval():
    random = np.random.default_rng(3)
    ours, theirs = sums(random.normal(size=(2, 30))), sums(random.normal(size=(2, 30)))
    one = paired_difference(ours, theirs, MEAN, seed=5)
    assert one == paired_difference(ours, theirs, MEAN, seed=5)
    assert one != paired_difference(ours, theirs, MEAN, seed=6)
    swapped = paired_difference(theirs, ours, MEAN, seed=5)
    assert swapped.value == pytest.approx(-one.value)
    assert swapped.low == pytest.approx(-one.high)


def test_ratios_are_of_sums_not_means_of_ratios():
    hits = np.array([[[1.0, 1.0, 1.0], [0.0, 9.0, 9.0]]])
    none = np.array([[[0.0, 0.0, 1.0], [0.0, 0.0, 9.0]]])
    assert paired_difference(hits, none, STATISTICS["onset_f"]).value == pytest.approx(0.1)


def test_values_that_are_not_finite_have_no_difference():
    nothing = np.zeros((1, 5, 2))
    assert paired_difference(nothing, nothing, STATISTICS["pitch"]) is None
    with pytest.raises(ValueError, match="expected one shape"):
        paired_difference(np.zeros((1, 5, 2)), np.zeros((2, 5, 2)), MEAN)
