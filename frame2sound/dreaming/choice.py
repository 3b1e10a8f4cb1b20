"""Choose what plays by held-out tokens, so that those that chose do not judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.dreaming.ngrams import MAX_ORDER, NAMES, SMOOTHINGS, NGram, Smoothing
from frame2sound.dreaming.split import HeldOut
from frame2sound.dreaming.tokens import Tokens

WEIGHTS = np.linspace(0.1, 1.0, 10)
"""Weights of the network in a mixture that are tried."""

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class CountedModel:
    """An n-gram as it was chosen: its order, its smoothing, and its bits on held-out tokens."""

    order: int
    smoothing: Smoothing
    bits: float | None

    @property
    def name(self) -> str:
        """Such as bigram."""
        return NAMES[self.order]


@dataclass(frozen=True)
class Mixture:
    """The network and the best n-gram together: probabilities are added by their weights.

    Attributes
    ----------
    weight : float
        That of the network, above 0 and at most 1.
    bits, network_bits : float
        Bits a held-out token, and those of the network alone.
    """

    weight: float
    bits: float
    network_bits: float


class HeldOutChoice:
    """Chooses by all held-out tokens, and tells bits that the choice has not made too low.

    Each half of what is held out judges what the other half alone would choose.

    Parameters
    ----------
    learned : sequence of int arrays (n,)
    held_out : sequence of HeldOut
        At least one.
    codes : int
    """

    def __init__(self, learned: Sequence[Tokens], held_out: Sequence[HeldOut], codes: int) -> None:
        halves = np.concatenate([part.halves() for part in held_out])
        self._halves = halves == 0, halves == 1
        self._counted = [
            (order, smoothing) for order in range(1, MAX_ORDER + 1) for smoothing in SMOOTHINGS
        ]
        self._bits = np.stack(
            [
                np.concatenate([
                    model.bits(part.tokens, part.first) for part in held_out
                ])
                for model in (NGram(learned, codes, *each) for each in self._counted)
            ]
        )  # fmt: skip

    def ngrams(self) -> tuple[CountedModel, CountedModel]:
        """Return the better trigram, and the best n-gram of order 1 to 3."""
        trigrams = [at for at, each in enumerate(self._counted) if each[0] == MAX_ORDER]
        return self._best_ngram(trigrams), self._best_ngram([*range(len(self._counted))])

    def mixture(self, network_bits: NDArray[np.floating]) -> Mixture:
        """Return the best mixture; ``network_bits`` are those of each stage, ``(stages, n)``."""
        stages = network_bits.astype(np.float64)

        def mix(mask: Mask) -> FloatArray:
            """Return the bits of all weights, with the stage and the n-gram that are best there."""
            network = np.exp2(-stages[_best(stages, mask)])
            counted = np.exp2(-self._bits[_best(self._bits, mask)])
            shares = WEIGHTS[:, None]
            return np.asarray(-np.log2(shares * network + (1 - shares) * counted))

        everything = np.ones(stages.shape[1], np.bool_)
        weight = float(WEIGHTS[_best(mix(everything), everything)])
        return Mixture(weight, self._judge(mix), self._judge(lambda _: stages))

    def _best_ngram(self, numbers: list[int]) -> CountedModel:
        bits = self._bits[numbers]
        order, smoothing = self._counted[numbers[_best(bits, np.ones(bits.shape[1], np.bool_))]]
        return CountedModel(order, smoothing, self._judge(lambda _: bits))

    def _judge(self, candidates: Callable[[Mask], FloatArray]) -> float:
        """Return the mean bits of what each half chooses among candidates, on the other half."""
        judged = []
        for chooses, judges in (self._halves, self._halves[::-1]):
            bits = candidates(chooses)
            judged.append(bits[_best(bits, chooses)][judges])
        return float(np.concatenate(judged).mean())


def _best(bits: FloatArray, mask: Mask) -> int:
    """Return the number of the row that has the fewest bits in a part."""
    return int(bits[:, mask].mean(axis=1).argmin())
