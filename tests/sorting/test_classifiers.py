"""Classifiers against slow references, and all of them on windows that can be told apart."""

from __future__ import annotations

import numpy as np
import pytest

from frame2sound.sorting.classifiers import CLASSIFIERS
from frame2sound.sorting.cross_validation import cross_validate
from frame2sound.sorting.intervals import score_with_interval
from frame2sound.sorting.logistic_regression import PENALTY, solve
from frame2sound.sorting.nearest_neighbours import NEIGHBOURS, fit_nearest_neighbours
from frame2sound.sorting.scaling import Scaling
from frame2sound.sorting.scores import balanced_score, film_scores
from tests.sorting.made_windows import made_windows


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_labels_that_differ_are_learned_scaled_and_stored(name: str) -> None:
    kind = CLASSIFIERS[name]
    windows = made_windows([0, 0, 1, 1, 2, 2], of_label=1.0, of_film=0.1)
    learned = windows.of_films(np.array([True, False] * 3))
    asked = windows.of_films(np.array([False, True] * 3))
    classifier = kind.fit(learned, 0)
    probabilities = classifier.probabilities(asked.features)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == asked.labels).mean() > 0.95
    again = kind.load(classifier.arrays(), 3)
    np.testing.assert_allclose(again.probabilities(asked.features), probabilities, rtol=1e-6)
    same = kind.fit(learned, 0).probabilities(asked.features)
    np.testing.assert_allclose(same, probabilities, rtol=1e-6)
    summaries = learned.features.summaries
    assert np.abs(classifier.arrays()["mean"][:20] - summaries[:, :20].mean(0)).max() < 1e-3
    with pytest.raises(ValueError, match="has shape"):
        kind.load(classifier.arrays(), 4)
    with pytest.raises(ValueError, match="missing or unknown arrays: other"):
        kind.load({**classifier.arrays(), "other": summaries}, 3)


def test_logistic_regression_is_that_of_scikit_learn() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    random = np.random.default_rng(0)
    values, labels = random.normal(size=(80, 5)), random.integers(0, 3, 80)
    weights = random.uniform(0.5, 2, 80)
    weights /= weights.mean()
    coefficients, intercepts = solve(values, labels, weights, 3)
    oracle = linear_model.LogisticRegression(C=1 / (PENALTY * 80), tol=1e-10, max_iter=10_000)
    oracle.fit(values, labels, weights)
    logits = values @ coefficients + intercepts
    expected = oracle.predict_proba(values)
    found = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(found / found.sum(1, keepdims=True), expected, atol=2e-3)


def test_nearest_neighbours_vote_by_the_weight_of_their_label() -> None:
    windows = made_windows([0, 0, 0, 1], per_film=5)
    classifier = fit_nearest_neighbours(windows)
    weights = windows.balanced_weights()
    scaling = Scaling.fit(windows.features.summaries, weights)
    known = scaling.apply(windows.features.summaries)
    asked = made_windows([0], per_film=3, seed=5).features
    for row, summary in zip(classifier.probabilities(asked), asked.summaries, strict=True):
        distances = ((known - scaling.apply(summary)) ** 2).sum(1)
        near = np.argsort(distances)[:NEIGHBOURS]
        votes = [weights[near][windows.labels[near] == label].sum() + 0.5 for label in (0, 1)]
        np.testing.assert_allclose(row, np.array(votes) / sum(votes), rtol=1e-5)


def test_weights_balance_labels_and_films() -> None:
    windows = made_windows([0, 0, 1], per_film=6)
    windows = windows.select(np.array([0, 6, 7, 8, 12, 13]))
    weights = windows.balanced_weights()
    assert weights.mean() == pytest.approx(1)
    np.testing.assert_allclose(weights[:4] * [1, 3, 3, 3], weights[0])
    assert weights[:4].sum() == pytest.approx(weights[4:].sum())


def test_random_labels_are_learned_by_who_has_heard_the_films_and_by_no_one_else() -> None:
    """Clips of one film on both sides of a split look like knowledge, and are none."""
    random = np.random.default_rng(0)
    kinds = {"nearest neighbours": CLASSIFIERS["nearest neighbours"]}
    held, scores, leaking = 0, [], []
    for draw in range(30):
        labels = random.permutation([0] * 5 + [1] * 6)
        windows = made_windows(labels.tolist(), of_film=1.0, seed=draw)
        found = cross_validate(windows, kinds, draw, lambda: None)
        score = score_with_interval(
            [(found.scores["nearest neighbours"], labels)], windows.film_groups, folds=5
        )
        held += score.holds(0.5)
        scores.append(score.value)
        parts = random.integers(0, 2, len(windows.films))
        classifier = kinds["nearest neighbours"].fit(windows.select(parts == 0), 0)
        rest = windows.select(parts == 1)
        right = film_scores(classifier.probabilities(rest.features), rest)
        leaking.append(balanced_score(right, labels))
    assert held >= 26
    assert 0.35 < np.mean(scores) < 0.55
    assert np.mean(leaking) > 0.8


def test_every_film_is_judged_by_what_has_not_heard_its_group() -> None:
    windows = made_windows([0, 0, 0, 1, 1, 1], groups=[0, 0, 1, 2, 3, 4])
    heard = []

    class Spy:
        def probabilities(self, features):
            return np.full((len(features), 2), 0.5)

    def fit(learned, seed):
        heard.append(set(learned.film_groups[learned.films]))
        return Spy()

    kind = type("Kind", (), {"fit": staticmethod(fit)})
    found = cross_validate(windows, {"spy": kind}, 0, lambda: None)
    for fold, groups in enumerate(heard):
        assert not groups & set(windows.film_groups[found.folds == fold])
