"""The hum of the frame rate, in two kinds: lines in the spectrum, and tremolo of the envelope.

Both come from one pass of windowed excerpts that last a whole number of frames, so that every
multiple of any frame rate, 24000/1001 too, falls on a bin.
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
"""The name of the band that is all of the sound."""

EXCERPT_SECONDS, MIN_FRAMES, MIN_EXCERPTS = 2.0, 8, 2.25
HARMONICS = 8

HARMONIC_QUANTILE = 1 / 3
"""Quantile over multiples: two thirds stand so high, so a note and its overtones are no comb."""

_OVERLAP = 4
_MIN_BAND_POWER, _MIN_BAND_SHARE = (
    1e-7,
    1e-6,
)  # power of an excerpt's band: at all, and of the whole
_LINE_FLOOR, _TREMOLO_FLOOR = 1e-9, 1e-6  # of the loudest line, and of the steady power
_LOCAL_FLOOR = 1e-2  # of the mean around


@dataclass(frozen=True)
class FrameRateHum:
    """How far multiples of the frame rate stand above what is between them, in dB, by band.

    Attributes
    ----------
    line : dict of str to float
        In the long-term power spectrum. Steady tones and noise are near 0; one block repeated
        with every frame has 36 dB, under any window.
    tremolo : dict of str to float
        In the power spectrum of the squared envelope. Noise is near 0; unrelated blocks of it that
        fade over two frames under Hann windows, whose powers do not add to one, have 28 dB.
    """

    line: dict[str, float]
    tremolo: dict[str, float]

    @property
    def line_db(self) -> float:
        """The worst of the bands."""
        return max(self.line.values())

    @property
    def tremolo_db(self) -> float:
        """The worst of the bands, the whole among them."""
        return max(self.tremolo.values())


def line_comb_db(samples: Samples, sample_rate: int, fps: Fraction) -> float | None:
    """Return the worst line comb of `combs` in dB, or None."""
    found = frame_rate_hum(samples, sample_rate, fps)
    return None if found is None else found.line_db


def tremolo_comb_db(samples: Samples, sample_rate: int, fps: Fraction) -> float | None:
    """Return the worst tremolo comb of `combs` in dB, or None."""
    found = frame_rate_hum(samples, sample_rate, fps)
    return None if found is None else found.tremolo_db


def frame_rate_hum(samples: Samples, sample_rate: int, fps: Fraction) -> FrameRateHum | None:
    """Return how much a sound hums with the frame rate.

    Excerpts of about 2 s under Hann windows, a quarter of that apart (Welch 1967). A multiple's
    height is its level above the mean level, in dB, of what lies farther than a quarter of the
    frame rate from any multiple. For lines, a band has the height that two thirds of its multiples
    reach; for tremolo, the highest of three: the frame rate, its double, and what two thirds of
    its first eight multiples reach. What is more than 20 dB below the mean around it counts as
    just that, so that heights are finite. In the envelope every excerpt weighs the same, if it
    sounds: above -70 dBFS in the band, and less than 60 dB below the whole.

    Parameters
    ----------
    sound : array of shape (samples,)
        Full scale is 1.0; read excerpt by excerpt.
    sample_rate : int
        In Hz.
    fps : Fraction
        Frames a second, exact.

    Returns
    -------
    Combs or None
        None for what is shorter than 2.25 excerpts (4.5 s), or silent.

    Raises
    ------
    ValueError
        The frame rate is not above 0, or too high to have multiples below half the sample rate.
    """
    if not 0 < fps <= Fraction(sample_rate, 8):
        raise ValueError(f"got {fps} fps at {sample_rate} Hz, expected 0 < fps <= {sample_rate}/8")
    frames = max(MIN_FRAMES, 4 * round(EXCERPT_SECONDS * float(fps) / 4))
    length = round(frames * sample_rate / fps)
    if len(samples) < MIN_EXCERPTS * length:
        return None
    heard = _HumAnalyser(frames, length, sample_rate)
    for excerpt in _windowed_excerpts(samples, length):
        heard.update(excerpt)
    return heard.result()


def _windowed_excerpts(samples: Samples, length: int) -> Iterator[NDArray[np.float64]]:
    window = np.hanning(length + 1)[:-1]
    window /= np.sqrt(np.mean(window**2))
    for start in range(0, len(samples) - length + 1, length // _OVERLAP):
        yield samples[start : start + length] * window


class _HumAnalyser:
    """Gathers the power of excerpts by frequency, and that of their bands' squared envelopes."""

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
        """Take an excerpt under its window."""
        values = rfft(excerpt)
        power = np.abs(values) ** 2 * (2 / self.length**2)
        self.power += power
        whole = power.sum()
        for band, (first, last) in self.edges.items():
            here = power[first:last].sum()
            if here > max(_MIN_BAND_POWER, _MIN_BAND_SHARE * whole):
                self.envelope[band] += self._envelope_power(values[first:last])

    def _envelope_power(self, values: NDArray[np.complex128]) -> Power:
        """Return the power spectrum of a band's squared envelope; that of its mean is 1.

        The squared magnitude of the analytic signal, moved down to 0 Hz, at just the rate that
        keeps the wanted lags of its autocorrelation apart from those that wrap around.
        """
        lags = (HARMONICS + 1) * self.frames
        envelope = np.abs(ifft(values, next_fast_len(len(values) + lags))) ** 2
        spectrum = np.abs(rfft(envelope)[:lags]) ** 2
        padded: Power = np.zeros(lags)
        padded[: len(spectrum)] = spectrum
        padded /= spectrum[0]
        return padded

    def result(self) -> FrameRateHum | None:
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
        """Return how far each multiple from the first on stands above its surroundings, in dB."""
        frames, half = self.frames, self.frames // 2
        count = (len(power) - half) // frames - 1
        around = power[half : half + count * frames].reshape(count, frames)
        floors = np.maximum(_LOCAL_FLOOR * around.mean(axis=1, keepdims=True), floor)
        level = 10 * np.log10(np.maximum(around, floors))
        quarter = frames // 4
        between = np.concatenate([level[:, : half - quarter], level[:, half + quarter :]], axis=1)
        heights: NDArray[np.float64] = level[:, half] - between.mean(axis=1)
        return heights
