"""A phase for magnitudes that are brought into tune first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.phase.strategy import Phase
from frame2sound.sound.tuning import Tuning


@dataclass(frozen=True)
class Tuned:
    """Another strategy, whose magnitudes are snapped to a scale."""

    phase: Phase
    tuning: Tuning

    def follow(
        self, magnitude: NDArray[np.float32], onset: NDArray[np.bool_]
    ) -> NDArray[np.complex64]:
        """Return the tuned magnitudes with the other strategy's phases."""
        return self.phase.follow(self.tuning.apply(magnitude), onset)
