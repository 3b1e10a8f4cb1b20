"""Draw tokens from a model, one after another, in a style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.dreaming.copy_guard import CopyGuard
from frame2sound.dreaming.network import TokenNetwork
from frame2sound.dreaming.ngrams import NGram, Smoothing
from frame2sound.dreaming.tokens import TOKENS_PER_SECOND, Tokens
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.threads import one_thread_per_operation

FloatArray = NDArray[np.float64]

NUCLEUS = 0.998
"""Only the likeliest tokens are drawn whose probabilities add to this (Holtzman et al. 2020).

Silence and held tones last for seconds: with less, a dream never leaves them.
"""

STYLE_SECONDS = 4.0
"""Time constant over which the shares of films are kept to their weights."""

STYLE_FORCE = 6.0
"""Logit that a token of a film gains where the film's share is missing altogether."""

COVERAGE_SECONDS, COVERAGE_FORCE = 4.0, 1.5
"""Time over which sounds are kept to their share in the films; exponent of what is missing."""

NEAR_DB, RARE_SHARE = 6.0, 0.02
"""Difference at which tokens count as half alike; and what is added to all shares."""

WARM_UP_SECONDS = 2.0
"""What is drawn from nothing, and left out, before the dream begins."""


class NextToken(Protocol):
    """Predicts the next token; it is told each token that was drawn."""

    def update(self, token: int) -> None:
        """Take a token."""

    def logits(self) -> FloatArray:
        """Return the log probability of each next token, ``(codes,)``."""
        ...


class NetworkPredictor:
    """Predicts by a network, in a style.

    Parameters
    ----------
    network : TokenNetwork
    style : float array (films,)
        Weights of the films, which add to 1.
    """

    def __init__(self, network: TokenNetwork, style: FloatArray) -> None:
        self._network = network
        self._style = torch.from_numpy(style.astype(np.float32))[None]
        self._state: torch.Tensor | None = None
        self._logits: FloatArray | None = None

    def update(self, token: int) -> None:
        """Take a token."""
        with torch.no_grad():
            logits, self._state = self._network(torch.tensor([[token]]), self._style, self._state)
        self._logits = torch.log_softmax(logits[0, 0].double(), 0).numpy()

    def logits(self) -> FloatArray:
        """Return the log probability of each next token; before the first, all are alike."""
        codes = self._network.code_embedding.num_embeddings
        return np.full(codes, -np.log(codes)) if self._logits is None else self._logits


class NGramPredictor:
    """Predicts by counts of the films, each by its weight in the style."""

    def __init__(
        self,
        films: Sequence[Tokens],
        codes: int,
        order: int,
        smoothing: Smoothing,
        style: FloatArray,
    ) -> None:
        lengths = np.array([max(len(tokens), 1) for tokens in films])
        weights = style * lengths.sum() / lengths
        self._model = NGram(films, codes, order, smoothing, weights.tolist())
        self._context: list[int] = []

    def update(self, token: int) -> None:
        """Take a token."""
        self._context = [*self._context[-2:], token]

    def logits(self) -> FloatArray:
        """Return the log probability of each next token."""
        return np.log(np.maximum(self._model.probabilities(self._context), 1e-12))


class MixedPredictor:
    """Predicts by two models, whose probabilities are added by their weights."""

    def __init__(self, first: NextToken, other: NextToken, weight_of_first: float) -> None:
        self._models, self._weight = (first, other), weight_of_first

    def update(self, token: int) -> None:
        """Take a token."""
        for model in self._models:
            model.update(token)

    def logits(self) -> FloatArray:
        """Return the log probability of each next token."""
        first, other = (np.exp(model.logits()) for model in self._models)
        return np.asarray(np.log(self._weight * first + (1 - self._weight) * other))


@dataclass(frozen=True)
class StyleShares:
    """How far each token belongs to each film, and the share that each film is to have.

    Attributes
    ----------
    of_tokens : float array (films, codes)
        They add to 1 for each token.
    wanted : float array (films,)
        They add to 1.
    """

    of_tokens: FloatArray
    wanted: FloatArray


def style_shares(films: Sequence[Tokens], codes: int, wanted: FloatArray) -> StyleShares:
    """Return the shares of films, of which each counts as much as another, in their tokens."""
    counts = np.array([np.bincount(tokens, minlength=codes) for tokens in films], np.float64)
    rates = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return StyleShares(rates / np.maximum(rates.sum(axis=0), 1e-12), wanted)


