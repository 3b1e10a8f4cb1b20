"""Lag: the delay of a sound relative to a reference."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.spectral_flux import HOP_SECONDS, WINDOW_SECONDS, spectral_flux

Samples = NDArray[np.floating]

MIN_OVERLAP = 0.1
"""Delays at which less of an excerpt overlaps are not looked at."""

TIE = 1.05
"""Peaks so near in height are alike: a beat correlates nearly as well with the next beat."""


@dataclass(frozen=True)
class Lag:
    """Delay of a sound in seconds, at its start and at its end; negative if it is early."""

    start_seconds: float | None
    end_seconds: float | None

    @property
    def drift_seconds(self) -> float | None:
        """Increase of the delay from the start to the end, in seconds."""
        if self.start_seconds is None or self.end_seconds is None:
            return None
        return self.end_seconds - self.start_seconds


def lag(
    estimate: Samples,
    reference: Samples,
    sample_rate: int,
    excerpt_seconds: float = 10.0,
    max_lag_seconds: float = 0.5,
) -> Lag:
    """Return the delay of a sound relative to a reference, at the start and at the end.

    It is the peak, within ``max_lag_seconds``, of the cross-correlation of the spectral flux of the
    first and of the last ``excerpt_seconds`` that both have. A parabola through the peak refines it
    to about a millisecond. None where either has no flux, or where the peak may be chance: longer
    delays, up to nine tenths of the excerpt, correlate better. Of unrelated sounds of ten seconds
    about one in twelve has a delay.
    """
    length = min(len(estimate), len(reference))
    excerpt = min(length, math.ceil(excerpt_seconds * sample_rate))
    edge = math.ceil(WINDOW_SECONDS / HOP_SECONDS)  # the edge of an excerpt is not an onset
    max_hops = math.ceil(max_lag_seconds / HOP_SECONDS)

    def lag_from(first: int) -> float | None:
        ours, theirs = (
            spectral_flux(part[first : first + excerpt], sample_rate)
            for part in (estimate, reference)
        )
        hops = _lag_hops(ours.rise_db[edge:], theirs.rise_db[edge:], max_hops)
        return None if hops is None else hops * ours.hop_seconds

    return Lag(lag_from(0), lag_from(length - excerpt))


def _lag_hops(
    estimate: NDArray[np.float64], reference: NDArray[np.float64], max_hops: int
) -> float | None:
    """Return the delay in hops, at most ``max_hops``; None if there is none, or it is by chance."""
    if not np.any(estimate) or not np.any(reference):
        return None
    delays, correlation = _cross_correlation(
        estimate - estimate.mean(), reference - reference.mean()
    )
    is_near = np.abs(delays) <= max_hops
    if not _is_above(correlation, delays, is_near, len(reference)):
        return None
    near, reach = correlation[is_near], int(delays[is_near][-1])
    top = int(near.argmax())
    if not 0 < top < len(near) - 1:
        return float(top - reach)
    left, peak, right = (float(value) for value in near[top - 1 : top + 2])
    return top - reach + 0.5 * (left - right) / min(left - 2 * peak + right, -1e-300)


def _cross_correlation(
    estimate: NDArray[np.float64], reference: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return delays in hops, and sums of products at them."""
    length = len(reference)
    spectrum = np.fft.rfft(estimate, 2 * length) * np.conj(np.fft.rfft(reference, 2 * length))
    farthest = length - max(1, math.ceil(MIN_OVERLAP * length))
    delays = np.arange(-farthest, farthest + 1)
    return delays, np.fft.irfft(spectrum, 2 * length)[delays]


def _is_above(
    correlation: NDArray[np.float64],
    delays: NDArray[np.int64],
    is_near: NDArray[np.bool_],
    length: int,
) -> bool:
    """Whether the highest value is near 0, with equal variance of the values by chance."""
    scores = correlation / np.sqrt(length - np.abs(delays))
    return bool(is_near.all() or TIE * scores[is_near].max() > scores[~is_near].max())
