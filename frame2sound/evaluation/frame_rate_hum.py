"""Hum at the frame rate, of two kinds: lines in the spectrum, and tremolo of the envelope.

Both come from one pass over windowed excerpts that last a whole number of frames, so every multiple
of any frame rate, 24000/1001 too, is at a bin.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.fft import ifft, next_fast_len, rfft

Samples = NDArray[np.floating]
Power = NDArray[np.float64]

BANDS_HZ = ((60, 500), (500, 2000), (2000, 6000), (6000, 16000))
FULL_BAND = "whole"
"""Name of the band that is the whole spectrum."""

EXCERPT_SECONDS, MIN_FRAMES, MIN_EXCERPTS = 2.0, 8, 2.25
HARMONICS = 8

HARMONIC_QUANTILE = 1 / 3
"""Quantile over multiples: two thirds are higher, so a note and its overtones do not count."""

_OVERLAP = 4
_MIN_BAND_POWER, _MIN_BAND_SHARE = 1e-7, 1e-6  # of a band of an excerpt: absolute, of the whole
_LINE_FLOOR, _TREMOLO_FLOOR = 1e-9, 1e-6  # relative to the loudest line, to the constant power
_LOCAL_FLOOR = 1e-2  # relative to the mean of the surroundings


@dataclass(frozen=True)
class FrameRateHum:
    """Height of the multiples of the frame rate above the spectrum between them, in dB, by band.

    Attributes
    ----------
    line : dict of str to float
        In the long-term power spectrum. Steady tones and noise have about 0 dB; a block that is
        repeated with every frame has 36 dB with any window.
    tremolo : dict of str to float
        In the power spectrum of the squared envelope. Noise has about 0 dB; independent blocks of
        noise with Hann windows of two frames, whose powers do not add to one, have 28 dB.
    """

    line: dict[str, float]
    tremolo: dict[str, float]

    @property
    def line_db(self) -> float:
        """Maximum over the bands."""
        return max(self.line.values())

    @property
    def tremolo_db(self) -> float:
        """Maximum over the bands, including the full band."""
        return max(self.tremolo.values())


def line_comb_db(samples: Samples, sample_rate: int, fps: Fraction) -> float | None:
    """Return the largest line height of `frame_rate_hum` in dB, or None."""
    hum = frame_rate_hum(samples, sample_rate, fps)
    return None if hum is None else hum.line_db


def tremolo_comb_db(samples: Samples, sample_rate: int, fps: Fraction) -> float | None:
    """Return the largest tremolo height of `frame_rate_hum` in dB, or None."""
    hum = frame_rate_hum(samples, sample_rate, fps)
    return None if hum is None else hum.tremolo_db


def frame_rate_hum(samples: Samples, sample_rate: int, fps: Fraction) -> FrameRateHum | None:
    """Return how much a sound hums at the frame rate.

    Excerpts of about 2 s with Hann windows overlap by three quarters (Welch 1967). The height of a
    multiple of the frame rate is its level in dB above the mean level of the frequencies that are
    more than a quarter of the frame rate from any multiple. The line height of a band is the one
    that two thirds of its multiples reach. The tremolo height is the maximum of three: at the
    frame rate, at its double, and the height that two thirds of the first eight multiples reach.
    Levels are clipped from below at 20 dB under the mean around them, so heights are finite. In
    the envelope every excerpt has the same weight if its band is not silent: above -70 dBFS, and
    less than 60 dB below the full band.

    Parameters
    ----------
    samples : array of shape (samples,)
        Full scale is 1.0; read excerpt by excerpt, so it may be memory-mapped.
    sample_rate : int
        In Hz.
    fps : Fraction
        Frames per second, exact.

    Returns
    -------
    FrameRateHum or None
        None for a sound that is silent or shorter than 2.25 excerpts (4.5 s).

    Raises
    ------
    ValueError
        The frame rate is not above 0, or is above an eighth of the sample rate.
    """
    if not 0 < fps <= Fraction(sample_rate, 8):
        raise ValueError(f"got {fps} fps at {sample_rate} Hz, expected 0 < fps <= {sample_rate}/8")
    frames = max(MIN_FRAMES, 4 * round(EXCERPT_SECONDS * float(fps) / 4))
    length = round(frames * sample_rate / fps)
    if len(samples) < MIN_EXCERPTS * length:
        return None
    analyser = _HumAnalyser(frames, length, sample_rate)
    for excerpt in _windowed_excerpts(samples, length):
        analyser.update(excerpt)
    return analyser.result()


def _windowed_excerpts(samples: Samples, length: int) -> Iterator[NDArray[np.float64]]:
    window = np.hanning(length + 1)[:-1]
    window /= np.sqrt(np.mean(window**2))
    for start in range(0, len(samples) - length + 1, length // _OVERLAP):
        yield samples[start : start + length] * window


class _HumAnalyser:
    """Sums the power spectra of excerpts, and those of the squared envelopes of their bands."""

    def __init__(self, frames: int, length: int, sample_rate: int) -> None:
        self.frames, self.length = frames, length
        hertz = sample_rate / length
        top = length // 2
        edges = {FULL_BAND: (frames // 2, top)}
        for low, high in BANDS_HZ:
            first, last = round(low / hertz), min(round(high / hertz), top)
            if last - first > 2 * frames:
                edges[f"{low}-{high} Hz"] = first, last
        self.edges = edges
        self.power = np.zeros(top + 1)
        self.envelope = {band: np.zeros((HARMONICS + 1) * frames) for band in edges}

    def update(self, excerpt: NDArray[np.float64]) -> None:
        """Add a windowed excerpt."""
        values = rfft(excerpt)
        power = np.abs(values) ** 2 * (2 / self.length**2)
        self.power += power
        whole = power.sum()
        for band, (first, last) in self.edges.items():
            band_power = power[first:last].sum()
            if band_power > max(_MIN_BAND_POWER, _MIN_BAND_SHARE * whole):
                self.envelope[band] += self._envelope_power(values[first:last])

    def _envelope_power(self, values: NDArray[np.complex128]) -> Power:
        """Return the power spectrum of the squared envelope of a band, relative to its mean.

        The squared envelope is the squared magnitude of the analytic signal, shifted to 0 Hz and
        sampled at the lowest rate at which the lags of interest do not alias.
        """
        lags = (HARMONICS + 1) * self.frames
        envelope = np.abs(ifft(values, next_fast_len(len(values) + lags))) ** 2
        spectrum = np.abs(rfft(envelope)[:lags]) ** 2
        padded: Power = np.zeros(lags)
        padded[: len(spectrum)] = spectrum
        padded /= spectrum[0]
        return padded

    def result(self) -> FrameRateHum | None:
        """Return the hum of all excerpts; None if they are silent."""
        tremolo = {
            band: self._tremolo(power, band) for band, power in self.envelope.items() if power.any()
        }
        if not tremolo:
            return None
        heights = self._heights(self.power, _LINE_FLOOR * float(self.power.max()))
        return FrameRateHum({band: self._line(heights, band) for band in tremolo}, tremolo)

    def _line(self, heights: NDArray[np.float64], band: str) -> float:
        first, last = (round(edge / self.frames) for edge in self.edges[band])
        return float(np.quantile(heights[max(first, 1) - 1 : last - 1], HARMONIC_QUANTILE))

    def _tremolo(self, power: Power, band: str) -> float:
        first, last = self.edges[band]
        heights = self._heights(power, _TREMOLO_FLOOR * power[0])
        heights = heights[: max(1, (last - first) // (2 * self.frames))]
        return float(max(*heights[:2], np.quantile(heights, HARMONIC_QUANTILE)))

    def _heights(self, power: Power, floor: float) -> NDArray[np.float64]:
        """Return the height of each multiple, from the first on, above its surroundings, in dB."""
        frames, half = self.frames, self.frames // 2
        count = (len(power) - half) // frames - 1
        around = power[half : half + count * frames].reshape(count, frames)
        floors = np.maximum(_LOCAL_FLOOR * around.mean(axis=1, keepdims=True), floor)
        level = 10 * np.log10(np.maximum(around, floors))
        quarter = frames // 4
        between = np.concatenate([level[:, : half - quarter], level[:, half + quarter :]], axis=1)
        heights: NDArray[np.float64] = level[:, half] - between.mean(axis=1)
        return heights
