"""Ridge regression of one value, whose predictions may spread as the values did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


HIDDEN_UNITS, HIDDEN_SPREAD = 150, 1.5
"""How many random units `RandomUnits` has, and the spread of what enters them."""


@dataclass(frozen=True)
class RandomUnits:
    """Fixed random rectified units, whose outputs join the features of a regression.

    The regression stays linear in its weights and closed in form, but can tell that either of two
    patterns is an event (Rahimi and Recht, "Weighted sums of random kitchen sinks", NIPS 2008).

    Attributes
    ----------
    weights : float64 array (features, units)
    biases : float64 array (units,)
    """

    weights: FloatArray
    biases: FloatArray

    @classmethod
    def draw(cls, features: int, units: int = HIDDEN_UNITS, seed: int = 0) -> RandomUnits:
        """Return random units for a number of features; none at all for 0 units."""
        random = np.random.default_rng(seed)
        weights = random.normal(size=(features, units)) * HIDDEN_SPREAD / np.sqrt(features)
        return cls(weights, random.normal(size=units) * 0.5)

    def extend(self, features: FloatArray) -> FloatArray:
        """Return features ``(n, features)`` with the units' outputs, ``(n, features + units)``."""
        if not len(self.biases):
            return features
        outputs = np.maximum(features @ self.weights + self.biases, 0)
        return np.concatenate([features, outputs], axis=1)


@dataclass(frozen=True)
class RidgeRegression:
    """A linear map of standardised features.

    Attributes
    ----------
    weights : float64 array (80,)
    bias : float
    low, high : float
        The range of what it was fitted to; predictions are limited to it.
    """

    weights: FloatArray
    bias: float
    low: float
    high: float

    @classmethod
    def fit(
        cls, features: FloatArray, values: FloatArray, penalty: float, *, match_spread: bool = False
    ) -> RidgeRegression:
        """Return the regression of values ``(n,)`` on features ``(n, 80)``.

        Parameters
        ----------
        penalty : float
            As a share of the number of examples.
        match_spread : bool
            Stretch the predictions about their mean until they spread as the values do. Least
            squares predicts averages, and an average of events is quieter and duller than any of
            them (Toda and Tokuda, "A speech parameter generation algorithm considering global
            variance", 2007).
        """
        if not len(values):
            return cls(np.zeros(features.shape[1]), 0.0, 0.0, 0.0)
        mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
        standard = (features - mean) / spread
        ridge = standard.T @ standard + penalty * len(values) * np.eye(features.shape[1])
        weights = np.linalg.solve(ridge, standard.T @ (values - values.mean()))
        if match_spread:
            predicted = float((standard @ weights).std())
            weights = weights * (float(values.std()) / predicted if predicted > 1e-9 else 0.0)
        weights = weights / spread
        low, high = np.quantile(values, [0.02, 0.98])
        return cls(weights, float(values.mean() - mean @ weights), float(low), float(high))

    def predict(self, features: FloatArray) -> FloatArray:
        """Return predictions ``(n,)`` for features ``(n, 80)``."""
        return np.asarray(features @ self.weights + self.bias)

    def predict_within(self, features: FloatArray) -> FloatArray:
        """Return predictions limited to the range of the values it was fitted to."""
        return self.predict(features).clip(self.low, self.high)


QUANTILES = np.linspace(0.0, 1.0, 21)
"""The quantiles of predictions and values that a `RankedRegression` keeps."""


@dataclass(frozen=True)
class RankedRegression:
    """A regression whose predictions are replaced by the values of the same rank.

    What is predicted then has the distribution of what was learned, whatever the regression knows:
    least squares alone would predict averages.

    Attributes
    ----------
    regression : RidgeRegression
    predicted, values : float64 arrays (21,)
        Quantiles of the regression's predictions and of the values, both ascending.
    """

    regression: RidgeRegression
    predicted: FloatArray
    values: FloatArray

    @classmethod
    def fit(cls, features: FloatArray, values: FloatArray, penalty: float) -> RankedRegression:
        """Return the regression of values ``(n,)`` on features ``(n, 80)``."""
        regression = RidgeRegression.fit(features, values, penalty)
        if not len(values):
            return cls(regression, QUANTILES, np.zeros(len(QUANTILES)))
        predicted = np.quantile(regression.predict(features), QUANTILES)
        return cls(regression, predicted, np.quantile(values, QUANTILES))

    def predict(self, features: FloatArray) -> FloatArray:
        """Return predictions ``(n,)``, within the range of the values."""
        return np.interp(self.regression.predict(features), self.predicted, self.values)


@dataclass(frozen=True)
class OnsetRegression:
    """A regression on features and the outputs of random units, of which there may be none."""

    units: RandomUnits
    regression: RidgeRegression

    def predict(self, features: FloatArray) -> FloatArray:
        """Return predictions ``(n,)`` for features ``(n, 80)``."""
        return self.regression.predict(self.units.extend(features))
