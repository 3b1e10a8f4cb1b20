"""Resample sound between any two rates, exactly aligned with time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from math import ceil, gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Samples = NDArray[np.float32]

ZERO_CROSSINGS = 32
"""Zero crossings of the filter on each side of its middle."""

CUTOFF = 0.95
"""Where the filter has fallen by 6 dB, as a share of the lower of the two Nyquist frequencies."""

KAISER_BETA = 9.0
"""Shape of the filter's window: what would be an alias falls by 90 dB."""


def resample(
    blocks: Iterable[Samples], rates: tuple[int, int], first: int, begin: int, end: int
) -> Iterator[Samples]:
    """Yield sound at another sample rate, a block at a time.

    Sample ``n`` is at ``n / rate`` seconds at both rates, and what is not given is silent. The
    filter is a sinc under a Kaiser window, one phase of it for each position between two samples
    (Smith, "Digital audio resampling", CCRMA 2002).

    Parameters
    ----------
    blocks : iterable of float32 arrays (n,) or (n, channels)
        Successive; their lengths make no difference but rounding. Without any, there is no result.
    rates : (int, int)
        Sample rates of the blocks and of the result, in Hz.
    first : int
        Number of the first sample of the blocks, counted from time 0.
    begin, end : int
        Range of samples to yield, counted from time 0.
    """
    up, down = _ratio(rates)
    half = _half_length(rates)
    pending: Samples | None = None
    origin, at = min(first, begin * down // up - half + 1), begin
    # Result k is made of the samples from k * down // up - half + 1 to k * down // up + half.
    for block in chain(blocks, [None]):
        if pending is None:
            if block is None:
                return
            pending = np.pad(block, [(first - origin, 0), (0, 0)][: block.ndim])
        elif block is None:
            missing = max(end * down // up + half + 1 - origin - len(pending), 0)
            pending = np.pad(pending, [(0, missing), (0, 0)][: pending.ndim])
        else:
            pending = np.concatenate([pending, block])
        stop = min(end, -(-(origin + len(pending) - half) * up // down))
        if stop > at:
            yield _filter(pending, origin, (at, stop), rates)
            at = stop
        drop = min(max(at * down // up - half + 1 - origin, 0), len(pending))
        pending, origin = pending[drop:], origin + drop


def input_range(begin: int, end: int, rates: tuple[int, int]) -> tuple[int, int]:
    """Return the range of samples on which a range of results of `resample` depends."""
    up, down = _ratio(rates)
    half = _half_length(rates)
    return begin * down // up - half + 1, end * down // up + half + 1


def _filter(
    samples: Samples, origin: int, bounds: tuple[int, int], rates: tuple[int, int]
) -> Samples:
    """Return the results in a range, from samples of which the first is number ``origin``."""
    if samples.ndim == 2:
        planes = [_filter(plane, origin, bounds, rates) for plane in samples.T.copy()]
        return np.stack(planes, axis=1)
    up, down = _ratio(rates)
    phases = _phases(rates)
    windows = sliding_window_view(samples, phases.shape[1])
    begin, end = bounds
    out = np.empty(end - begin, np.float32)
    for k in range(begin, min(begin + up, end)):
        start = k * down // up - phases.shape[1] // 2 + 1 - origin
        out[k - begin :: up] = windows[start::down][: -(-(end - k) // up)] @ phases[k * down % up]
    return out


@cache
def _phases(rates: tuple[int, int]) -> Samples:
    """Return the filter for each position between two samples, ``(positions, taps)``."""
    up, down = _ratio(rates)
    half = _half_length(rates)
    cutoff = CUTOFF * min(1.0, up / down)
    distance = np.arange(1 - half, half + 1) - np.arange(up)[:, None] / up
    window = np.i0(KAISER_BETA * np.sqrt(np.maximum(1 - (distance / half) ** 2, 0)))
    phases = np.sinc(cutoff * distance) * window
    return np.asarray(phases / phases.sum(axis=1, keepdims=True), np.float32)


def _half_length(rates: tuple[int, int]) -> int:
    up, down = _ratio(rates)
    return ceil(ZERO_CROSSINGS * max(1.0, down / up))


def _ratio(rates: tuple[int, int]) -> tuple[int, int]:
    """Return the lowest numbers of new and of old samples that last equally long."""
    common = gcd(*rates)
    return rates[1] // common, rates[0] // common
