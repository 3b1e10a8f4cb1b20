"""Multinomial logistic regression on the summaries of windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from frame2sound.sorting.classifier import Arrays, Classifier, ClassifierKind, check_shapes
from frame2sound.sorting.labelled_windows import LabelledWindows
from frame2sound.sorting.scaling import Scaling
from frame2sound.sorting.window_features import SUMMARY_LENGTH, WindowFeatures

FloatArray = NDArray[np.float64]

PENALTY = 0.03
"""Weight of half the squared coefficients, beside the mean cross-entropy of a window."""

MAX_ITERATIONS = 500


@dataclass(frozen=True, eq=False)
class LogisticRegression:
    """Coefficients of scaled summaries, (60, labels), and an intercept for each label."""

    scaling: Scaling
    coefficients: NDArray[np.float32]
    intercepts: NDArray[np.float32]

    def probabilities(self, features: WindowFeatures) -> FloatArray:
        """Return the probability of each label for each window, (n, labels)."""
        scaled = self.scaling.apply(features.summaries).astype(np.float64)
        found: FloatArray = softmax(scaled @ self.coefficients + self.intercepts, axis=1)
        return found

    def arrays(self) -> Arrays:
        """Return the arrays to store."""
        return {
            "mean": self.scaling.mean,
            "deviation": self.scaling.deviation,
            "coefficients": self.coefficients,
            "intercepts": self.intercepts,
        }


def fit_logistic_regression(windows: LabelledWindows, seed: int = 0) -> Classifier:
    """Return the logistic regression with the least penalised cross-entropy; no seed matters."""
    weights = windows.balanced_weights()
    scaling = Scaling.fit(windows.features.summaries, weights)
    scaled = scaling.apply(windows.features.summaries).astype(np.float64)
    coefficients, intercepts = solve(scaled, windows.labels, weights, windows.label_count)
    return LogisticRegression(
        scaling, coefficients.astype(np.float32), intercepts.astype(np.float32)
    )


def solve(
    values: FloatArray, labels: NDArray[np.int64], weights: FloatArray, label_count: int
) -> tuple[FloatArray, FloatArray]:
    """Return coefficients, (features, labels), and intercepts, (labels,), by L-BFGS.

    They minimise the mean over windows of weight times cross-entropy, plus `PENALTY` times half
    the sum of squared coefficients. Intercepts have no penalty.
    """
    count, features = values.shape
    share = weights / count
    truth = np.zeros((count, label_count))
    truth[np.arange(count), labels] = 1

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        table = flat.reshape(features + 1, label_count)
        logits = log_softmax(values @ table[:-1] + table[-1], axis=1)
        value = -share @ (logits * truth).sum(axis=1) + PENALTY / 2 * (table[:-1] ** 2).sum()
        error = (np.exp(logits) - truth) * share[:, None]
        slope = np.concatenate([values.T @ error + PENALTY * table[:-1], error.sum(axis=0)[None]])
        return float(value), slope.ravel()

    start = np.zeros((features + 1) * label_count)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MAX_ITERATIONS})
    table = found.x.reshape(features + 1, label_count)
    return table[:-1], table[-1]


def load_logistic_regression(arrays: Arrays, label_count: int) -> Classifier:
    """Return the classifier with these arrays."""
    check_shapes(
        arrays,
        {
            "mean": (SUMMARY_LENGTH,),
            "deviation": (SUMMARY_LENGTH,),
            "coefficients": (SUMMARY_LENGTH, label_count),
            "intercepts": (label_count,),
        },
    )
    scaling = Scaling(arrays["mean"], arrays["deviation"])
    return LogisticRegression(scaling, arrays["coefficients"], arrays["intercepts"])


LOGISTIC_REGRESSION = ClassifierKind(
    "logistic regression", fit_logistic_regression, load_logistic_regression
)
