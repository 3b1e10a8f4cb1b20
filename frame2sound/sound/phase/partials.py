"""Find partials in magnitudes: which bins belong to a peak, and which are noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.sliding import sliding_max
from frame2sound.sound.stft import Stft

_MIN_PROMINENCE = 2.0
"""A peak stands 6 dB above the lowest bin nearby on each side; averaged noise does not."""

_LEAKAGE_TOLERANCE = 3.0
"""A bin within 10 dB of the leakage of a steady partial belongs to it: real partials move."""

_STEPS_PER_BIN = 32
"""Points per bin at which the window's transform is tabulated."""


@dataclass(frozen=True)
class Partials:
    """The partials of successive hops; every array has shape ``(n, bins)``.

    Attributes
    ----------
    peak_bin : int64
        The peak to which a bin belongs; -1 for noise.
    frequency : float32
        At a peak, its frequency in bins; elsewhere the bin's own number.
    sign : float32
        1, or -1 where the window's transform is negative: the phase is turned by pi.
    """

    peak_bin: NDArray[np.int64]
    frequency: NDArray[np.float32]
    sign: NDArray[np.float32]


class PartialFinder:
    """Finds partials by the shape of the window's main lobe.

    Of peaks within three bins of the window, only the highest counts: no window resolves such
    partials, and one that is predicted vaguely has two peaks, which would beat.

    The frequency is that of a parabola through the logarithm of three bins, which is wrong by up
    to 0.016 bins (Hann; at 22 050 Hz and 1024 samples 0.35 Hz, 1.4 cents at 440 Hz), less the
    error that it makes on this very window: a steady partial's is exact.
    """

    def __init__(self, stft: Stft) -> None:
        width = stft.n_fft / stft.window_size
        self._min_distance = round(3 * width)
        self._lobe_positions, self._lobe = _window_transform(stft)
        centre = len(self._lobe) // 2
        self._centre = centre
        self._lobe_half_width = round(2 * width)
        self._sign = np.where(self._lobe < 0, np.float32(-1), np.float32(1))
        self._max_leakage = self._leakage(stft.bins)
        offsets = np.arange(-_STEPS_PER_BIN // 2, _STEPS_PER_BIN // 2 + 1)
        three = [np.log(self._lobe[centre - offsets + d * _STEPS_PER_BIN]) for d in (-1, 0, 1)]
        self._parabola_offsets = _parabola_vertex(*three)
        self._true_offsets = offsets / _STEPS_PER_BIN

    def __deepcopy__(self, memo: object) -> PartialFinder:
        """Return itself: it keeps tables, and no state."""
        return self

    def find(self, magnitude: NDArray[np.float32]) -> Partials:
        """Find the partials of magnitudes, linear, ``(n, bins)``; hops do not touch each other."""
        hops, bins = magnitude.shape
        here = np.arange(bins)
        is_peak = self._peaks(magnitude)
        places = np.flatnonzero(is_peak)
        rows, columns = np.divmod(places, bins)
        exact = (columns + self._offsets(magnitude, rows, columns)).astype(np.float32)
        frequency = np.tile(here.astype(np.float32), (hops, 1))
        frequency[rows, columns] = exact
        owner = self._owners(magnitude, is_peak, places)
        peak_bin = np.append(columns, -1)[owner]
        away = here - np.append(exact, 0).astype(np.float64)[owner]
        away *= _STEPS_PER_BIN
        place = np.rint(away, out=away).astype(np.int64)
        place += self._centre
        sign = np.take(self._sign, place, mode="clip")
        return Partials(peak_bin, frequency, np.where(peak_bin < 0, np.float32(1), sign))

    def _peaks(self, magnitude: NDArray[np.float32]) -> NDArray[np.bool_]:
        highest = sliding_max(magnitude, self._min_distance)
        inner = magnitude[:, 1:-1]
        peak = np.zeros(magnitude.shape, bool)
        peak[:, 1:-1] = (inner > magnitude[:, :-2]) & (inner >= magnitude[:, 2:]) & (inner > 0)
        peak &= magnitude == highest
        hops, bins = np.nonzero(peak)
        height = magnitude[hops, bins]
        for side in (-1, 1):
            around = bins[:, None] + side * np.arange(1, self._min_distance + 1)
            lowest = magnitude[hops[:, None], np.clip(around, 0, magnitude.shape[1] - 1)].min(1)
            peak[hops, bins] &= height > _MIN_PROMINENCE * lowest
        return peak

    def _owners(
        self,
        magnitude: NDArray[np.float32],
        is_peak: NDArray[np.bool_],
        places: NDArray[np.intp],
    ) -> NDArray[np.intp]:
        """Return the peak that each bin belongs to, ``(n, bins)``: its number among ``places``.

        The places of peaks are numbers of bins, counted through all hops. The number after the last
        peak means none.
        """
        bins, count = magnitude.shape[1], len(places)
        here = np.arange(magnitude.size).reshape(magnitude.shape)
        begin = here[:, :1]
        places = np.append(places, magnitude.size)
        height = np.append(magnitude.ravel()[places[:-1]], np.float32(0))
        left = np.cumsum(is_peak.ravel()).reshape(magnitude.shape) - 1
        right = np.where(is_peak, left, left + 1)
        to_left, to_right = here - places[left], places[right] - here
        leak_left = self._leakage_of_peak(
            height[left], to_left, (to_left >= 0) & (places[left] >= begin)
        )
        leak_right = self._leakage_of_peak(height[right], to_right, places[right] < begin + bins)
        is_left = leak_left >= leak_right
        owner = np.where(is_left, left, right)
        near = np.where(is_left, to_left, to_right) <= self._lobe_half_width
        most = np.maximum(leak_left, leak_right)
        owned = (most > 0) & (near | (magnitude <= _LEAKAGE_TOLERANCE * most))
        return np.where(owned, owner, count)

    def _leakage_of_peak(
        self,
        height: NDArray[np.float32],
        distance: NDArray[np.int64],
        exists: NDArray[np.bool_],
    ) -> NDArray[np.float32]:
        """Return the most that peaks of a height have at a distance; 0 where there is none."""
        leakage: NDArray[np.float32] = np.take(self._max_leakage, distance, mode="clip")
        leakage *= height
        leakage *= exists
        return leakage

    def _offsets(
        self, magnitude: NDArray[np.float32], hops: NDArray[np.intp], bins: NDArray[np.intp]
    ) -> NDArray[np.floating]:
        """Return how far above the middle of its bin the frequency of each peak is, in bins."""
        floor = np.finfo(np.float32).tiny
        three = [np.log(np.maximum(magnitude[hops, bins + d], floor)) for d in (-1, 0, 1)]
        offsets: NDArray[np.floating] = np.interp(
            _parabola_vertex(*three), self._parabola_offsets, self._true_offsets
        )
        return offsets

    def _leakage(self, bins: int) -> NDArray[np.float32]:
        """Return the most that a partial has at each distance from its peak's bin, relatively."""
        right = np.abs(self._lobe[self._centre :])
        beyond = np.maximum.accumulate(right[::-1])[::-1]
        places = np.maximum(np.arange(bins) * _STEPS_PER_BIN - _STEPS_PER_BIN // 2, 0)
        leak: NDArray[np.float32] = (beyond[places] / right[_STEPS_PER_BIN // 2]).astype(np.float32)
        return leak


def _window_transform(stft: Stft) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places in bins, and the window's real transform there, 1 in the middle."""
    padded = np.zeros(stft.n_fft * _STEPS_PER_BIN)
    half = stft.n_fft // 2
    padded[:half], padded[-half:] = stft.analysis_window[half:], stft.analysis_window[:half]
    lobe = np.fft.rfft(padded).real
    whole = np.concatenate([lobe[:0:-1], lobe]) / lobe[0]
    return (np.arange(len(whole)) - len(lobe) + 1) / _STEPS_PER_BIN, whole


def _parabola_vertex(
    before: NDArray[np.floating], at: NDArray[np.floating], after: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return where the parabola through three values has its vertex, in bins from the middle."""
    bend = before - 2 * at + after
    vertex: NDArray[np.floating] = 0.5 * (before - after) / np.where(bend < 0, bend, -1)
    return vertex
