"""Onsets of a sound that comes in blocks, and the change from which they are picked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.sound.spectral_flux import HOP_SECONDS, onset_peaks, spectral_flux

FloatArray = NDArray[np.float64]
Samples = NDArray[np.floating]

_CONTEXT_HOPS = 10  # hops that a value of the flux depends on, and more
_PICKING_HOPS = 40  # hops that a decision about an onset depends on, and more, on either side
_MIN_GAP_HOPS = 7  # 28 ms


class OnsetTracker:
    """Finds the onsets of a mono sound that comes in blocks, as `detect_onsets` does.

    Attributes
    ----------
    hop_seconds : float
        From one value of the flux to the next: 4 ms, in whole samples.
    """

    def __init__(self, sample_rate: int) -> None:
        self._rate, self._hop = sample_rate, round(HOP_SECONDS * sample_rate)
        self.hop_seconds = self._hop / sample_rate
        self._sound = np.zeros(0)
        self._context = 0  # hops at the beginning of the sound that are known
        self._rise = np.zeros(0)
        self._first, self._decided = 0, 0  # hop of the first value kept, and of the next decision
        self._last = -_MIN_GAP_HOPS - 1

    @property
    def known_seconds(self) -> float:
        """Up to when all onsets have been returned."""
        return self._decided * self.hop_seconds

    def process(self, samples: Samples) -> tuple[FloatArray, FloatArray]:
        """Take the next samples, ``(n,)``; return onsets in seconds, and values of the flux.

        The values are the mean rises of bands in dB, each times the fourth root of the rise of
        power, so that accents stand out: see `SpectralFlux`.
        """
        self._sound = np.concatenate([self._sound, samples])
        count = len(self._sound) // self._hop
        if count <= self._context:
            return np.zeros(0), np.zeros(0)
        flux = spectral_flux(self._sound[: count * self._hop], self._rate)
        new = flux.rise_db[self._context :]
        accents = new * flux.power[self._context :] ** 0.25
        kept = min(count, _CONTEXT_HOPS)
        self._sound = self._sound[(count - kept) * self._hop :].copy()
        self._context = kept
        self._rise = np.concatenate([self._rise, new])
        return self._decide(self._first + len(self._rise) - _PICKING_HOPS), accents

    def flush(self) -> FloatArray:
        """Return the onsets of the end, in seconds."""
        return self._decide(self._first + len(self._rise))

    def _decide(self, end: int) -> FloatArray:
        """Return the onsets in the hops that are not decided yet, up to a hop."""
        if end <= self._decided:
            return np.zeros(0)
        hops = self._first + np.flatnonzero(onset_peaks(self._rise))
        onsets = []
        for hop in hops[(hops >= self._decided) & (hops < end)].tolist():
            if hop - self._last > _MIN_GAP_HOPS:
                onsets.append(hop)
                self._last = hop
        self._decided = end
        dropped = max(end - _PICKING_HOPS - self._first, 0)
        self._rise, self._first = self._rise[dropped:].copy(), self._first + dropped
        return np.array(onsets, np.float64) * self.hop_seconds
