"""Unit selection: the sequence of units that matches the predictions best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.mosaic.unit_database import FeatureVectors, UnitDatabase

SILENCE = -1
"""The unit number of a silent frame."""

MAX_CANDIDATES, BEAM_WIDTH = 24, 32
"""The number of best-matching units per frame, and of paths in the beam search."""

JOIN_COST = 0.03
"""Cost of joining units that do not follow each other in a film, added to their distance."""

REPEAT_COST = 2.0
"""Cost of repeating a unit too soon: more than most target costs, so a last resort."""


@dataclass(frozen=True)
class Costs:
    """The weights of unit selection.

    Attributes
    ----------
    literal : float
        Weight of the target cost, 0 to 1; the rest is the weight of the join cost.
    variety : float
        Random factor on the target cost.
    no_repeat_frames : int
        Frames within which a unit is not repeated.
    """

    literal: float
    variety: float
    no_repeat_frames: int


@dataclass
class _Paths:
    """The paths of the beam: the last unit of each, its cost, and its recent units."""

    unit: NDArray[np.int64]
    cost: NDArray[np.float64]
    recent_units: NDArray[np.int64]

    def only(self, which: NDArray[np.int64]) -> _Paths:
        return _Paths(self.unit[which], self.cost[which], self.recent_units[which])


class UnitSelector:
    """Selects units for successive frames by beam search.

    A Viterbi search (Hunt and Black, "Unit selection in a concatenative speech synthesis system",
    1996; Schwarz, "Concatenative sound synthesis: the early years", 2006) over the units that
    match each frame best and those that follow the units before in their film. Each path knows
    its recent units, to avoid repetition. The best path is fixed at the end of each call.
    """

    def __init__(self, database: UnitDatabase, costs: Costs, seed: int) -> None:
        self.database = database
        self.costs = costs
        self._random = np.random.default_rng(seed)
        self._half_squared_norms = 0.5 * np.einsum(
            "ij,ij->i", database.features.vectors, database.features.vectors
        )
        recent = np.full((1, max(costs.no_repeat_frames, 1)), SILENCE)
        self._paths = _Paths(np.array([SILENCE]), np.zeros(1), recent)

    def select(self, features: FeatureVectors) -> NDArray[np.int64]:
        """Return a unit, or `SILENCE`, for each of the next frames."""
        silent = features.loudness_db <= self.database.silence_db
        target_costs = self._target_costs(features.vectors)
        previous_paths, units = [], []
        for frame, is_silent in enumerate(silent.tolist()):
            if is_silent:
                back = self._step_silence()
            else:
                back = self._extend_paths(target_costs[frame], float(features.onset_db[frame]))
            previous_paths.append(back)
            units.append(self._paths.unit)
        return self._backtrack(previous_paths, units)

    def _target_costs(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        target = 0.5 * np.einsum("ij,ij->i", vectors, vectors)
        target_costs: NDArray[np.float32] = (
            target[:, None] + self._half_squared_norms - vectors @ self.database.features.vectors.T
        )
        return target_costs

    def _step_silence(self) -> NDArray[np.int64]:
        best = np.array([self._paths.cost.argmin()])
        self._step(best, np.array([SILENCE]), self._paths.cost[best])
        return best

    def _extend_paths(
        self, target_costs: NDArray[np.float32], onset_db: float
    ) -> NDArray[np.int64]:
        paths, weight = self._paths, self.costs.literal
        candidates = self._candidates(target_costs)
        target = weight * target_costs[candidates].astype(np.float64)
        target *= 1 + self.costs.variety * self._random.exponential(1, len(candidates))
        join = (1 - weight) * self._join_costs(paths.unit, candidates) / (1 + onset_db / 5)
        repeated = (paths.recent_units[:, :, None] == candidates).any(axis=1)
        total = paths.cost[:, None] + join + REPEAT_COST * repeated
        from_path = total.argmin(axis=0)
        cost = target + total[from_path, np.arange(len(candidates))]
        best = np.argsort(cost, kind="stable")[:BEAM_WIDTH]
        back: NDArray[np.int64] = from_path[best]
        self._step(back, candidates[best], cost[best])
        return back

    def _candidates(self, target_costs: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the best-matching units, and those that follow the last units of the paths."""
        most = min(MAX_CANDIDATES, len(target_costs))
        near = np.argpartition(target_costs, most - 1)[:most]
        last_units = self._paths.unit[self._paths.unit != SILENCE]
        following = self.database.next_unit[last_units]
        candidates: NDArray[np.int64] = np.unique(np.concatenate([near, following[following >= 0]]))
        return candidates

    def _join_costs(
        self, before: NDArray[np.int64], candidates: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the cost of joining each unit before with each candidate."""
        expected = np.where(before == SILENCE, SILENCE, self.database.next_unit[before])
        head = self.database.features.onset_spectra
        distance = 1 - head[expected] @ head[candidates].T + JOIN_COST
        distance[expected == SILENCE] = 1
        distance[expected[:, None] == candidates] = 0
        distance[before == SILENCE] = 0
        joins: NDArray[np.float64] = distance.astype(np.float64)
        return joins

    def _step(
        self, back: NDArray[np.int64], units: NDArray[np.int64], cost: NDArray[np.float64]
    ) -> None:
        recent = self._paths.recent_units[back]
        recent = np.concatenate([recent[:, 1:], units[:, None]], axis=1)
        if not self.costs.no_repeat_frames:
            recent[:] = SILENCE
        self._paths = _Paths(units, cost - cost.min(), recent)

    def _backtrack(
        self, back: list[NDArray[np.int64]], units: list[NDArray[np.int64]]
    ) -> NDArray[np.int64]:
        """Return the units of the best path, and drop the others."""
        path = int(self._paths.cost.argmin())
        self._paths = self._paths.only(np.array([path]))
        selected = np.empty(len(units), np.int64)
        for frame in reversed(range(len(units))):
            selected[frame] = units[frame][path]
            path = int(back[frame][path])
        return selected
