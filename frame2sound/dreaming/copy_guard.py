"""Refuse tokens that would continue a copied run of the films' tokens for too long."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from frame2sound.dreaming.tokens import Tokens

NEAR_DB = 6.0
"""A token in place of a refused one is the less likely the more its spectrum differs, by this."""


class CopyGuard:
    """Knows which runs of the films' tokens the last tokens are a copy of.

    Parameters
    ----------
    films : sequence of int arrays (n,)
    limit : int
        Longest run that may be a copy, in tokens, at least 1.
    distances : float array (codes, codes)
        In dB; a refused token is replaced by one that sounds like it.
    """

    def __init__(
        self, films: Sequence[Tokens], limit: int, distances: NDArray[np.floating]
    ) -> None:
        self.limit = limit
        self._distances = distances
        self._tokens = np.concatenate([np.append(tokens, -1) for tokens in films])
        self._lengths = np.zeros(len(self._tokens), np.int64)

    def update(self, token: int) -> None:
        """Take the token that was drawn."""
        before = np.concatenate([[0], self._lengths[:-1]])
        self._lengths = np.where(self._tokens == token, before + 1, 0)

    @property
    def longest(self) -> int:
        """Length of the longest run that the last tokens copy."""
        return int(self._lengths.max())

    def refused(self, codes: int) -> NDArray[np.bool_]:
        """Return which tokens would make a copied run longer than the limit, ``(codes,)``."""
        ends = np.flatnonzero(self._lengths[:-1] >= self.limit)
        following = self._tokens[ends + 1]
        refused = np.zeros(codes, np.bool_)
        refused[following[following >= 0]] = True
        return refused

    def allow(
        self, chances: NDArray[np.float64], logits: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the probabilities without refused tokens; they add to 1.

        If none of the likely ones is left, all others are weighed by their likeness to the refused.

        Raises
        ------
        ValueError
            All tokens are refused.
        """
        refused = self.refused(len(chances))
        if not refused.any():
            return chances
        left = np.where(refused, 0, chances)
        if not left.sum() > 0:
            if refused.all():
                raise ValueError("every token would continue a copy")
            likeness = -self._distances[refused].min(axis=0) / NEAR_DB
            scores = np.where(refused, -np.inf, logits + likeness)
            left = np.exp(scores - scores.max())
        return np.asarray(left / left.sum())
