"""Lag: the delay of a sound relative to a reference."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.spectral_flux import HOP_SECONDS, WINDOW_SECONDS, spectral_flux

Samples = NDArray[np.floating]


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
    to about a millisecond. None where either has no flux.
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
    """Return the delay in hops, at most ``max_hops``; None if one of both is all zeros."""
    if not np.any(estimate) or not np.any(reference):
        return None
    estimate, reference = estimate - estimate.mean(), reference - reference.mean()
    size = 2 * len(reference)
    spectrum = np.fft.rfft(estimate, size) * np.conj(np.fft.rfft(reference, size))
    correlation = np.fft.irfft(spectrum, size)
    reach = min(max_hops, len(reference) - 1)
    near = np.roll(correlation, reach)[: 2 * reach + 1]
    top = int(near.argmax())
    if not 0 < top < len(near) - 1:
        return float(top - reach)
    left, peak, right = (float(value) for value in near[top - 1 : top + 2])
    return top - reach + 0.5 * (left - right) / min(left - 2 * peak + right, -1e-300)
