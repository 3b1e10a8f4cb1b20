"""Choose the units that sound tokens: those that go on in their film as long as the tokens do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.dreaming.sampling import StyleShares
from frame2sound.dreaming.tokens import BANDS, TOKENS_PER_SECOND, FloatArray, Tokens
from frame2sound.dreaming.units import TokenUnits
from frame2sound.progress import ProgressCallback, ignore_progress

CANDIDATES, BEAM_WIDTH, LOOK_AHEAD = 24, 16, 12
"""Units of a token that are tried, paths that are kept, and tokens ahead that rank units."""

JOIN_COST = 1.0
"""Cost of a join, to which a tenth is added for each dB that the bands differ there."""

TOKEN_COST_PER_DB = 0.3
"""Cost of a unit of another token, by how much the spectra of the two differ."""

REPEAT_COST, COPY_COST = 1.0, 1e6
"""Cost of a unit that sounded within the last second; and of a copied run that is too long."""

OTHER_FILM_COST = 3.0
"""Cost of a unit of another film than the style asks for at that moment."""

STYLE_SECONDS = 1.0
"""Time for which the style asks for one film, where the tokens leave a choice."""

NEAR_FRAMES = 2
"""Units as many frames from where a run would have gone on count as its continuation."""

_NEVER = -(1 << 40)

Units = NDArray[np.int64]


@dataclass
class _Paths:
    """The best ways to sound the tokens so far: their last unit, cost, and recent units."""

    unit: Units
    cost: NDArray[np.float64]
    recent: Units
    """What each of the last frames had, ``(paths, frames)``, as its unit less its own number."""


def wanted_films(
    tokens: Tokens, shares: StyleShares, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the film that is to sound at each token, drawn by the weights of the style.

    Of films that have the token, each is as likely as its weight and its share in the token say.
    """
    length = max(round(STYLE_SECONDS * TOKENS_PER_SECOND), 1)
    draws = np.repeat(rng.random(-(-len(tokens) // length)), length)[: len(tokens)]
    chances = shares.wanted[:, None] * shares.of_tokens[:, tokens]
    known = chances.sum(axis=0) > 0
    chances = np.where(known, chances, shares.wanted[:, None])
    below = np.cumsum(chances / chances.sum(axis=0), axis=0) < draws
    return np.asarray(below.sum(axis=0).clip(0, len(shares.wanted) - 1))


class UnitChooser:
    """Chooses units for tokens by beam search, with the costs of this module.

    Parameters
    ----------
    units : TokenUnits
    distances : float array (codes, codes)
        Of the spectra of tokens, in dB.
    max_run : int, optional
        Most frames in twice that time that lie at one place of a film: no copied run is longer.
    allowed : bool array (films,), optional
        Films whose units may be used.
    """

    def __init__(
        self,
        units: TokenUnits,
        distances: FloatArray,
        max_run: int | None = None,
        allowed: NDArray[np.bool_] | None = None,
        seed: int = 0,
    ) -> None:
        self.units, self.max_run = units, max_run
        self._distances = distances
        self._rng = np.random.default_rng(seed)
        self._next = units.database.next_unit
        may = np.ones(len(units), np.bool_) if allowed is None else allowed[units.films]
        self._of_code = _units_of_codes(units.tokens, may, distances)
        window = round(TOKENS_PER_SECOND) if max_run is None else 2 * max_run
        self._window = max(window, round(TOKENS_PER_SECOND))

    def choose(
        self,
        tokens: Tokens,
        films: NDArray[np.int64] | None = None,
        on_progress: ProgressCallback = ignore_progress,
    ) -> Units:
        """Return a unit for each token.

        Parameters
        ----------
        tokens : int array (n,)
        films : int array (n,), optional
            The film that is to sound at each.
        """
        paths = _Paths(np.array([-1]), np.zeros(1), np.full((1, self._window), _NEVER))
        backs, ends = [], []
        for at in range(len(tokens)):
            film = None if films is None else int(films[at])
            paths, back = self._extend(paths, tokens, at, film)
            backs.append(back)
            ends.append(paths.unit)
            on_progress("units", at + 1, len(tokens), "")
        return (
            _trace(backs, ends, int(paths.cost.argmin())) if len(tokens) else np.zeros(0, np.int64)
        )

    def _extend(
        self, paths: _Paths, tokens: Tokens, at: int, film: int | None
    ) -> tuple[_Paths, Units]:
        units = self.units
        candidates = self._candidates(paths, tokens, at)
        cost = TOKEN_COST_PER_DB * self._distances[tokens[at], units.tokens[candidates]]
        if film is not None:
            cost = cost + OTHER_FILM_COST * (units.films[candidates] != film)
        total = paths.cost[:, None] + self._joins(paths.unit, candidates)
        offsets = candidates - at
        total += REPEAT_COST * self._repeats(paths.recent, candidates, at)
        if self.max_run is not None:
            near = np.abs(paths.recent[:, None, -2 * self.max_run :] - offsets[:, None])
            total += COPY_COST * ((near <= NEAR_FRAMES).sum(axis=2) >= self.max_run)
        origin = total.argmin(axis=0)
        reached = total[origin, np.arange(len(candidates))] + cost
        best = np.argsort(reached, kind="stable")[:BEAM_WIDTH]
        back = origin[best]
        recent = np.concatenate([paths.recent[back, 1:], offsets[best, None]], axis=1)
        return _Paths(candidates[best], reached[best] - reached[best].min(), recent), back

    def _candidates(self, paths: _Paths, tokens: Tokens, at: int) -> Units:
        """Return units of a token, those that go on as the tokens do first, and what follows."""
        known = self._of_code[tokens[at]]
        ahead = tokens[at + 1 : at + 1 + LOOK_AHEAD]
        if len(known) > CANDIDATES:
            matched, position = np.ones(len(known), np.bool_), known
            score = self._rng.random(len(known))
            for token in ahead.tolist():
                position = np.where(matched, self._next[position], -1)
                matched &= (position >= 0) & (self.units.tokens[position] == token)
                if not matched.any():
                    break
                score += matched
            known = known[np.argpartition(-score, CANDIDATES)[:CANDIDATES]]
        last = paths.unit[paths.unit >= 0]
        following = self._next[last]
        return np.unique(np.concatenate([known, following[following >= 0]]))

    def _joins(self, before: Units, candidates: Units) -> NDArray[np.float64]:
        """Return the cost of each candidate after each path, ``(paths, candidates)``."""
        levels = self.units.levels
        expected = np.where(before >= 0, self._next[before], -1)
        place = np.where(expected >= 0, expected, before)
        one, other = levels[place].astype(np.float64), levels[candidates].astype(np.float64)
        squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2 * one @ other.T
        cost = JOIN_COST + 0.1 * np.sqrt(np.maximum(squares, 0) / BANDS)
        cost[expected[:, None] == candidates] = 0
        cost[before < 0] = 0
        return np.asarray(cost, np.float64)

    def _repeats(self, recent: Units, candidates: Units, at: int) -> NDArray[np.bool_]:
        frames = at - np.arange(self._window, 0, -1)
        sounded = recent + frames
        return np.asarray((sounded[:, None, :] == candidates[:, None]).any(axis=2))


def _units_of_codes(tokens: Tokens, may: NDArray[np.bool_], distances: FloatArray) -> list[Units]:
    """Return the units of each code; of one that has none, those of the nearest that has."""
    lists = [np.flatnonzero(may & (tokens == code)) for code in range(len(distances))]
    has = np.array([len(each) > 0 for each in lists])
    nearest = np.where(has, distances, np.inf).argmin(axis=1)
    return [lists[each] for each in nearest]


def _trace(backs: list[Units], ends: list[Units], path: int) -> Units:
    chosen = np.empty(len(ends), np.int64)
    for at in reversed(range(len(ends))):
        chosen[at] = ends[at][path]
        path = int(backs[at][path])
    return chosen
