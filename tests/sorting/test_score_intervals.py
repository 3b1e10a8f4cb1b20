"""Scores are balanced, and their intervals are of groups of films, not of windows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from frame2sound.sorting.choice import best_classifier, choice_shares
from frame2sound.sorting.intervals import _expanded_tail, score_with_interval
from frame2sound.sorting.random_labels import permute_labels
from frame2sound.sorting.scores import balanced_score, film_scores, films_right
from tests.sorting.made_windows import made_windows


def test_who_always_says_the_same_gets_chance() -> None:
    labels = np.array([0] * 8 + [1, 1])
    assert balanced_score((labels == 0).astype(float), labels) == pytest.approx(0.5)
    assert balanced_score(np.array([1.0] * 8 + [0.5, 0]), labels) == pytest.approx(0.625)


def test_scores_of_films_are_shares_of_their_windows() -> None:
    windows = made_windows([0, 1], per_film=4)
    says_0 = np.array([0.9, 0.8, 0.4, 0.9, 0.6, 0.55, 0.52, 0.1])
    probabilities = np.stack([says_0, 1 - says_0], axis=1)
    np.testing.assert_allclose(film_scores(probabilities, windows), [0.75, 0.25])
    np.testing.assert_array_equal(films_right(probabilities, windows), [True, True])


def test_an_interval_of_films_that_are_all_right_is_that_of_coins() -> None:
    labels, groups = np.array([0, 0, 0, 1, 1, 1, 1]), np.arange(7)
    score = score_with_interval([(np.ones(7), labels)], groups)
    assert (score.value, score.low, score.high) == (1.0, pytest.approx(0.025 ** (1 / 7)), 1.0)
    assert score_with_interval([(np.zeros(7), labels)], groups).high == pytest.approx(
        1 - 0.025 ** (1 / 7)
    )


def test_an_interval_of_many_groups_is_the_normal_one() -> None:
    random = np.random.default_rng(0)
    scores = random.uniform(0, 1, 800)
    labels = np.repeat([0, 1], 400)
    score = score_with_interval([(scores, labels)], np.arange(800))
    error = 1.96 * np.sqrt(scores[:400].var() / 400 + scores[400:].var() / 400) / 2
    assert score.high - score.low == pytest.approx(2 * error, rel=0.06)


def test_copies_of_films_do_not_narrow_an_interval() -> None:
    scores, labels = np.array([0.2, 0.9, 0.4, 0.8, 0.3, 0.7]), np.array([0, 0, 0, 1, 1, 1])
    once = score_with_interval([(scores, labels)], np.arange(6))
    often = score_with_interval(
        [(np.repeat(scores, 10), np.repeat(labels, 10))], np.repeat(np.arange(6), 10)
    )
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_intervals_of_few_groups_hold_the_truth_about_as_often_as_they_say() -> None:
    random, held = np.random.default_rng(0), 0
    labels = np.array([0] * 5 + [1] * 6)
    for draw in range(200):
        scores = random.beta(1, 1, 11)
        held += score_with_interval([(scores, labels)], np.arange(11), draw).holds(0.5)
    assert held >= 180


def test_the_figure_of_a_choice_among_guesses_is_chance() -> None:
    """Of five that guess, the best on the same films is far above chance."""
    random = np.random.default_rng(0)
    labels, groups = np.repeat([0, 1], 6), np.arange(12)
    best, unbiased = [], []
    for seed in range(30):
        scores = {str(kind): random.binomial(1, 0.5, 12).astype(float) for kind in range(5)}
        best.append(balanced_score(scores[best_classifier(scores, labels)], labels))
        shares = choice_shares(scores, labels, groups, seed)
        np.testing.assert_allclose(shares.sum(axis=0), 1)
        unbiased.append(balanced_score((shares * np.stack([*scores.values()])).sum(0), labels))
    assert np.mean(best) > 0.62
    assert 0.42 < np.mean(unbiased) < 0.55


def test_random_labels_are_those_of_groups_exchanged() -> None:
    labels, groups = np.array([0, 0, 0, 1, 1, 2]), np.array([5, 5, 3, 1, 0, 2])
    drawn = np.stack([permute_labels(labels, groups, seed) for seed in range(50)])
    assert (drawn[:, 0] == drawn[:, 1]).all()
    of_groups = np.sort(drawn[:, 1:], axis=1)
    assert (of_groups == [0, 0, 1, 1, 2]).all()
    assert len(np.unique(drawn, axis=0)) > 10


def test_folds_and_few_groups_widen_by_the_published_factors() -> None:
    scores = np.tile([0.4, 0.5, 0.6, 0.55, 0.45], 8)
    runs, films = [(scores, np.arange(40) % 2)], np.arange(40)
    alone, folded = score_with_interval(runs, films), score_with_interval(runs, films, folds=5)
    assert (folded.value - folded.low) / (alone.value - alone.low) == pytest.approx(1.5)
    quantile = -2.306004 * (10 / 8) ** 0.5  # of Student's t with 8 degrees of freedom
    assert norm.cdf(quantile) == pytest.approx(_expanded_tail(0.025, 10, 8), rel=1e-4)