def sample_tokens(
    predictor: NextToken,
    count: int,
    rng: np.random.Generator,
    *,
    temperature: float = 1.0,
    context: Tokens | None = None,
    shares: StyleShares | None = None,
    guard: CopyGuard | None = None,
    coverage: Coverage | None = None,
    on_progress: ProgressCallback = ignore_progress,
) -> Tokens:
    """Return tokens drawn one after another.

    Parameters
    ----------
    predictor : NextToken
    count : int
    rng : numpy Generator
    temperature : float
        Above 0; less than 1 draws likely tokens more often, and ends in loops.
    context : int array (n,), optional
        Tokens to go on from. Without, some that are drawn first are left out.
    shares : StyleShares, optional
        The films that the tokens of about four seconds are to belong to, and how far.
    guard : CopyGuard, optional
        Refuses tokens that would make a copied run too long.
    coverage : Coverage, optional
        Keeps a dream from staying with one kind of sound for longer than the films do.
    """
    balance = None if shares is None else _Balance(shares)
    told = [each for each in (predictor, balance, guard, coverage) if each is not None]
    biases = [each for each in (balance, coverage) if each is not None]
    before = round(WARM_UP_SECONDS * TOKENS_PER_SECOND) if context is None else 0
    drawn = np.empty(before + count, np.int64)
    with one_thread_per_operation():
        for token in () if context is None else context.tolist():
            for each in told:
                each.update(token)
        for at in range(before + count):
            logits = predictor.logits() / temperature
            for bias in biases:
                logits = logits + bias.bias()
            chances = _nucleus(logits)
            if guard is not None:
                chances = guard.allow(chances, logits)
            drawn[at] = int(rng.choice(len(chances), p=chances))
            for each in told:
                each.update(int(drawn[at]))
            on_progress("dreaming", at + 1, before + count, "")
    return drawn[before:]


def _nucleus(logits: FloatArray) -> FloatArray:
    """Return the probabilities of the likeliest tokens that add to `NUCLEUS`; others have 0."""
    chances = np.exp(logits - logits.max())
    chances /= chances.sum()
    order = np.argsort(-chances, kind="stable")
    above = np.cumsum(chances[order]) - chances[order]
    chances[order[above >= NUCLEUS]] = 0
    return np.asarray(chances / chances.sum())


class Coverage:
    """Keeps sounds, in the last seconds, near the share that they have in the films.

    A model that has learned little stays with one kind of sound for too long, as a chain of short
    steps does. Tokens that sound alike count together.

    Parameters
    ----------
    usual : float array (codes,)
        The share of each token in the films.
    distances : float array (codes, codes)
        Of their spectra, in dB.
    """

    def __init__(self, usual: FloatArray, distances: NDArray[np.floating]) -> None:
        self._alike = np.exp2(-distances.astype(np.float64) / NEAR_DB)
        self._usual = self._alike @ usual
        self._current = usual.astype(np.float64)
        self._keep = np.exp(-1 / (COVERAGE_SECONDS * TOKENS_PER_SECOND))

    def update(self, token: int) -> None:
        """Count a token."""
        self._current *= self._keep
        self._current[token] += 1 - self._keep

    def bias(self) -> FloatArray:
        """Return what is added to each logit, ``(codes,)``."""
        present = self._alike @ self._current + RARE_SHARE
        return np.asarray(COVERAGE_FORCE * np.log((self._usual + RARE_SHARE) / present))


class _Balance:
    """Keeps the shares of films in the tokens of the last seconds to their weights.

    A mixture of films tends to stay with the film of the last tokens; without this, a weight says
    how likely it is to begin there.
    """

    def __init__(self, shares: StyleShares) -> None:
        self._shares = shares
        self._current = shares.wanted.copy()
        self._keep = np.exp(-1 / (STYLE_SECONDS * TOKENS_PER_SECOND))

    def update(self, token: int) -> None:
        """Count a token."""
        share = self._shares.of_tokens[:, token]
        if share.any():
            self._current = self._keep * self._current + (1 - self._keep) * share

    def bias(self) -> FloatArray:
        """Return what is added to each logit, ``(codes,)``."""
        missing = self._shares.wanted - self._current
        return np.asarray(STYLE_FORCE * missing @ self._shares.of_tokens)
