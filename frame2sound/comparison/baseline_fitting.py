"""Fit the baselines of a comparison: predictors without a network, on the same examples."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.brain.baselines import LinearRegression, MeanPredictor, NearestNeighbour
from frame2sound.brain.predictor import Predictor
from frame2sound.brain.targets import Target
from frame2sound.clock import Clock
from frame2sound.comparison.voice_baseline import VoicePredictor
from frame2sound.film.small_frames import SIZE, luma
from frame2sound.training.dataset import PairDataset
from frame2sound.training.training_data import MAX_SAMPLED_PAIRS, TrainingData

VOICE = "The vOICe"
"""The baseline that has learned nothing."""

BASELINE_NAMES = ("mean", "linear", "nearest", VOICE)
"""Names of what `fit_baselines` returns."""

BATCH_EXAMPLES = 128
"""Examples in memory at once."""


def fit_baselines(
    clock: Clock, target: Target, training_data: TrainingData
) -> dict[str, Predictor]:
    """Return the mean, the nearest neighbour and the linear regression, fitted to examples.

    Beside them stands The vOICe, of which the level alone is fitted.

    Parameters
    ----------
    clock : Clock
    target : Target
        What they predict, scaled as for a brain.
    training_data : TrainingData
        At most 8192 of its training examples are used; its held-out examples select the penalty of
        the regression.
    """
    frames, outputs = select_examples(training_data.training, target)
    held_out = select_examples(training_data.held_out, target)
    return {
        "mean": MeanPredictor.fit(clock, target, outputs),
        "nearest": NearestNeighbour(clock, target, frames, outputs),
        "linear": LinearRegression.fit(clock, target, frames, outputs, held_out),
        VOICE: VoicePredictor.fit(clock, target, training_data.training),
    }


def select_examples(
    examples: PairDataset, target: Target
) -> tuple[NDArray[np.uint8], torch.Tensor]:
    """Return grey frames and encoded targets of at most 8192 examples, evenly spaced.

    Their shapes are (examples, 64, 64) and (examples, target.length).
    """
    indices = examples.spread_indices(MAX_SAMPLED_PAIRS)
    frames = np.empty((len(indices), SIZE, SIZE), np.uint8)
    outputs = torch.empty(len(indices), target.length)
    for first in range(0, len(indices), BATCH_EXAMPLES):
        batch = slice(first, first + BATCH_EXAMPLES)
        histories, excerpts = examples.load(indices[batch])
        last = histories[:, -1]
        frames[batch] = luma(last) if last.ndim == 4 else last
        outputs[batch] = target.encode(torch.from_numpy(excerpts))
    return frames, outputs
