"""Trains a brain's brightness branch: it predicts loudness from the picture's brightness alone.

One minute of film shows few pictures with a thing at any one place, but many of each brightness.
The whole network overfits to how loud each place was; the branch cannot. It is trained after the
rest, and data that it has not seen decides its share in the output: 0 for films whose brightness
says little about loudness, and 1 where it says all. There the network may be as good on what is
held out of a short film, which resembles the rest; it is not on other films.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from frame2sound.brain.brain import Brain
from frame2sound.brain.frame_encoding import BRIGHTNESS_COUNT
from frame2sound.brain.networks import get_brightness_branch
from frame2sound.brain.ridge_regression import RidgeRegression
from frame2sound.brain.spectra import LEVEL_WEIGHT, LogMagnitudes
from frame2sound.library.coupling import correlation
from frame2sound.threads import one_thread_per_operation
from frame2sound.training.branch_fitting import BATCH_SIZE, fit_branch
from frame2sound.training.dataset import IndexArray
from frame2sound.training.example_cache import ExampleCache
from frame2sound.training.losses import predict_in_order
from frame2sound.training.training_data import MAX_SAMPLED_PAIRS

BRANCH_SHARES = (0.0, 0.5, 1.0)
"""Shares in the levels that the branch may have."""

MAX_ERROR_RATIO = 0.75
"""The branch is used only if it lowers the held-out error of loudness to this share or less."""

EXPLAINED, MAX_ERROR_RATIO_IF_EXPLAINED = 0.93, 1.25
"""From this correlation of amplitudes on, brightness explains loudness; the branch is used then, if
it raises the held-out error to no more than this ratio."""

BLOCK_SECONDS, FOLDS = 4.0, 5
"""Blocks of this length are predicted from those of the other folds."""

RANGE_DECADES = 2.5
"""Amplitudes further below the highest count as silence there."""

PENALTY, DARK = 1e-3, 1e-3
"""The penalty of that prediction, and what is added to brightness before its logarithm."""

MAX_DECADES = 6.0
"""Levels count as no louder than this many factors of ten above silence."""


def train_brightness_branch(
    brain: Brain, examples: ExampleCache, held_out_examples: ExampleCache, seed: int
) -> float:
    """Train the brightness branch of a trained brain and return its share in the levels.

    The share with the lowest error of loudness (the root of amplitude) is chosen on the held-out
    pairs; without any it is 0. It is 1 where brightness explains loudness, that is, where
    that of other blocks predicts it.

    Raises
    ------
    ValueError
        The brain has no brightness branch.
    """
    target = brain.target
    if get_brightness_branch(brain.network) is None or not isinstance(target, LogMagnitudes):
        raise ValueError("the brain has no brightness branch")
    indices = examples.pairs.spread_indices(MAX_SAMPLED_PAIRS)
    batches = [
        examples.load_batch(part)
        for part in np.array_split(indices, -(-len(indices) // BATCH_SIZE))
    ]
    brightness = torch.cat([features[:, -BRIGHTNESS_COUNT:] for features, _ in batches]).cpu()
    levels = torch.cat([targets[:, target.levels] for _, targets in batches]).cpu()
    with torch.random.fork_rng(devices=[]), one_thread_per_operation():
        torch.manual_seed(seed)
        branch = fit_branch(brightness, levels, brain.recipe.network.brightness_branch)
    folds = _assign_folds(examples, indices, float(brain.clock.fps))
    explained = _score_blocks(_unscaled(brain, brightness), levels, folds) >= EXPLAINED
    share = 0.0
    if len(held_out_examples):
        held_out = _predict_held_out(brain, target, held_out_examples)
        share = _choose_share(branch, *held_out, explained)
    _merge_branch(brain, target, branch, share)
    return share


def _predict_held_out(
    brain: Brain, target: LogMagnitudes, held_out_examples: ExampleCache
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return brightness ``(n, 3)``, and predicted and target levels ``(n, windows_per_frame)``."""
    chunks = []
    with torch.inference_mode():
        for features, predictions, targets in predict_in_order(
            brain.network, held_out_examples, BATCH_SIZE
        ):
            parts = (
                features[:, -BRIGHTNESS_COUNT:],
                predictions[:, target.levels],
                targets[:, target.levels],
            )
            chunks.append([part.cpu().clone() for part in parts])  # a view would keep the whole
    brightness, predicted, expected = (torch.cat(part) for part in zip(*chunks, strict=True))
    return brightness, predicted, expected


