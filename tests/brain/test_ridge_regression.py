"""Ridge regressions beside their closed forms."""

import numpy as np
import pytest

from frame2sound.brain.ridge_regression import (
    OnsetRegression,
    RandomUnits,
    RankedRegression,
    RidgeRegression,
)


@pytest.fixture
def examples():
    """Features of very different means and spreads, and values that depend on two of them."""
    random = np.random.default_rng(0)
    features = random.normal(size=(200, 6)) * np.geomspace(0.01, 100, 6) + np.arange(6)
    values = 30 * features[:, 0] - 0.02 * features[:, 5] + random.normal(size=200)
    return features, values


@pytest.mark.parametrize("penalty", [0.01, 0.1, 1.0])
def test_it_solves_the_normal_equations_of_standardised_features(examples, penalty):
    features, values = examples
    found = RidgeRegression.fit(features, values, penalty)
    standard = (features - features.mean(axis=0)) / features.std(axis=0)
    # A penalty is as many more rows, of one feature each, whose value is the mean.
    rows = np.concatenate([standard, np.sqrt(penalty * 200) * np.eye(6)])
    targets = np.concatenate([values - values.mean(), np.zeros(6)])
    weights = np.linalg.lstsq(rows, targets, rcond=None)[0]
    # 1e-6 is added to spreads of at least .01.
    np.testing.assert_allclose(
        found.predict(features), values.mean() + standard @ weights, rtol=1e-3, atol=1e-3
    )
    assert found.predict(features).mean() == pytest.approx(values.mean(), abs=1e-9)


def test_a_linear_law_is_found_without_penalty(examples):
    features, _ = examples
    values = features @ [50, 5, 1, 0.5, 0.1, 0.01] - 7
    found = RidgeRegression.fit(features, values, 1e-12)
    np.testing.assert_allclose(found.weights, [50, 5, 1, 0.5, 0.1, 0.01], rtol=1e-3)
    assert found.bias == pytest.approx(-7, rel=1e-2)


@pytest.mark.parametrize("penalty", [0.1, 1.0, 30.0])
def test_matched_predictions_spread_as_the_values_do(examples, penalty):
    features, values = examples
    plain = RidgeRegression.fit(features, values, penalty)
    matched = RidgeRegression.fit(features, values, penalty, match_spread=True)
    assert plain.predict(features).std() < 0.95 * values.std()
    assert matched.predict(features).std() == pytest.approx(values.std(), rel=1e-9)
    assert matched.predict(features).mean() == pytest.approx(values.mean(), rel=1e-9)
    correlation = np.corrcoef(plain.predict(features), matched.predict(features))[0, 1]
    assert correlation == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("match_spread", [False, True])
def test_features_that_never_change_predict_the_mean(match_spread):
    values = np.array([1.0, 2.0, 6.0])
    found = RidgeRegression.fit(np.full((3, 4), 5.0), values, 0.1, match_spread=match_spread)
    np.testing.assert_allclose(found.predict(np.full((2, 4), 5.0)), 3.0, atol=1e-6)


def test_limited_predictions_stay_within_most_of_the_values(examples):
    features, values = examples
    found = RidgeRegression.fit(features, values, 0.1)
    assert (found.low, found.high) == tuple(np.quantile(values, [0.02, 0.98]))
    far = found.predict_within(features * 1e3)
    assert far.max() == found.high
    assert far.min() == found.low
    inside = (found.predict(features) > found.low) & (found.predict(features) < found.high)
    np.testing.assert_array_equal(
        found.predict_within(features)[inside], found.predict(features)[inside]
    )


def test_no_examples_predict_nothing():
    found = RidgeRegression.fit(np.empty((0, 4)), np.empty(0), 0.1)
    assert np.isfinite([*found.weights, found.bias, found.low, found.high]).all()
    assert (found.weights == 0).all()
    ranked = RankedRegression.fit(np.empty((0, 4)), np.empty(0), 0.1)
    assert np.isfinite(ranked.predict(np.ones((2, 4)))).all()


def test_ranked_predictions_have_the_quantiles_of_the_values(examples):
    features, values = examples
    values = np.exp(values / values.std())  # far from normal
    found = RankedRegression.fit(features, values, 1.0)
    quantiles = np.linspace(0, 1, 21)
    np.testing.assert_allclose(
        np.quantile(found.predict(features), quantiles),
        np.quantile(values, quantiles),
        # Between two of 21 quantiles, of 10 values each, both are interpolated.
        rtol=0.1,
    )
    assert found.predict(features * 1e4).max() <= values.max()
    assert found.predict(features * 1e4).min() >= values.min()


def test_ranks_keep_the_order_of_the_predictions(examples):
    features, values = examples
    found = RankedRegression.fit(features, values, 1.0)
    order = found.regression.predict(features).argsort()
    assert (np.diff(found.predict(features)[order]) >= 0).all()


def test_equal_values_are_predicted_for_all(examples):
    features, _ = examples
    found = RankedRegression.fit(features, np.full(200, -23.0), 1.0)
    np.testing.assert_allclose(found.predict(features), -23.0)


def test_random_units_are_rectified_sums_that_follow_the_features():
    units = RandomUnits.draw(3, 5)
    features = np.random.default_rng(1).normal(size=(4, 3))
    extended = units.extend(features)
    assert extended.shape == (4, 8)
    np.testing.assert_array_equal(extended[:, :3], features)
    for row, outputs in zip(features, extended[:, 3:], strict=True):
        for unit, output in enumerate(outputs):
            total = sum(row[i] * units.weights[i, unit] for i in range(3)) + units.biases[unit]
            assert output == pytest.approx(max(total, 0), abs=1e-12)
    np.testing.assert_array_equal(RandomUnits.draw(3, 5).weights, units.weights)
    assert not np.array_equal(RandomUnits.draw(3, 5, seed=1).weights, units.weights)


def test_no_random_units_leave_features_as_they_are(examples):
    features, values = examples
    units = RandomUnits.draw(6, 0)
    assert units.extend(features) is features
    regression = RidgeRegression.fit(features, values, 0.1)
    np.testing.assert_array_equal(
        OnsetRegression(units, regression).predict(features), regression.predict(features)
    )


def test_random_units_tell_that_either_of_two_patterns_is_an_event():
    features = np.tile([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]], (20, 1))
    values = (features[:, 0] != features[:, 1]).astype(float)
    errors = {}
    for count in (0, 150):
        units = RandomUnits.draw(2, count)
        regression = RidgeRegression.fit(units.extend(features), values, 0.01)
        found = OnsetRegression(units, regression).predict(features)
        errors[count] = np.abs(found - values).max()
    assert errors[0] == pytest.approx(0.5, abs=1e-6)
    assert errors[150] < 0.05
