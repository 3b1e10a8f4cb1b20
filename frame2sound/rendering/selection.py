"""Selection: which unit of a corpus sounds in which frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.rendering.units import Looks, Units

REST = -1
"""Stands for silence, where other frames have the number of a unit."""

NEAREST, SURVIVORS = 24, 32
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
    no_repeat: int


@dataclass
class _Ways:
    """Ways of playing so far: for each its last unit, its cost, and the units lately played."""

    unit: NDArray[np.int64]
    cost: NDArray[np.float64]
    lately: NDArray[np.int64]

    def only(self, which: NDArray[np.int64]) -> _Ways:
        return _Ways(self.unit[which], self.cost[which], self.lately[which])


class Selection:
    """Chooses units for successive frames.

    Viterbi's search (Hunt and Black, "Unit selection in a concatenative speech synthesis system",
    1996; Schwarz, "Concatenative sound synthesis: the early years", 2006) over the units most alike
    to each frame and those that naturally follow the ones before; each way knows what it has
    played, so that it does not repeat itself. The best way is settled at the end of each call.
    """

    def __init__(self, units: Units, costs: Costs, seed: int) -> None:
        self.units = units
        self.costs = costs
        self._random = np.random.default_rng(seed)
        self._half = 0.5 * np.einsum("ij,ij->i", units.looks.whole, units.looks.whole)
        lately = np.full((1, max(costs.no_repeat, 1)), REST)
        self._ways = _Ways(np.array([REST]), np.zeros(1), lately)

    def choose(self, looks: Looks) -> NDArray[np.int64]:
        """Return a unit, or `REST`, for each of some successive frames."""
        silent = looks.loudness_db <= self.units.silence_db
        unlike = self._unlike(looks.whole)
        behind, units = [], []
        for frame, quiet in enumerate(silent.tolist()):
            if quiet:
                back = self._rest()
            else:
                back = self._go_on(unlike[frame], float(looks.onset_db[frame]))
            behind.append(back)
            units.append(self._ways.unit)
        return self._settle(behind, units)

    def _unlike(self, whole: NDArray[np.float32]) -> NDArray[np.float32]:
        own = 0.5 * np.einsum("ij,ij->i", whole, whole)
        unlike: NDArray[np.float32] = own[:, None] + self._half - whole @ self.units.looks.whole.T
        return unlike

    def _rest(self) -> NDArray[np.int64]:
        best = np.array([self._ways.cost.argmin()])
        self._step(best, np.array([REST]), self._ways.cost[best])
        return best

    def _go_on(self, unlike: NDArray[np.float32], onset_db: float) -> NDArray[np.int64]:
        ways, weight = self._ways, self.costs.literal
        entering = self._entering(unlike)
        own = weight * unlike[entering].astype(np.float64)
        own *= 1 + self.costs.variety * self._random.exponential(1, len(entering))
        join = (1 - weight) * self._joins(ways.unit, entering) / (1 + onset_db / 5)
        again = (ways.lately[:, :, None] == entering).any(axis=1)
        total = ways.cost[:, None] + join + REPEAT_COST * again
        back = total.argmin(axis=0)
        cost = own + total[back, np.arange(len(entering))]
        kept = np.argsort(cost, kind="stable")[:SURVIVORS]
        behind: NDArray[np.int64] = back[kept]
        self._step(behind, entering[kept], cost[kept])
        return behind

    def _entering(self, unlike: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the units most alike, and those that follow the ones that played."""
        most = min(NEAREST, len(unlike))
        near = np.argpartition(unlike, most - 1)[:most]
        played = self._ways.unit[self._ways.unit != REST]
        following = self.units.follower[played]
        entering: NDArray[np.int64] = np.unique(np.concatenate([near, following[following >= 0]]))
        return entering

    def _joins(self, before: NDArray[np.int64], entering: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what it costs to go from each unit before to each that enters."""
        expected = np.where(before == REST, REST, self.units.follower[before])
        head = self.units.looks.head
        apart = 1 - head[expected] @ head[entering].T + JOIN_COST
        apart[expected == REST] = 1
        apart[expected[:, None] == entering] = 0
        apart[before == REST] = 0
        joins: NDArray[np.float64] = apart.astype(np.float64)
        return joins

    def _step(
        self, back: NDArray[np.int64], units: NDArray[np.int64], cost: NDArray[np.float64]
    ) -> None:
        lately = self._ways.lately[back]
        lately = np.concatenate([lately[:, 1:], units[:, None]], axis=1)
        if not self.costs.no_repeat:
            lately[:] = REST
        self._ways = _Ways(units, cost - cost.min(), lately)

    def _settle(
        self, back: list[NDArray[np.int64]], units: list[NDArray[np.int64]]
    ) -> NDArray[np.int64]:
        """Follow the best way back, and forget the others."""
        way = int(self._ways.cost.argmin())
        self._ways = self._ways.only(np.array([way]))
        chosen = np.empty(len(units), np.int64)
        for frame in reversed(range(len(units))):
            chosen[frame] = units[frame][way]
            way = int(back[frame][way])
        return chosen
