"""Tempo: the beats per minute at which the changes of a sound repeat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MIN_BPM, MAX_BPM = 40.0, 240.0
PREFERRED_BPM, PREFERENCE_OCTAVES = 120.0, 1.0
"""Tempi are weighted by a Gaussian of their octaves around this one (Ellis, "Beat tracking by
dynamic programming", 2007)."""

BEATS = 4
"""The strength is a mean over so many beats: the longer the lag, the finer the tempo."""

MIN_STRENGTH = 0.25
"""Below, there is no tempo."""

MIN_ONSETS = 6
"""With fewer onsets, there is no tempo."""

_HALVING = 0.85  # a beat of half the period is taken if it is at least this strong, relatively
_SMOOTHING_SECONDS = 0.05
_BLOCK = 4096
_STEP = 1.001  # ratio of neighbouring tempi


@dataclass(frozen=True)
class Tempo:
    """A tempo.

    Attributes
    ----------
    bpm : float
        Beats per minute.
    strength : float
        Mean autocorrelation at 1 to 4 beats, of 1 at a beat of clicks to 0 without any.
    """

    bpm: float
    strength: float


class TempoMeter:
    """Finds the tempo of the spectral flux that comes in blocks.

    It keeps the sums of an autocorrelation up to four of the slowest beats, so its memory does not
    grow, and it is the mean tempo of the whole sound: one that changes is weak.

    Parameters
    ----------
    hop_seconds : float
        From one value of the flux to the next.
    """

    def __init__(self, hop_seconds: float) -> None:
        self._hop = hop_seconds
        self._lags = round(BEATS * 60 / MIN_BPM / hop_seconds) + 2
        self._recent = np.zeros(self._lags)
        self._products = np.zeros(self._lags + 1)
        self._sum, self._count = 0.0, 0

    def process(self, flux: FloatArray) -> None:
        """Take the next values of the flux, ``(n,)``."""
        for first in range(0, len(flux), _BLOCK):
            self._add(flux[first : first + _BLOCK])

    def tempo(self, onset_count: int) -> Tempo | None:
        """Return the tempo so far; None with too few onsets, or if no beat is strong."""
        strength = self._autocorrelation()
        if onset_count < MIN_ONSETS or strength is None:
            return None
        grid = np.exp(np.arange(np.log(MIN_BPM), np.log(MAX_BPM), np.log(_STEP)))
        octaves = np.log2(grid / PREFERRED_BPM) / PREFERENCE_OCTAVES
        strengths = self._beat_strength(strength, grid)
        bpm = float(grid[(strengths * np.exp(-0.5 * octaves**2)).argmax()])
        bpm, best = self._refined(strength, bpm)
        while 2 * bpm <= MAX_BPM:
            faster, other = self._refined(strength, 2 * bpm)
            if other < _HALVING * best:
                break
            bpm, best = faster, other
        return Tempo(bpm, best) if best >= MIN_STRENGTH else None

    def _add(self, block: FloatArray) -> None:
        from scipy.signal import correlate

        whole = np.concatenate([self._recent, block])
        self._products += correlate(whole, block, mode="valid", method="fft")[::-1]
        self._recent = whole[-self._lags :]
        self._sum += float(block.sum())
        self._count += len(block)

    def _autocorrelation(self) -> FloatArray | None:
        """Return the autocorrelation by lag, relative to its value at 0, without the mean."""
        pairs = self._count - np.arange(self._lags + 1)
        if pairs[-1] <= self._lags:
            pairs = np.maximum(pairs, max(self._count // 2, 1))
        if not self._count or self._products[0] <= 0:
            return None
        correlation = self._products / pairs - (self._sum / self._count) ** 2
        width = round(_SMOOTHING_SECONDS / self._hop) | 1
        taper = np.hanning(width + 2)[1:-1]
        mirrored = np.concatenate([correlation[width:0:-1], correlation])
        smooth: FloatArray = np.convolve(mirrored, taper / taper.sum(), "same")[width:]
        return None if smooth[0] <= 0 else smooth / smooth[0]

    def _beat_strength(self, correlation: FloatArray, bpm: FloatArray) -> FloatArray:
        period = 60 / bpm / self._hop
        lags = np.arange(len(correlation))
        beats = [np.interp(beat * period, lags, correlation) for beat in range(1, BEATS + 1)]
        strength: FloatArray = np.mean(beats, axis=0)
        return strength

    def _refined(self, correlation: FloatArray, bpm: float) -> tuple[float, float]:
        """Return the strongest tempo within 3 % of one, and its strength."""
        near = bpm * np.linspace(0.97, 1.03, 241)
        strengths = self._beat_strength(correlation, near)
        at = int(strengths.argmax())
        return float(near[at]), float(strengths[at])
