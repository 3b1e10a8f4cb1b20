"""Baselines with the interface of a brain; a brain that is no better has learned nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.brain.frame_encoding import pixels
from frame2sound.brain.predictor import StatelessPredictor
from frame2sound.brain.targets import Target
from frame2sound.clock import Clock

BLOCK_FRAMES = 512
"""Frames that are compared at once."""

COMPONENTS = 512
"""Maximum number of eigenframes of the linear baseline."""

PENALTIES = tuple(10.0**power for power in range(-4, 3))
"""Candidate ridge penalties, as shares of the mean variance of an eigenframe."""

PENALTY = 0.1
"""The ridge penalty if nothing is held out to choose it by."""

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class MeanPredictor(StatelessPredictor):
    """Ignores the picture and always predicts the mean of the training targets.

    Attributes
    ----------
    output : float32 tensor (target.length,)
    """

    clock: Clock
    target: Target
    output: torch.Tensor

    @classmethod
    def fit(cls, clock: Clock, target: Target, outputs: torch.Tensor) -> MeanPredictor:
        """Return the predictor of the mean of outputs ``(n, target.length)``."""
        _check_examples(len(outputs), outputs, target)
        return cls(clock, target, outputs.double().mean(0).float())

    def predict(self, frames: Frames) -> NDArray[Any]:
        """Return the mean for each of the frames ``(n, 64, 64)``."""
        return self.target.decode(self.output.repeat(len(frames), 1))


@dataclass(frozen=True)
class NearestNeighbour(StatelessPredictor):
    """Predicts the target of the nearest training frame; of equally near ones, the first.

    The distance is the sum of squared pixel differences, which doubles represent exactly. Both
    arrays may be memory-mapped: frames are compared block by block.

    Attributes
    ----------
    frames : uint8 array (n, 64, 64)
    outputs : float32 tensor (n, target.length)
    """

    clock: Clock
    target: Target
    frames: Frames
    outputs: torch.Tensor

    def __post_init__(self) -> None:
        _check_examples(len(self.frames), self.outputs, self.target)

    def predict(self, frames: Frames) -> NDArray[Any]:
        """Return the prediction for each of the frames ``(n, 64, 64)``."""
        return self.target.decode(self.outputs[torch.from_numpy(self.find_nearest(frames))])

    def find_nearest(self, frames: Frames) -> NDArray[np.int64]:
        """Return the indices of the training frames nearest to frames ``(n, 64, 64)``."""
        nearest = [
            self._find_nearest(frames[at : at + BLOCK_FRAMES])
            for at in range(0, len(frames), BLOCK_FRAMES)
        ]
        return np.concatenate([*nearest, np.empty(0, np.int64)])

    def _find_nearest(self, frames: Frames) -> NDArray[np.int64]:
        queries = frames.reshape(len(frames), -1).astype(np.float64)
        least = np.full(len(queries), np.inf)
        best = np.zeros(len(queries), np.int64)
        for at in range(0, len(self.frames), BLOCK_FRAMES):
            block = self.frames[at : at + BLOCK_FRAMES]
            known = block.reshape(-1, queries.shape[1]).astype(np.float64)
            # |a - b|^2 without |a|^2, which is the same for all training frames.
            distance = np.square(known).sum(1) - 2 * queries @ known.T
            closest = distance.argmin(1)
            closest_distance = distance[np.arange(len(queries)), closest]
            nearer = closest_distance < least
            least[nearer], best[nearer] = closest_distance[nearer], at + closest[nearer]
        return best


@dataclass(frozen=True)
class LinearRegression(StatelessPredictor):
    """Ridge regression from eigenframes to outputs, in closed form.

    With the singular value decomposition ``X = U S V'`` of the pictures and outputs ``Y``, both
    centred, the weights are ``V (S^2 + p)^-1 S U' Y`` (Hoerl and Kennard 1970).

    Attributes
    ----------
    weight : float32 tensor (4096, k)
        Pixels to eigenframes.
    projection : float32 tensor (k, target.length)
        Eigenframes to outputs.
    bias : float32 tensor (target.length,)
    penalty : float
        As a share of the mean variance of an eigenframe.
    """

    clock: Clock
    target: Target
    weight: torch.Tensor
    projection: torch.Tensor
    bias: torch.Tensor
    penalty: float

    @classmethod
    def fit(
        cls,
        clock: Clock,
        target: Target,
        frames: Frames,
        outputs: torch.Tensor,
        held_out: tuple[Frames, torch.Tensor] | None = None,
        seed: int = 0,
    ) -> LinearRegression:
        """Return the regression for pairs of frames and outputs, at most a few thousand.

        All of their pixels are in memory at once.

        Parameters
        ----------
        frames : uint8 array (n, 64, 64)
        outputs : float32 tensor (n, target.length)
        held_out : frames and outputs, optional
            Chooses the penalty from `PENALTIES` by mean squared error; without it, the penalty is
            `PENALTY`.
        seed : int
            Of the randomised decomposition (Halko, Martinsson and Tropp 2011).
        """
        _check_examples(len(frames), outputs, target)
        inputs, bias = pixels(torch.tensor(frames)), outputs.mean(0)
        mean = inputs.mean(0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            rank = min(COMPONENTS, *inputs.shape)
            left, singular, basis = torch.svd_lowrank(inputs - mean, rank, 4)
        power = singular.square()
        correlation = singular[:, None] * (left.T @ (outputs - bias))

        def fit_with(penalty: float) -> LinearRegression:
            ridge = power + max(penalty * float(power.mean()), 1e-9)
            weights = correlation / ridge[:, None]
            return cls(clock, target, basis, weights, bias - mean @ basis @ weights, penalty)

        if held_out is None or not len(held_out[0]):
            return fit_with(PENALTY)
        return min(map(fit_with, PENALTIES), key=lambda linear: linear.error(*held_out))

    def error(self, frames: Frames, outputs: torch.Tensor) -> float:
        """Return the mean squared error of the outputs for frames."""
        return float((self.outputs(frames) - outputs).square().mean())

    def outputs(self, frames: Frames) -> torch.Tensor:
        """Return outputs ``(n, target.length)`` for frames ``(n, 64, 64)``."""
        return pixels(torch.tensor(frames)) @ self.weight @ self.projection + self.bias

    def predict(self, frames: Frames) -> NDArray[Any]:
        """Return the prediction for each of the frames ``(n, 64, 64)``."""
        return self.target.decode(self.outputs(frames))


def _check_examples(frame_count: int, outputs: torch.Tensor, target: Target) -> None:
    if not frame_count or outputs.shape != (frame_count, target.length):
        raise ValueError(
            f"got {frame_count} frames and outputs of shape {tuple(outputs.shape)}, expected at "
            f"least one frame and outputs of shape ({frame_count}, {target.length})"
        )
