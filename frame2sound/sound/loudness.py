"""Integrated loudness after ITU-R BS.1770-4."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

STEPS_PER_BLOCK = 4
"""A block is four steps of 100 ms; neighbours share three of them."""

ABSOLUTE_GATE_LUFS = -70.0
"""LUFS; quieter blocks do not count."""

RELATIVE_GATE_LU = -10.0
"""LU; blocks quieter than the mean of the others by more do not count."""

MIN_SAMPLE_RATE = 4000
"""Hz; below, the weighting's shelf at 1.7 kHz is not possible."""

_OFFSET = -0.691

_NO_WEIGHTING = np.array([[1.0, 0, 0, 1, 0, 0]] * 2)


class LoudnessMeter:
    """Measures the integrated loudness of a stream.

    K-weighting, blocks of 400 ms every 100 ms, gates at -70 LUFS and 10 LU below the mean (ITU-R
    BS.1770-4, annex 1). It stores one number for every 100 ms. All channels have the same weight.

    Parameters
    ----------
    sample_rate : int
        In Hz, at least 4000.
    channels : int
        One or two.
    weighted : bool
        Without K-weighting, the result is the gated RMS in dBFS, at any sample rate.

    Raises
    ------
    ValueError
        The rate is too low, or there are more channels than two.
    """

    def __init__(self, sample_rate: int, channels: int = 1, *, weighted: bool = True) -> None:
        if weighted and sample_rate < MIN_SAMPLE_RATE:
            raise ValueError(f"got {sample_rate} Hz, expected at least {MIN_SAMPLE_RATE}")
        if channels not in (1, 2):
            raise ValueError(f"got {channels} channels, expected 1 or 2")
        self._rate, self._channels = sample_rate, channels
        self._weighting = k_weighting(sample_rate) if weighted else _NO_WEIGHTING
        self._offset = _OFFSET if weighted else 0.0
        self._state = np.zeros((2, 2, channels))
        self._rest = np.empty(0)
        self._energies: list[float] = []

    def update(self, samples: NDArray[np.float32]) -> None:
        """Measure the next chunk, ``(n,)`` or ``(n, channels)``.

        Raises
        ------
        ValueError
            The chunk has another number of channels, or numbers that are not finite.
        """
        planes = samples[:, None] if samples.ndim == 1 else samples
        if planes.shape[1] != self._channels:
            raise ValueError(f"got {planes.shape[1]} channels, expected {self._channels}")
        if not np.isfinite(planes).all():
            raise ValueError("the sound holds numbers that are not finite")
        if not len(planes):
            return
        from scipy.signal import sosfilt

        weighted, self._state = sosfilt(
            self._weighting, planes.astype(np.float64), axis=0, zi=self._state
        )
        self._rest = np.concatenate([self._rest, (weighted**2).sum(axis=1)])
        self._take_steps()

    @property
    def integrated_lufs(self) -> float:
        """Loudness so far in LUFS; minus infinity for silence and for less than 400 ms."""
        if len(self._energies) < STEPS_PER_BLOCK:
            return -math.inf
        steps = len(self._energies)
        ends = np.array([self._bound(step) for step in range(steps + 1)])
        total = np.convolve(self._energies, np.ones(STEPS_PER_BLOCK), mode="valid")
        powers = total / (ends[STEPS_PER_BLOCK:] - ends[:-STEPS_PER_BLOCK])
        audible = powers[powers > 10 ** ((ABSOLUTE_GATE_LUFS - self._offset) / 10)]
        if not len(audible):
            return -math.inf
        gate = audible.mean() * 10 ** (RELATIVE_GATE_LU / 10)
        return self._offset + 10 * math.log10(audible[audible > gate].mean())

    def _take_steps(self) -> None:
        first = len(self._energies)
        start = end = self._bound(first)
        bounds = [0]
        while (end := self._bound(first + len(bounds))) - start <= len(self._rest):
            bounds.append(end - start)
        if len(bounds) > 1:
            energies = [self._rest[a:b].sum() for a, b in pairwise(bounds)]
            self._energies.extend(map(float, energies))
            self._rest = self._rest[bounds[-1] :].copy()

    def _bound(self, step: int) -> int:
        return (step * self._rate + 5) // 10


def k_weighting(sample_rate: int) -> NDArray[np.float64]:
    """Return the weighting's two filters as second-order sections, shape ``(2, 6)``.

    The standard tabulates them at 48 kHz. They are the bilinear transforms of a shelf of 4 dB
    above 1.68 kHz and a high-pass at 38 Hz, whose parameters give the table to its last digits and
    the filters of every other rate (De Man, *Evaluation of implementations of the EBU R128
    loudness measurement*, AES 145, 2018).

    Parameters
    ----------
    sample_rate : int
        In Hz.
    """
    warped, quality = math.tan(math.pi * 1681.974450955533 / sample_rate), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    middle = high**0.4996667741545416
    shelf = _section(
        (high + middle * warped / quality + warped**2, 2 * (warped**2 - high)),
        high - middle * warped / quality + warped**2,
        warped,
        quality,
    )
    low = math.tan(math.pi * 38.13547087602444 / sample_rate)
    high_pass = _section((1.0, -2.0), 1.0, low, 0.5003270373238773)
    high_pass[:3] = 1.0, -2.0, 1.0
    return np.array([shelf, high_pass])


def _section(
    first: tuple[float, float], last: float, warped: float, quality: float
) -> NDArray[np.float64]:
    scale = 1 + warped / quality + warped**2
    poles = scale, 2 * (warped**2 - 1), 1 - warped / quality + warped**2
    return np.array([*first, last, *poles]) / scale
