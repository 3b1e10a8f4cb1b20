"""Models of the next token from the one or two before, by counting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from frame2sound.dreaming.tokens import Tokens

Smoothing = Literal["kneser-ney", "witten-bell"]

SMOOTHINGS: tuple[Smoothing, ...] = ("kneser-ney", "witten-bell")

MAX_ORDER = 3

NAMES = ("uniform", "unigram", "bigram", "trigram")
"""The names of the orders from 0 to `MAX_ORDER`."""

FloatArray = NDArray[np.float64]


class NGram:
    """An interpolated n-gram: it mixes the counts after long contexts with those after short ones.

    ``witten-bell``: the weight of the shorter context is the number of different tokens seen after
    the longer one over that number plus all tokens seen there (Witten and Bell 1991).
    ``kneser-ney``: a constant is taken off each count, and shorter contexts count the different
    tokens seen before, not all (Kneser and Ney 1995; the interpolated form and the estimate of the
    constant are those of Chen and Goodman 1999). At the bottom all tokens are equally likely.

    Parameters
    ----------
    sequences : sequence of int arrays (n,)
        No n-gram reaches from one into the next.
    codes : int
        Number of different tokens.
    order : int
        0 to 3: one more than the number of tokens before that count.
    smoothing : {"kneser-ney", "witten-bell"}
    weights : sequence of float, optional
        What each n-gram of a sequence counts; by default 1.
    """

    def __init__(
        self,
        sequences: Sequence[Tokens],
        codes: int,
        order: int,
        smoothing: Smoothing = "witten-bell",
        weights: Sequence[float] | None = None,
    ) -> None:
        if not 0 <= order <= MAX_ORDER:
            raise ValueError(f"got the order {order}, expected 0 to {MAX_ORDER}")
        self.codes, self.order, self.smoothing = codes, order, smoothing
        weights = [1.0] * len(sequences) if weights is None else weights
        tables = [_count(sequences, weights, codes, length) for length in range(1, order + 1)]
        if smoothing == "kneser-ney":
            tables[:-1] = [(table > 0).sum(axis=0).astype(np.float64) for table in tables[1:]]
        self._levels = [np.full(codes, 1 / codes)]
        for table in tables:
            self._levels.append(_interpolate(table, self._levels[-1], smoothing))

    @property
    def name(self) -> str:
        """Such as trigram."""
        return NAMES[self.order]

    def probabilities(self, context: Sequence[int] | Tokens) -> FloatArray:
        """Return the probability of each next token, ``(codes,)``, after those of a context."""
        depth = min(max(self.order - 1, 0), len(context))
        level = self._levels[min(depth + 1, self.order)]
        return np.asarray(level[tuple(context[len(context) - depth :])])

    def bits(self, tokens: Tokens, first: int = 0) -> FloatArray:
        """Return the bits of each token from number ``first`` on, given those before it."""
        chances = [
            self.probabilities(tokens[max(at - MAX_ORDER, 0) : at])[tokens[at]]
            for at in range(first, len(tokens))
        ]
        return np.asarray(-np.log2(np.array(chances)))


def _count(
    sequences: Sequence[Tokens], weights: Sequence[float], codes: int, length: int
) -> FloatArray:
    """Return how often each row of so many tokens occurs, an array of so many dimensions."""
    table = np.zeros((codes,) * length)
    for tokens, weight in zip(sequences, weights, strict=True):
        rows = tuple(tokens[at : len(tokens) - length + 1 + at] for at in range(length))
        np.add.at(table, rows, weight)
    return table


def _interpolate(table: FloatArray, lower: FloatArray, smoothing: Smoothing) -> FloatArray:
    total = table.sum(axis=-1, keepdims=True)
    kinds = (table > 0).sum(axis=-1, keepdims=True)
    if smoothing == "witten-bell":
        left, kept = table, total + kinds
        spare = kinds / np.maximum(kept, 1e-300)
    else:
        discount = _discount(table)
        left, kept = np.maximum(table - discount, 0), total
        spare = 1 - left.sum(axis=-1, keepdims=True) / np.maximum(total, 1e-300)
    known = left / np.maximum(kept, 1e-300) + spare * lower
    return np.where(total > 0, known, np.broadcast_to(lower, table.shape))


def _discount(table: FloatArray) -> float:
    """Return ``n1 / (n1 + 2 n2)``, of the numbers of rows that occur once and twice."""
    once, twice = (int(((table > n - 0.5) & (table <= n + 0.5)).sum()) for n in (1, 2))
    return once / (once + 2 * twice) if once else 0.5
