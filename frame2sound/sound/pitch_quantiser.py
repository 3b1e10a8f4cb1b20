"""Quantise the pitch of magnitude spectra: each peak moves to the nearest tone of a scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.phase.reconstructor import PhaseReconstructor
from frame2sound.sound.scale import Scale

LOBE_HALF_WIDTH = 2
"""Bins on either side of a peak that a Hann window's main lobe reaches."""

PROMINENCE_DB = 15.0
"""Height of a peak above the floor; the peaks of white noise are almost always lower."""

FLOOR_QUANTILE = 0.25
"""The floor is this quantile of the magnitudes of nearby bins."""

_FLOOR_WINDOW, _FLOOR_STEP = 32, 8


class PitchQuantiser:
    """Moves the peaks of magnitude spectra to the tones of a scale.

    A peak is a bin above its neighbours and well above the floor around it. The power of its main
    lobe above that floor is removed, and added as the lobe of a sinusoid of the same power at the
    nearest tone, by interval. The rest, mostly noise, is unchanged. The frequency of a peak is
    estimated from two neighbouring bins, exactly for a Hann window and a steady sinusoid
    (M. Grandke, *Interpolation algorithms for discrete Fourier transforms of weighted signals*,
    IEEE Trans. Instrum. Meas. 32, 1983). Partials nearer than four bins are not resolved, and
    tones below two bins are not used: a bin is ``sample_rate / n_fft``.

    Parameters
    ----------
    scale : Scale
        The tones; those above half the sample rate are not used.
    sample_rate, n_fft : int
        Of the STFT, with a Hann window of length ``n_fft``.
    """

    def __init__(self, scale: Scale, sample_rate: int, n_fft: int) -> None:
        self._bin_hz = sample_rate / n_fft
        lowest = 2.0 * self._bin_hz
        tones = _tones(scale, lowest, sample_rate / 2 - self._bin_hz)
        self._tones = np.array(tones)
        self._boundaries_hz = np.sqrt(self._tones[:-1] * self._tones[1:])

    def apply(self, magnitude: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return quantised magnitudes of the same shape ``(n, bins)`` and power.

        Raises
        ------
        ValueError
            They are not finite, negative, or not two-dimensional.
        """
        if magnitude.ndim != 2 or not np.isfinite(magnitude).all() or (magnitude < 0).any():
            raise ValueError("expected finite magnitudes of 0 or more, of shape (n, bins)")
        if not len(self._tones) or magnitude.shape[1] < _FLOOR_WINDOW:
            return magnitude.copy()
        floor = _noise_floor(magnitude)
        rows, bins = _peaks(magnitude, floor)
        if not len(rows):
            return magnitude.copy()
        power = magnitude.astype(np.float64) ** 2
        owners = _peak_of_bin(rows, bins, power.shape)
        owned = np.flatnonzero(owners >= 0)
        excess = np.maximum(power.ravel()[owned] - floor.ravel()[owned].astype(np.float64) ** 2, 0)
        taken = np.bincount(owners[owned], excess, minlength=len(rows)).astype(np.float64)
        flat = power.ravel()
        flat[owned] -= excess
        self._add_lobes(flat, rows, self._target_bins(magnitude, rows, bins), taken, power.shape[1])
        tuned: NDArray[np.float32] = np.sqrt(flat).astype(np.float32).reshape(magnitude.shape)
        return tuned

    def _target_bins(
        self, magnitude: NDArray[np.float32], rows: NDArray[np.int64], bins: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the tone nearest to each peak, in bins."""
        hertz = (bins + _peak_offsets(magnitude, rows, bins)) * self._bin_hz
        nearest: NDArray[np.float64] = self._tones[np.searchsorted(self._boundaries_hz, hertz)]
        return nearest / self._bin_hz

    def _add_lobes(
        self,
        power: NDArray[np.float64],
        rows: NDArray[np.int64],
        targets: NDArray[np.float64],
        taken: NDArray[np.float64],
        width: int,
    ) -> None:
        middle = np.round(targets).astype(np.int64)[:, None]
        places = middle + np.arange(-LOBE_HALF_WIDTH, LOBE_HALF_WIDTH + 1)
        lobes = _hann_lobe(places - targets[:, None]) ** 2
        lobes[(places < 0) | (places >= width)] = 0
        lobes *= (taken / lobes.sum(axis=1))[:, None]
        into = rows[:, None] * width + np.clip(places, 0, width - 1)
        power += np.bincount(into.ravel(), lobes.ravel(), minlength=len(power))


@dataclass(frozen=True)
class QuantisedPhase:
    """A phase reconstructor for magnitudes that are first quantised to a scale."""

    phase: PhaseReconstructor
    quantiser: PitchQuantiser

    def reconstruct(
        self, magnitude: NDArray[np.float32], onset: NDArray[np.bool_]
    ) -> NDArray[np.complex64]:
        """Return the quantised magnitudes with phases."""
        return self.phase.reconstruct(self.quantiser.apply(magnitude), onset)


def _tones(scale: Scale, lowest: float, highest: float) -> list[float]:
    """Return a scale's tones between two pitches, ascending."""
    if scale.period is None:
        tones = [scale.step_to_hz(step) for step in range(len(scale.ratios))]
    else:
        steps = range(scale.hz_to_step(lowest) - 1, scale.hz_to_step(highest) + 2)
        tones = [scale.step_to_hz(step) for step in steps]
    return [tone for tone in tones if lowest <= tone <= highest]


def _noise_floor(magnitude: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the level between the peaks, for each bin."""
    bins = magnitude.shape[1]
    starts = np.arange(0, bins - _FLOOR_WINDOW + 1, _FLOOR_STEP)
    windows = np.lib.stride_tricks.sliding_window_view(magnitude, _FLOOR_WINDOW, axis=1)[:, starts]
    rank = int(FLOOR_QUANTILE * _FLOOR_WINDOW)
    levels = np.partition(windows, rank, axis=2)[..., rank]
    nearest = np.clip(
        (np.arange(bins) - _FLOOR_WINDOW // 2 + _FLOOR_STEP // 2) // _FLOOR_STEP, 0, len(starts) - 1
    )
    floor: NDArray[np.float32] = levels[:, nearest]
    return floor


def _peaks(
    magnitude: NDArray[np.float32], floor: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    inner = magnitude[:, LOBE_HALF_WIDTH:-LOBE_HALF_WIDTH]
    higher = inner > magnitude[:, LOBE_HALF_WIDTH - 1 : -LOBE_HALF_WIDTH - 1]
    higher &= inner >= magnitude[:, LOBE_HALF_WIDTH + 1 : 1 - LOBE_HALF_WIDTH]
    higher &= inner > floor[:, LOBE_HALF_WIDTH:-LOBE_HALF_WIDTH] * np.float32(
        10 ** (PROMINENCE_DB / 20)
    )
    rows, bins = np.nonzero(higher)
    return rows, bins + LOBE_HALF_WIDTH


def _peak_of_bin(
    rows: NDArray[np.int64], bins: NDArray[np.int64], shape: tuple[int, ...]
) -> NDArray[np.int64]:
    """Return, flat, the number of the peak to which each bin belongs, or -1; the nearest counts."""
    owners = np.full(shape[0] * shape[1], -1, np.int64)
    place = rows * shape[1] + bins
    for offset in (-LOBE_HALF_WIDTH, LOBE_HALF_WIDTH, -1, 1, 0):
        owners[place + offset] = np.arange(len(place))
    return owners


def _peak_offsets(
    magnitude: NDArray[np.float32], rows: NDArray[np.int64], bins: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the distance of a sinusoid from its highest bin, in bins, from -0.5 to 0.5."""
    left, peak, right = (magnitude[rows, bins + k].astype(np.float64) for k in (-1, 0, 1))
    ratio = np.maximum(left, right) / peak
    off: NDArray[np.float64] = (2 * ratio - 1).clip(0) / (1 + ratio)
    return np.where(right >= left, off, -off)


def _hann_lobe(bins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a Hann window's spectrum at distances from its centre in bins, 1 at the centre.

    ``sinc(x) / (1 - x^2)``, whose poles are removed by ``sinc(x) / (1 - x) = sinc(x - 1) / x``.
    """
    off = np.abs(bins)
    near = np.abs(off - 1) < 1e-6
    safe = np.where(near, 0.0, off)
    return np.where(near, 0.5, np.abs(np.sinc(safe) / (1 - safe**2)))
