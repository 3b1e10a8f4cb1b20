"""The judge as a measure of a comparison: how probable a film's label is in a soundtrack of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.comparison.block_stats import BlockSums, sum_by_block
from frame2sound.comparison.segments import Segment
from frame2sound.library.pickler import film_digest
from frame2sound.sorting.judge import Judge
from frame2sound.sorting.judge_file import load_judge


@dataclass(frozen=True, eq=False)
class SegmentJudge:
    """A judge, and the digest of its file, which is in the keys of records.

    It is asked about films that it has a label of, by classifiers that have not heard them.
    """

    judge: Judge
    digest: str

    @classmethod
    def load(cls, path: Path) -> SegmentJudge:
        """Return the judge in a file; `SortingError` if it is none."""
        return cls(load_judge(path), film_digest(path))

    @property
    def chance(self) -> float:
        """The probability that guessing gives to a label."""
        return 1 / len(self.judge.labels)

    def sums(self, samples: NDArray[np.float32], segment: Segment) -> BlockSums | None:
        """Return probabilities and counts of windows by block, (blocks, 2).

        None if it has no label of the film, or the segment is shorter than a window.

        Parameters
        ----------
        samples : float32 array
            A soundtrack of lead-in and segment.
        segment : Segment
        """
        film = self.judge.find_film(segment.film.digest)
        if film is None:
            return None
        shown = samples[segment.lead_in_samples :]
        times, probabilities = self.judge.label_probabilities(
            shown, segment.clock.sample_rate, film
        )
        if not len(times):
            return None
        return sum_by_block(
            times, [probabilities, np.ones_like(probabilities)], segment.ground_truth
        )
