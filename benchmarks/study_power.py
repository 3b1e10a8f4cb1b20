"""What a study of so many films can show: simulations from what its films differ in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Values = NDArray[np.float64]

LEVEL = 0.05
"""Of a test, before it is corrected."""

POWER = 0.8
DRAWS = 4000


@dataclass(frozen=True)
class Found:
    """The least true difference that 80 % of studies find, in either direction; both above 0."""

    up: float
    down: float


@dataclass(frozen=True)
class Power:
    """What studies of so many films show of a difference between two arms.

    Attributes
    ----------
    found, found_shown : Found
        As it is tested, and of the measure itself. The directions differ where films are skewed.
    none_share : float
        The share of studies without a difference that say so, by the margin of the measure.
    """

    found: Found
    found_shown: Found
    none_share: float

    @classmethod
    def of(
        cls,
        tested: Sequence[float],
        shown: Sequence[float],
        films: int,
        margin: float,
        level: float = LEVEL,
    ) -> Power:
        """Return the power, given the differences of films, as tested and of the measure itself.

        ``level`` is that of the two-sided test.
        """
        return cls(
            detectable(tested, films, level),
            detectable(shown, films, level),
            equivalence_power(shown, films, margin),
        )


def detectable(differences: Sequence[float] | Values, films: int, level: float = LEVEL) -> Found:
    """Return the differences that a t test over films finds in 80 % of simulated studies."""
    means, errors = _simulated_studies(differences, films)
    reach = stats.t.ppf(1 - level / 2, films - 1) * errors
    up, down = (float(np.quantile(reach - sign * means, POWER)) for sign in (1, -1))
    return Found(up, down)


def equivalence_power(differences: Sequence[float] | Values, films: int, margin: float) -> float:
    """Return the share of simulated studies without a difference that say so."""
    means, errors = _simulated_studies(differences, films)
    reach = np.abs(means) + stats.t.ppf(1 - LEVEL, films - 1) * errors
    return float((reach < margin).mean())


def _simulated_studies(differences: Sequence[float] | Values, films: int) -> tuple[Values, Values]:
    """Return means and their standard errors of studies whose true difference is 0.

    Films are drawn with replacement from differences that were found, less their mean and widened
    by sqrt(n / (n - 1)).
    """
    known = np.asarray(differences, np.float64)
    known = known[np.isfinite(known)]
    centred = (known - known.mean()) * (len(known) / (len(known) - 1)) ** 0.5
    drawn = np.random.default_rng(0).choice(centred, (DRAWS, films))
    return drawn.mean(axis=1), drawn.std(axis=1, ddof=1) / films**0.5
