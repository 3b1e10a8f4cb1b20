"""Intervals over films and seeds: closed forms, and simulations with known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from frame2sound.comparison.block_stats import STATISTICS
from frame2sound.comparison.intervals import mean_interval, paired_difference

MEAN = STATISTICS["spectral_distance_db"]


def sums(values):
    """Sums for a mean, from one value per seed and block."""
    values = np.asarray(values, np.float64)
    return np.stack([values, np.ones_like(values)], axis=-1)


def test_independent_units_have_the_interval_of_student():
    values = np.random.default_rng(0).normal(0.4, 1, 7)
    found, expected = mean_interval(values), stats.ttest_1samp(values, 0.0)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx(expected.confidence_interval(0.95))
    assert found.standard_error == pytest.approx(values.std(ddof=1) / math.sqrt(7))


def test_crossed_units_add_both_variances_and_average_quantiles():
    rows, columns = np.array([0.0, 1.0, 2.0]), np.array([0.0, 3.0, 4.0, 9.0])
    found = mean_interval(rows[:, None] + columns)
    by_row, by_column = rows.var(ddof=1) / 3, columns.var(ddof=1) / 4
    quantiles = stats.t.ppf(0.975, [2, 3])
    quantile = np.average(quantiles, weights=[by_row, by_column])
    assert found.value == 5.0
    assert found.standard_error == pytest.approx(math.sqrt(by_row + by_column))
    assert found.high - found.value == pytest.approx(quantile * found.standard_error)


def test_what_is_left_over_is_counted_once():
    """The two-way layout by Snedecor's mean squares, counted in loops."""
    table = np.random.default_rng(1).normal(size=(4, 5))
    table += np.arange(5) + np.arange(4)[:, None]
    of_rows = sum((row.mean() - table.mean()) ** 2 for row in table) / 3 / 4
    of_columns = sum((column.mean() - table.mean()) ** 2 for column in table.T) / 4 / 5
    rest = 0.0
    for row in range(4):
        for column in range(5):
            fit = table[row].mean() + table[:, column].mean() - table.mean()
            rest += (table[row, column] - fit) ** 2 / 12 / 20
    found = mean_interval(table)
    assert found.standard_error**2 == pytest.approx(of_rows + of_columns - rest)


@pytest.mark.parametrize("shape", [(6,), (2, 5), (10, 5), (1, 5), (4, 1)])
def test_the_p_value_is_5_percent_where_the_interval_ends_at_0(shape):
    table = np.random.default_rng(2).normal(size=shape)
    half = mean_interval(table).high - table.mean()
    assert mean_interval(table - table.mean() + half).p_value == pytest.approx(0.05)
    assert mean_interval(table - table.mean() - 2 * half).p_value < 0.05
    assert mean_interval(table - table.mean() + 0.5 * half).p_value > 0.05


def test_one_unit_tells_nothing_and_equal_units_everything():
    alone = mean_interval(np.array([3.0]))
    assert (alone.value, alone.low, alone.high, alone.p_value) == (3, -math.inf, math.inf, 1)
    equal = mean_interval(np.full((3, 5), 0.5))
    assert (equal.low, equal.high, equal.p_value) == (0.5, 0.5, 0.0)
    assert mean_interval(np.zeros((3, 5))).p_value == 1.0
    with pytest.raises(ValueError, match="expected"):
        mean_interval(np.zeros((2, 0)))


@pytest.mark.parametrize("films", [2, 10])
@pytest.mark.parametrize(("film", "seed", "rest"), [(1, 0, 0.3), (0, 1, 0.3), (0.5, 1, 0.5)])
def test_identical_recipes_are_rarely_told_apart(films, film, seed, rest):
    """The worst by simulation of 20 000 is 6.3 %; 250 trials have a standard error of 1.5 %."""
    rng, trials, false = np.random.default_rng(3), 250, 0
    for _ in range(trials):
        table = film * rng.normal(size=(films, 1)) + seed * rng.normal(size=(1, 5))
        false += mean_interval(table + rest * rng.normal(size=(films, 5))).p_value < 0.05
    assert false / trials < 0.1


def test_a_difference_that_is_there_is_found():
    rng, found, trials = np.random.default_rng(4), 0, 100
    for _ in range(trials):
        table = 2 + rng.normal(size=(10, 1)) + rng.normal(size=(1, 5)) + rng.normal(size=(10, 5))
        found += mean_interval(table).p_value < 0.05
    assert found / trials > 0.8


def test_identical_brains_have_no_difference():
    same = sums(np.random.default_rng(0).normal(size=(5, 40)))
    for films in (1, 3):
        found = paired_difference([same] * films, [same.copy()] * films, MEAN)
        assert (found.value, found.low, found.high, found.p_value) == (0, 0, 0, 1)
        assert not found.excludes_zero
        assert (found.films, found.seeds) == (films, 5)


def test_the_unit_is_the_film_where_there_are_several():
    """However many blocks they have, three films whose differences are 0, 1 and 2 are three."""
    ours = [sums(np.full((5, blocks), value)) for value, blocks in ((0, 10), (1, 20), (2, 400))]
    theirs = [np.stack([each[..., 0] * 0, each[..., 1]], axis=-1) for each in ours]
    found = paired_difference(ours, theirs, MEAN)
    expected = mean_interval(np.array([0.0, 1.0, 2.0]))
    assert (found.low, found.value, found.high) == pytest.approx((expected.low, 1.0, expected.high))


