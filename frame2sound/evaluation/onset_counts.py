"""Counts of matching onsets, which can be summed over films before their F-measure is taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from frame2sound.evaluation.onsets import match_onsets

TOLERANCE_SECONDS = 0.05


@dataclass(frozen=True)
class OnsetCounts:
    """How many onsets match, were estimated, and are in the reference.

    The F-measure of a sum weighs every onset alike; a mean of F-measures weighs a film with one
    onset as much as a film with fifty. Counts may be means, so they need not be whole.
    """

    matches: float = 0.0
    estimated: float = 0.0
    reference: float = 0.0

    @classmethod
    def compare(
        cls, estimated: ArrayLike, reference: ArrayLike, window_seconds: float = TOLERANCE_SECONDS
    ) -> OnsetCounts:
        """Count the largest one-to-one matching of onsets, given in seconds."""
        matches = match_onsets(estimated, reference, window_seconds)
        return cls(len(matches), np.size(estimated), np.size(reference))

    @classmethod
    def by_chance(
        cls,
        onset_count: int,
        reference: ArrayLike,
        seconds: float,
        draws: int = 200,
        seed: int = 0,
        window_seconds: float = TOLERANCE_SECONDS,
    ) -> OnsetCounts:
        """Return the mean counts of ``onset_count`` random onsets, uniform in [0, seconds)."""
        rng = np.random.default_rng(seed)
        guesses = (np.sort(rng.uniform(0.0, seconds, onset_count)) for _ in range(draws))
        return cls.mean(cls.compare(guess, reference, window_seconds) for guess in guesses)

    @classmethod
    def mean(cls, counts: Iterable[OnsetCounts]) -> OnsetCounts:
        """Return the mean of one or more counts."""
        several = list(counts)
        total = sum(several, cls())
        return cls(*(value / len(several) for value in total._values))

    def __add__(self, other: OnsetCounts) -> OnsetCounts:
        """Return the counts of two films together."""
        return OnsetCounts(
            self.matches + other.matches,
            self.estimated + other.estimated,
            self.reference + other.reference,
        )

    @property
    def f_measure(self) -> float:
        """The F-measure, in [0, 1]; 1 if neither side has onsets."""
        total = self.estimated + self.reference
        return 2 * self.matches / total if total else 1.0

    @property
    def _values(self) -> tuple[float, float, float]:
        return self.matches, self.estimated, self.reference
