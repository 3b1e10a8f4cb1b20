"""Pooled counts of onsets, against values that are known in closed form."""

import numpy as np
import pytest

from frame2sound.evaluation.onset_counts import OnsetCounts
from frame2sound.evaluation.onsets import onset_chance, onset_scores

TRUTH = [0.5, 1.0, 1.5, 2.0]


def test_each_onset_matches_at_most_one_other_within_the_tolerance():
    assert OnsetCounts.compare([0.46, 0.54, 1.049, 1.56], TRUTH) == OnsetCounts(2, 4, 4)
    assert OnsetCounts.compare([], TRUTH) == OnsetCounts(0, 0, 4)
    assert OnsetCounts.compare([0.3], []) == OnsetCounts(0, 1, 0)


def test_a_sum_weighs_onsets_and_a_mean_of_f_measures_would_weigh_films():
    dense, sparse = OnsetCounts(0, 10, 10), OnsetCounts(1, 1, 1)
    assert (dense + sparse).f_measure == pytest.approx(2 / 22)
    assert (dense.f_measure + sparse.f_measure) / 2 == 0.5


def test_the_f_measure_is_that_of_one_film():
    found = [0.46, 0.54, 1.049, 1.56, 3.0]
    scores = onset_scores(found, TRUTH)
    assert OnsetCounts.compare(found, TRUTH).f_measure == pytest.approx(scores.f_measure)


def test_films_without_onsets_on_either_side_have_no_score_and_add_nothing():
    assert OnsetCounts().f_measure is None
    assert (OnsetCounts() + OnsetCounts(1, 2, 2)).f_measure == 0.5


def test_the_mean_of_counts_need_not_be_whole():
    mean = OnsetCounts.mean([OnsetCounts(1, 2, 3), OnsetCounts(0, 3, 3)])
    assert mean == OnsetCounts(0.5, 2.5, 3)


def test_chance_of_one_film_is_that_of_the_other_measure():
    found, truth = np.array([0.4, 1.1, 2.2]), np.array(TRUTH)
    counts = OnsetCounts.by_chance(found, truth, 3.0)
    assert counts.f_measure == pytest.approx(onset_chance(found, truth, 3.0).mean)
    assert (counts.estimated, counts.reference) == (3, 4)
