"""Counts of matching onsets, which can be summed over films before their F-measure is taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from frame2sound.evaluation.onsets import match_onsets
from frame2sound.sound.onset_matching import TOLERANCE_SECONDS, count_shifted_matches

Times = NDArray[np.float64]


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
        estimated: Times,
        reference: Times,
        seconds: float,
        window_seconds: float = TOLERANCE_SECONDS,
    ) -> OnsetCounts:
        """Return the mean counts of circular shifts of the estimated onsets; both ascend."""
        matches = count_shifted_matches(estimated, reference, seconds, window_seconds)
        return cls(float(matches.mean()) if len(matches) else 0.0, len(estimated), len(reference))

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
    def f_measure(self) -> float | None:
        """The F-measure, in [0, 1]; None if neither side has onsets."""
        total = self.estimated + self.reference
        return 2 * self.matches / total if total else None

    @property
    def _values(self) -> tuple[float, float, float]:
        return self.matches, self.estimated, self.reference
