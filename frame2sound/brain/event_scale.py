"""How high the peaks of an onset curve are in one film, so that its threshold can follow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MIN_PEAKS = 8
"""With fewer peaks, a film's scale is not known."""

MIN_SHARE = 0.3
"""A film's scale is at least this share of that of the learned films: noise is no event."""

_HIGHEST, _BINS = 2.0, 400


class EventScale:
    """The mean height of the higher class of all peaks so far.

    The peaks of events and those of other motion form two classes, which are split where the
    variance between them is greatest (Otsu, "A threshold selection method from gray-level
    histograms", 1979). Heights differ between films: the more things move, the less the impact of
    one changes. Memory does not grow with the film.

    Parameters
    ----------
    usual : float
        The scale of the learned films, which is used until `MIN_PEAKS` are known.
    """

    def __init__(self, usual: float = 0.0) -> None:
        self.usual = usual
        self._counts = np.zeros(_BINS, np.int64)
        self._last: list[float] = []

    def observe(self, curve: FloatArray) -> None:
        """Add the local peaks of the next values of a curve."""
        values = np.array([*self._last, *curve.tolist()])
        self._last = values[-2:].tolist()
        middle = values[1:-1]
        peaks = middle[(middle > values[:-2]) & (middle >= values[2:]) & (middle > 0)]
        bins = (peaks * (_BINS / _HIGHEST)).astype(np.int64).clip(0, _BINS - 1)
        self._counts += np.bincount(bins, minlength=_BINS)

    @property
    def value(self) -> float:
        """The scale."""
        if self._counts.sum() < MIN_PEAKS:
            return self.usual
        return max(self._mean_of_higher_class(), MIN_SHARE * self.usual, _HIGHEST / _BINS)

    def _mean_of_higher_class(self) -> float:
        heights = (np.arange(_BINS) + 0.5) * (_HIGHEST / _BINS)
        below, sums = np.cumsum(self._counts), np.cumsum(self._counts * heights)
        above = below[-1] - below
        with np.errstate(divide="ignore", invalid="ignore"):
            higher = (sums[-1] - sums) / above
            spread = below * above * (sums / below - higher) ** 2
        spread = np.nan_to_num(spread, nan=0.0)
        if not spread.any():
            return float(sums[-1] / below[-1])
        return float(higher[int(spread.argmax())])


def scale_of(curve: FloatArray, usual: float = 0.0) -> float:
    """Return the scale of a whole curve; see `EventScale`."""
    scale = EventScale(usual)
    scale.observe(curve)
    return scale.value
