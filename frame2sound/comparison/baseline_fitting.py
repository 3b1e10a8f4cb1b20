"""What any brain must do better than: what learned the same pairs without a network."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.brain.baselines import LinearRegression, MeanPredictor, NearestNeighbour
from frame2sound.brain.predictor import Predictor
from frame2sound.brain.targets import Target
from frame2sound.clock import Clock
from frame2sound.film.decoding.frame_resizer import SIZE, luma
from frame2sound.training.dataset import PairDataset
from frame2sound.training.training_data import MAX_SAMPLED_PAIRS, TrainingData

BATCH_EXAMPLES = 128
"""Pairs that are looked at at once."""


def fit_baselines(
    clock: Clock, target: Target, training_data: TrainingData
) -> dict[str, Predictor]:
    """Return the mean, the nearest frame and the linear regression, fitted to pairs.

    Parameters
    ----------
    clock : Clock
    target : Target
        What they foretell, scaled as a brain's is.
    material : Material
        Its learned pairs are what they know, 8192 at most; what it holds out chooses how the
        regression is penalised.
    """
    frames, outputs = select_examples(training_data.training, target)
    held_out = select_examples(training_data.held_out, target)
    return {
        "mean": MeanPredictor.fit(clock, target, outputs),
        "nearest": NearestNeighbour(clock, target, frames, outputs),
        "linear": LinearRegression.fit(clock, target, frames, outputs, held_out),
    }


def select_examples(
    examples: PairDataset, target: Target
) -> tuple[NDArray[np.uint8], torch.Tensor]:
    """Return grey frames, and what is wanted of them; spread over all pairs if these are many."""
    which = examples.spread_indices(MAX_SAMPLED_PAIRS)
    frames = np.empty((len(which), SIZE, SIZE), np.uint8)
    outputs = torch.empty(len(which), target.length)
    for at in range(0, len(which), BATCH_EXAMPLES):
        moments, excerpts = examples.load(which[at : at + BATCH_EXAMPLES])
        frames[at : at + BATCH_EXAMPLES] = (
            luma(moments[:, -1]) if moments.ndim == 5 else moments[:, -1]
        )
        outputs[at : at + BATCH_EXAMPLES] = target.encode(torch.from_numpy(excerpts))
    return frames, outputs
