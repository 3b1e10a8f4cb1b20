"""Motion heads whose predictions are known."""

import numpy as np

from frame2sound.brain.event_head import HeadSettings, MotionHead
from frame2sound.brain.motion import FEATURE_COUNT, MOTION_NUMBERS
from frame2sound.brain.ridge_regression import (
    OnsetRegression,
    RandomUnits,
    RankedRegression,
    RidgeRegression,
)

CURRENT = FEATURE_COUNT - len(MOTION_NUMBERS)
"""Where the numbers of the current picture begin among the features."""


def linear(weight, bias, low=-200.0, high=100.0):
    """Return a regression of the current picture's change alone."""
    weights = np.zeros(FEATURE_COUNT)
    weights[CURRENT + MOTION_NUMBERS.index("change")] = weight
    return RidgeRegression(weights, bias, low, high)


def settings(**changed):
    """Return settings of a head that speaks for events and for the level."""
    table = {
        "threshold": 0.5,
        "event_scale": 0.8,
        "hidden_units": 0,
        "events": "motion",
        "level": "motion",
        "spectrum": "mean",
        "onset_f": 0.6,
        "onset_chance": 0.1,
        "level_correlation": 0.5,
        "network_onset_f": 0.2,
        "network_level_correlation": 0.1,
        "loud_level_db": -20.0,
    }
    return HeadSettings(**(table | changed))


def known_head(onset=None, bed=None, all_sound=None, **changed):
    """Return a head whose curves follow the change of the picture."""
    ranked = RankedRegression(linear(1.0, 0.0), np.linspace(0, 4, 21), np.linspace(-60, -10, 21))
    return MotionHead(
        OnsetRegression(RandomUnits.draw(FEATURE_COUNT, 0), onset or linear(1.0, 0.0)),
        ranked,
        bed or linear(10.0, -50.0),
        all_sound or linear(20.0, -45.0),
        settings(**changed),
    )


def random_head(hidden_units, seed=0):
    """Return a head of random numbers."""
    random = np.random.default_rng(seed)

    def regression(size=FEATURE_COUNT):
        bias, *limits = random.normal(size=3).tolist()
        return RidgeRegression(random.normal(size=size), bias, min(limits), max(limits))

    units = RandomUnits.draw(FEATURE_COUNT, hidden_units, seed)
    quantiles = np.sort(random.normal(size=(2, 21)), axis=1)
    return MotionHead(
        OnsetRegression(units, regression(FEATURE_COUNT + hidden_units)),
        RankedRegression(regression(), *quantiles),
        regression(),
        regression(),
        settings(hidden_units=hidden_units),
    )
