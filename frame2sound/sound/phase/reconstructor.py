"""What every strategy of phase does, and how a magnitude is turned to a phase."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class PhaseReconstructor(Protocol):
    """Gives phases to the magnitudes of successive hops, and carries its state along."""

    def reconstruct(
        self, magnitude: NDArray[np.float32], onset: NDArray[np.bool_]
    ) -> NDArray[np.complex64]:
        """Return spectra that `Resynthesis` overlaps to sound of the right level.

        Parameters
        ----------
        magnitude : float32, shape (n, bins)
            Linear, 0 and above, at the ``n`` hops that follow those of the call before. Calls of
            any size give the same, unless the strategy says that it works on pieces.
        onset : bool, shape (n,)
            Where an event begins; a strategy may begin anew there.
        """
        ...


def from_polar(
    magnitude: NDArray[np.float32], phase: NDArray[np.floating[Any]]
) -> NDArray[np.complex64]:
    """Return magnitudes with phases in radians, as complex numbers."""
    angle = np.asarray(phase, np.float32)
    spectra = np.empty(np.broadcast_shapes(magnitude.shape, angle.shape), np.complex64)
    np.multiply(magnitude, np.cos(angle), out=spectra.real)
    np.multiply(magnitude, np.sin(angle), out=spectra.imag)
    return spectra