def test_of_one_film_batches_of_blocks_are_the_units():
    """A mean's pseudo-values are those of its batches; 40 blocks make ten of four."""
    rng = np.random.default_rng(5)
    shared, noise = rng.normal(0, 10, 40), rng.normal(0, 1, 40)
    found = paired_difference([sums([shared + 0.5 + noise])], [sums([shared])], MEAN)
    expected = mean_interval(0.5 + noise.reshape(10, 4).mean(1))
    assert (found.low, found.value, found.high) == pytest.approx(
        (expected.low, expected.value, expected.high)
    )
    assert found.p_value == pytest.approx(expected.p_value)


def test_of_one_film_seeds_that_disagree_widen_the_interval():
    blocks, apart = np.zeros((3, 50)), np.array([[0.0], [1.0], [2.0]])
    agreed = paired_difference([sums(blocks + 1.0)], [sums(blocks)], MEAN)
    unsure = paired_difference([sums(blocks + apart)], [sums(blocks)], MEAN)
    assert (agreed.low, agreed.high) == (1.0, 1.0)
    expected = mean_interval(np.array([0.0, 1.0, 2.0]))
    assert (unsure.low, unsure.high) == pytest.approx((expected.low, expected.high))


def test_a_system_without_seeds_is_set_against_all_seeds():
    ours = [sums([[1.0] * 8, [2.0] * 8, [3.0] * 8]), sums([[2.0] * 8, [3.0] * 8, [4.0] * 8])]
    baseline = [sums([[1.0] * 8]), sums([[1.0] * 8])]
    found = paired_difference(ours, baseline, MEAN)
    assert (found.value, found.films, found.seeds) == (1.5, 2, 3)
    turned = paired_difference(baseline, ours, MEAN)
    assert (turned.value, turned.low, turned.high) == (-1.5, -found.high, -found.low)


def test_ratios_are_of_sums_not_means_of_ratios():
    hits = np.array([[[1.0, 1.0, 1.0], [0.0, 9.0, 9.0]]])
    none = np.array([[[0.0, 0.0, 1.0], [0.0, 0.0, 9.0]]])
    found = paired_difference([hits], [none], STATISTICS["onset_f"])
    assert found.value == pytest.approx(0.1)


def correlated(correlation, blocks=8, samples=50, seed=0):
    """Sums of a correlation that is exact over all blocks."""
    rng = np.random.default_rng(seed)
    one, other = np.linalg.qr(rng.normal(size=(blocks * samples, 3)) - 0)[0].T[1:]
    one, other = (each - each.mean() for each in (one, other))
    other -= one * (one @ other) / (one @ one)
    one, other = one / np.linalg.norm(one), other / np.linalg.norm(other)
    mixed = correlation * one + math.sqrt(1 - correlation**2) * other
    moments = [np.ones_like(one), one, mixed, one**2, mixed**2, one * mixed]
    scale = blocks * samples
    moments = [
        moments[0],
        *(scale**0.5 * each for each in moments[1:3]),
        *(scale * each for each in moments[3:]),
    ]
    return np.stack(moments, axis=-1).reshape(blocks, samples, 6).sum(1)[None]


def test_correlations_are_averaged_by_fishers_z():
    ours = [correlated(0.9), correlated(0.1, seed=1)]
    theirs = [correlated(0.5), correlated(0.1, seed=1)]
    found = paired_difference(ours, theirs, STATISTICS["envelope_correlation"])
    ours_mean = np.tanh((np.arctanh(0.9) + np.arctanh(0.1)) / 2)
    theirs_mean = np.tanh((np.arctanh(0.5) + np.arctanh(0.1)) / 2)
    assert found.value == pytest.approx(ours_mean - theirs_mean)
    z = mean_interval(np.arctanh([0.9, 0.1]) - np.arctanh([0.5, 0.1]))
    assert found.p_value == pytest.approx(z.p_value)
    assert -2 < found.low < found.value < found.high < 2


def test_films_without_a_finite_value_do_not_count():
    nothing = np.zeros((1, 5, 2))
    assert paired_difference([nothing], [nothing], STATISTICS["pitch"]) is None
    one = sums([[1.0] * 5])
    found = paired_difference([one, nothing], [0 * one + [0, 1], nothing], STATISTICS["pitch"])
    assert (found.value, found.films) == (1.0, 1)
    for wrong in ([np.zeros((2, 5, 2))], [np.zeros((3, 4, 2))], []):
        with pytest.raises(ValueError, match="expected the same"):
            paired_difference([np.zeros((3, 5, 2))], wrong, MEAN)


def test_constant_and_silent_sounds_have_an_interval():
    """Sums of nothing but counts: correlations of constants, and no onsets at all."""
    constant = np.tile([100.0, 0, 0, 0, 0, 0], (5, 8, 1))
    found = paired_difference([constant], [constant], STATISTICS["envelope_correlation"])
    assert found is None or (found.value, found.p_value) == (0, 1)
    none = np.zeros((5, 8, 3))
    found = paired_difference([none], [none], STATISTICS["onset_f"])
    assert found is None or (found.value, found.p_value) == (0, 1)