def _unscaled(brain: Brain, brightness: torch.Tensor) -> torch.Tensor:
    """Return the brightness before it was scaled for the network, each number 0 to 1."""
    features = brain.network.features
    assert features is not None and features.brightness is not None
    scaler = features.brightness
    return brightness / scaler.gain.cpu() + scaler.mean.cpu()


def _assign_folds(examples: ExampleCache, indices: NDArray[np.int64], fps: float) -> IndexArray:
    """Return the fold of each pair: the blocks of a film take turns."""
    pairs = examples.pairs
    blocks = pairs.clock_frames[indices] // max(round(BLOCK_SECONDS * fps), 1)
    return (blocks + pairs.film_indices[indices]) % FOLDS


def _score_blocks(brightness: torch.Tensor, levels: torch.Tensor, folds: IndexArray) -> float:
    """Return the correlation of amplitudes with those predicted from other blocks' brightness.

    A ridge regression of logarithms stands in for the branch, since it needs no training.
    """
    light = np.asarray(brightness.double())
    features = np.concatenate([light, np.log(light.clip(0) + DARK)], axis=1)
    amplitudes = np.asarray(_loudness(levels).double().square().mean(dim=1))
    decades = np.log10(amplitudes)
    decades = np.maximum(decades, decades.max() - RANGE_DECADES)
    predicted = np.full_like(decades, decades.min())
    for fold in np.unique(folds):
        others = folds != fold
        regression = RidgeRegression.fit(features[others], decades[others], PENALTY)
        within = regression.predict(features[~others]).clip(decades.min(), decades.max())
        predicted[~others] = within
    return correlation(10**predicted, amplitudes)


def _choose_share(
    branch: nn.Sequential,
    brightness: torch.Tensor,
    predicted_levels: torch.Tensor,
    target_levels: torch.Tensor,
    explained: bool,
) -> float:
    """Return the share of the branch with the lowest error of loudness, or 0 if that is high.

    With ``explained``, it is 1 unless the error is much higher then.
    """
    errors = {}
    with torch.inference_mode():
        branch_levels = branch(brightness)
        target_loudness = _loudness(target_levels)
        for share in BRANCH_SHARES:
            loudness = _loudness(torch.lerp(predicted_levels, branch_levels, share))
            errors[share] = float((loudness - target_loudness).norm())
    if explained and errors[1.0] <= MAX_ERROR_RATIO_IF_EXPLAINED * errors[0.0]:
        return 1.0
    best = min(errors, key=errors.__getitem__)
    return best if errors[best] < MAX_ERROR_RATIO * errors[0] else 0.0


def _loudness(levels: torch.Tensor) -> torch.Tensor:
    """Return the approximate loudness of levels: the root of their amplitude."""
    return torch.pow(10.0, (levels / LEVEL_WEIGHT).clamp(0, MAX_DECADES) / 2)


def _merge_branch(brain: Brain, target: LogMagnitudes, branch: nn.Sequential, share: float) -> None:
    """Copy the branch into the network, and its last layer into the head by its share."""
    hidden, head, rows = get_brightness_branch(brain.network), brain.network.head, target.levels
    assert hidden is not None
    hidden.load_state_dict(branch[:-1].state_dict())
    width, last = brain.recipe.network.brightness_branch, branch[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        head.weight[:, -width:] = 0
        head.weight[rows] *= 1 - share
        head.bias[rows] *= 1 - share
        head.weight[rows, -width:] = share * last.weight.to(head.weight)
        head.bias[rows] += share * last.bias.to(head.bias)
