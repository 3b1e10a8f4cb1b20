"""Baselines behind a brain's interface: what any brain must do better than to have learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.brain.features import pixels
from frame2sound.brain.predictor import StatelessPredictor
from frame2sound.brain.targets import Target
from frame2sound.clock import Clock

BLOCK_FRAMES = 512
"""Frames that are compared, or projected, at once."""

COMPONENTS = 512
"""Eigenframes that the linear baseline sees at most."""

PENALTIES = tuple(10.0**power for power in range(-4, 3))
"""What ridge regression chooses from, as shares of the mean variance of an eigenframe."""

PENALTY = 0.1
"""Its penalty where nothing is held out to choose by."""

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class MeanPredictor(StatelessPredictor):
    """Does not look: always the mean of what was wanted.

    Attributes
    ----------
    output : float32 tensor (target.length,)
    """

    clock: Clock
    target: Target
    output: torch.Tensor

    @classmethod
    def fit(cls, clock: Clock, target: Target, outputs: torch.Tensor) -> MeanPredictor:
        """Take the mean of outputs, ``(n, target.length)``."""
        _check(len(outputs), outputs, target)
        return cls(clock, target, outputs.double().mean(0).float())

    def predict(self, frames: Frames) -> NDArray[Any]:
        """Give the same for each of the frames, ``(n, 64, 64)``."""
        return self.target.decode(self.output.repeat(len(frames), 1))


@dataclass(frozen=True)
class NearestNeighbour(StatelessPredictor):
    """Remembers: what was wanted of the frame that looks most alike; of several, the first.

    Alike by the sum of squared differences of pixels, which doubles hold exactly. Both arrays may
    be memory-mapped: frames are compared a block at a time.

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
        _check(len(self.frames), self.outputs, self.target)

    def predict(self, frames: Frames) -> NDArray[Any]:
        """Give what was wanted of the most alike of the known frames."""
        return self.target.decode(self.outputs[torch.from_numpy(self.find_nearest(frames))])

    def find_nearest(self, frames: Frames) -> NDArray[np.int64]:
        """Return the numbers of the known frames that look most like frames ``(n, 64, 64)``."""
        chosen = [
            self._find_nearest(frames[at : at + BLOCK_FRAMES])
            for at in range(0, len(frames), BLOCK_FRAMES)
        ]
        return np.concatenate([*chosen, np.empty(0, np.int64)])

    def _find_nearest(self, frames: Frames) -> NDArray[np.int64]:
        seen = frames.reshape(len(frames), -1).astype(np.float64)
        least = np.full(len(seen), np.inf)
        best = np.zeros(len(seen), np.int64)
        for at in range(0, len(self.frames), BLOCK_FRAMES):
            known = (
                self.frames[at : at + BLOCK_FRAMES].reshape(-1, seen.shape[1]).astype(np.float64)
            )
            # |a - b|^2 without |a|^2, which is the same for all that is known.
            distance = np.square(known).sum(1) - 2 * seen @ known.T
            closest = distance.argmin(1)
            closer = distance[np.arange(len(seen)), closest]
            nearer = closer < least
            least[nearer], best[nearer] = closer[nearer], at + closest[nearer]
        return best


@dataclass(frozen=True)
class LinearRegression(StatelessPredictor):
    """Ridge regression from eigenframes to outputs, in closed form.

    With the pictures' singular value decomposition ``X = U S V'`` and outputs ``Y``, both without
    their means, the weights are ``V (S^2 + p)^-1 S U' Y`` (Hoerl and Kennard 1970).

    Attributes
    ----------
    weight : float32 tensor (4096, k)
        Pixels to eigenframes.
    onto : float32 tensor (k, target.length)
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
        """Fit pairs, at most some thousands: all of their pixels are held at once.

        Parameters
        ----------
        frames : uint8 array (n, 64, 64)
        outputs : float32 tensor (n, target.length)
        held_out : frames and outputs, optional
            By whose mean squared error the penalty is chosen from `PENALTIES`; without, it is
            `PENALTY`.
        seed : int
            Of the randomised decomposition (Halko, Martinsson and Tropp 2011).
        """
        _check(len(frames), outputs, target)
        seen, bias = pixels(torch.tensor(frames)), outputs.mean(0)
        mean = seen.mean(0)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            left, singular, basis = torch.svd_lowrank(seen - mean, min(COMPONENTS, *seen.shape), 4)
        power = singular.square()
        onto = singular[:, None] * (left.T @ (outputs - bias))

        def fitted(penalty: float) -> LinearRegression:
            ridge = power + max(penalty * float(power.mean()), 1e-9)
            weights = onto / ridge[:, None]
            return cls(clock, target, basis, weights, bias - mean @ basis @ weights, penalty)

        if held_out is None or not len(held_out[0]):
            return fitted(PENALTY)
        return min(map(fitted, PENALTIES), key=lambda linear: linear.error(*held_out))

    def error(self, frames: Frames, outputs: torch.Tensor) -> float:
        """Return the mean squared error of the outputs for frames."""
        return float((self.outputs(frames) - outputs).square().mean())

    def outputs(self, frames: Frames) -> torch.Tensor:
        """Return outputs ``(n, target.length)`` for frames ``(n, 64, 64)``."""
        return pixels(torch.tensor(frames)) @ self.weight @ self.projection + self.bias

    def predict(self, frames: Frames) -> NDArray[Any]:
        """Give what the regression says of the frames."""
        return self.target.decode(self.outputs(frames))


def _check(frames: int, outputs: torch.Tensor, target: Target) -> None:
    if not frames or outputs.shape != (frames, target.length):
        raise ValueError(
            f"got {frames} frames and outputs of shape {tuple(outputs.shape)}, "
            f"expected as many of both, one at least, and {target.length} numbers for each"
        )
