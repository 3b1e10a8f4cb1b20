"""A phase for magnitudes that are brought into tune first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.phase.reconstructor import PhaseReconstructor
from frame2sound.sound.pitch_quantiser import PitchQuantiser


@dataclass(frozen=True)
class QuantisedPhase:
    """Another strategy, whose magnitudes are snapped to a scale."""

    phase: PhaseReconstructor
    quantiser: PitchQuantiser

    def reconstruct(
        self, magnitude: NDArray[np.float32], onset: NDArray[np.bool_]
    ) -> NDArray[np.complex64]:
        """Return the tuned magnitudes with the other strategy's phases."""
        return self.phase.reconstruct(self.quantiser.apply(magnitude), onset)
