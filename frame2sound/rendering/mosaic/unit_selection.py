"""Selection: which unit of a corpus sounds in which frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.mosaic.unit_database import FeatureVectors, UnitDatabase

SILENCE = -1
"""Stands for silence, where other frames have the number of a unit."""

MAX_CANDIDATES, BEAM_WIDTH = 24, 32
"""Units that are most alike to a frame and enter; ways of playing that are followed."""

JOIN_COST = 0.03
"""Of any join but the natural one, beside the distance of what is joined."""

REPEAT_COST = 2.0
"""Of playing a unit again too soon: more than most unlikeness, so that it is a last resort."""


@dataclass(frozen=True)
class Costs:
    """What counts in choosing.

    Attributes
    ----------
    literal : float
        Share of the likeness to the prediction; the rest is that of joins.
    variety : float
        Chance among units that are nearly as like.
    no_repeat : int
        Frames within which a unit is not played again.
    """

    literal: float
    variety: float
    no_repeat_frames: int


@dataclass
class _Paths:
    """Ways of playing so far: for each its last unit, its cost, and the units lately played."""

    unit: NDArray[np.int64]
    cost: NDArray[np.float64]
    recent_units: NDArray[np.int64]

    def only(self, which: NDArray[np.int64]) -> _Paths:
        return _Paths(self.unit[which], self.cost[which], self.recent_units[which])


class UnitSelector:
    """Chooses units for successive frames.

    Viterbi's search (Hunt and Black, "Unit selection in a concatenative speech synthesis system",
    1996; Schwarz, "Concatenative sound synthesis: the early years", 2006) over the units most alike
    to each frame and those that naturally follow the ones before; each way knows what it has
    played, so that it does not repeat itself. The best way is settled at the end of each call.
    """

    def __init__(self, database: UnitDatabase, costs: Costs, seed: int) -> None:
        self.database = database
        self.costs = costs
        self._random = np.random.default_rng(seed)
        self._half_squared_norms = 0.5 * np.einsum(
            "ij,ij->i", database.features.vectors, database.features.vectors
        )
        lately = np.full((1, max(costs.no_repeat_frames, 1)), SILENCE)
        self._paths = _Paths(np.array([SILENCE]), np.zeros(1), lately)

    def select(self, features: FeatureVectors) -> NDArray[np.int64]:
        """Return a unit, or `REST`, for each of some successive frames."""
        silent = features.loudness_db <= self.database.silence_db
        unlike = self._target_costs(features.vectors)
        behind, units = [], []
        for frame, quiet in enumerate(silent.tolist()):
            if quiet:
                back = self._step_silence()
            else:
                back = self._extend_paths(unlike[frame], float(features.onset_db[frame]))
            behind.append(back)
            units.append(self._paths.unit)
        return self._backtrack(behind, units)

    def _target_costs(self, whole: NDArray[np.float32]) -> NDArray[np.float32]:
        own = 0.5 * np.einsum("ij,ij->i", whole, whole)
        unlike: NDArray[np.float32] = (
            own[:, None] + self._half_squared_norms - whole @ self.database.features.vectors.T
        )
        return unlike

    def _step_silence(self) -> NDArray[np.int64]:
        best = np.array([self._paths.cost.argmin()])
        self._step(best, np.array([SILENCE]), self._paths.cost[best])
        return best

    def _extend_paths(self, unlike: NDArray[np.float32], onset_db: float) -> NDArray[np.int64]:
        ways, weight = self._paths, self.costs.literal
        entering = self._candidates(unlike)
        own = weight * unlike[entering].astype(np.float64)
        own *= 1 + self.costs.variety * self._random.exponential(1, len(entering))
        join = (1 - weight) * self._join_costs(ways.unit, entering) / (1 + onset_db / 5)
        again = (ways.recent_units[:, :, None] == entering).any(axis=1)
        total = ways.cost[:, None] + join + REPEAT_COST * again
        back = total.argmin(axis=0)
        cost = own + total[back, np.arange(len(entering))]
        kept = np.argsort(cost, kind="stable")[:BEAM_WIDTH]
        behind: NDArray[np.int64] = back[kept]
        self._step(behind, entering[kept], cost[kept])
        return behind

    def _candidates(self, unlike: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the units most alike, and those that follow the ones that played."""
        most = min(MAX_CANDIDATES, len(unlike))
        near = np.argpartition(unlike, most - 1)[:most]
        played = self._paths.unit[self._paths.unit != SILENCE]
        following = self.database.next_unit[played]
        entering: NDArray[np.int64] = np.unique(np.concatenate([near, following[following >= 0]]))
        return entering

    def _join_costs(
        self, before: NDArray[np.int64], entering: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return what it costs to go from each unit before to each that enters."""
        expected = np.where(before == SILENCE, SILENCE, self.database.next_unit[before])
        head = self.database.features.onset_spectra
        apart = 1 - head[expected] @ head[entering].T + JOIN_COST
        apart[expected == SILENCE] = 1
        apart[expected[:, None] == entering] = 0
        apart[before == SILENCE] = 0
        joins: NDArray[np.float64] = apart.astype(np.float64)
        return joins

    def _step(
        self, back: NDArray[np.int64], units: NDArray[np.int64], cost: NDArray[np.float64]
    ) -> None:
        lately = self._paths.recent_units[back]
        lately = np.concatenate([lately[:, 1:], units[:, None]], axis=1)
        if not self.costs.no_repeat_frames:
            lately[:] = SILENCE
        self._paths = _Paths(units, cost - cost.min(), lately)

    def _backtrack(
        self, back: list[NDArray[np.int64]], units: list[NDArray[np.int64]]
    ) -> NDArray[np.int64]:
        """Follow the best way back, and forget the others."""
        way = int(self._paths.cost.argmin())
        self._paths = self._paths.only(np.array([way]))
        chosen = np.empty(len(units), np.int64)
        for frame in reversed(range(len(units))):
            chosen[frame] = units[frame][way]
            way = int(back[frame][way])
        return chosen
