"""Spectral targets: short-time Fourier transforms of a frame's sound, in five encodings.

What encodes takes arrays of NumPy and tensors of PyTorch, and returns the same kind; what decodes
computes with NumPy.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.arrays import Array, constant, library_of, rfft, to_numpy
from frame2sound.brain.config import LogMag, Mel, StftBoth, StftMag, StftReal
from frame2sound.clock import Clock, sample_at
from frame2sound.sound.mel_scale import bands_to_bins, mel_filterbank

MIN_MAGNITUDE = 1e-4
"""80 dB below the scale; a logarithmic loss gives lower magnitudes little weight."""

QUIET_LIMIT = 1 / 32
"""Share of a Hann window, at each end, in which it stays below 0.01."""

MAX_LOG_MAGNITUDE = 2.0
"""Decades above the scale at which decoded magnitudes are limited, if a brain has diverged."""

LEVEL_WEIGHT = 8.0
"""Weight of a spectrum's level in a loss, relative to one bin."""

MAX_LIFT = 4.0
"""Largest factor by which a level may amplify its spectrum: 12 dB."""


@dataclass(frozen=True)
class Spectra(ABC):
    """The windows of a frame and their spectra; a full-scale sine has magnitude 1 at its bin.

    Decoded magnitudes have the shape ``(n, windows_per_frame, bins)``, with windows centred
    ``centres`` samples after the frame's start.
    """

    recipe: StftReal | StftMag | StftBoth | LogMag | Mel
    clock: Clock
    scale: float = 1.0

    @cached_property
    def centres(self) -> NDArray[np.int64]:
        """The centres of a frame's windows, in samples from the frame's start, ascending."""
        parts = 2 * self.recipe.windows_per_frame
        centres = [
            Fraction(2 * i + 1, parts) / self.clock.fps
            for i in range(self.recipe.windows_per_frame)
        ]
        return np.array([sample_at(centre, self.clock.sample_rate) for centre in centres])

    @property
    def n_fft(self) -> int:
        """The length of a window in samples."""
        return self.recipe.window_length

    @property
    def bins(self) -> int:
        """The number of frequency bins of a spectrum."""
        return self.n_fft // 2 + 1

    @property
    def numbers(self) -> int:
        """The number of output values per spectrum."""
        return self.bins

    @property
    def length(self) -> int:
        """The number of output values per frame."""
        return self.recipe.windows_per_frame * self.numbers

    @property
    def lead_samples(self) -> int:
        """The number of samples by which the first window begins before the frame's start."""
        return self.n_fft // 2 - int(self.centres[0])

    @property
    def excerpt_length(self) -> int:
        """The number of samples from the first window's start to the last one's end."""
        return int(self.centres[-1] - self.centres[0]) + self.n_fft

    @property
    def required_range(self) -> tuple[int, int]:
        """The frame's samples; beyond them the windows may be padded with silence."""
        return 0, self.clock.max_samples_per_frame

    @property
    def silence_value(self) -> float:
        """The output value that means silence."""
        return 0.0

    @abstractmethod
    def encode(self, excerpts: Array) -> Array:
        """Return the ideal output ``(n, length)`` for excerpts ``(n, excerpt_length)``."""

    @abstractmethod
    def decode(self, output: Array) -> NDArray[Any]:
        """Return what a renderer needs, from an output ``(n, length)``."""

    def reconstruct(self, excerpts: NDArray[np.float32]) -> NDArray[Any]:
        """Return encoded and decoded excerpts: what a renderer gets of a perfect brain."""
        return self.decode(self.encode(excerpts))

    def transform(self, excerpts: Array) -> Array:
        """Return the complex spectra ``(n, windows_per_frame, bins)`` of excerpts.

        Phases refer to the start of each window.
        """
        library, window = library_of(excerpts), _window(self.recipe.window, self.n_fft, excerpts)
        begins = (self.centres - self.centres[0]).tolist()
        windows = library.stack([excerpts[:, at : at + self.n_fft] for at in begins], 1)
        if not len(windows):  # which PyTorch does not transform
            empty: Array = library.zeros((0, len(begins), self.bins), dtype=library.complex64)
            return empty
        spectra: Array = rfft(windows * window) * (2 / window.sum())
        return spectra

    def split_windows(self, output: Array) -> Array:
        """Return an output as ``(n, windows_per_frame, numbers)``."""
        windows: Array = output.reshape(len(output), self.recipe.windows_per_frame, self.numbers)
        return windows

    def largest(self, excerpts: Array) -> float:
        """Return the largest magnitude, or absolute real part, of excerpts."""
        values = self.split_windows(self.encode(excerpts))[..., : self.bins]
        return float(abs(values).max() * self.scale)

    def log_magnitude(self, output: Array) -> Array:
        """Return log magnitudes in decades above a level 80 dB below the scale.

        Negative values give the negative log magnitude of their absolute value, so that a loss
        depends on the sign too.
        """
        ratio = self.split_windows(output) / (2 * MIN_MAGNITUDE)
        decades: Array = library_of(output).arcsinh(ratio) / math.log(10)
        return decades

    def _flatten(self, windows: Any) -> Any:
        """Return windows ``(n, windows_per_frame, numbers)`` as outputs ``(n, length)``."""
        return windows.reshape(len(windows), self.length)


class RealSpectra(Spectra):
    """The real part of the spectrum.

    Decoded blocks are float32 ``(n, lead + samples of the longest frame)``, each symmetric in time.
    """

    @property
    def lead(self) -> int:
        """The number of samples of a block before its frame."""
        return max(self.lead_samples, 0)

    def encode(self, excerpts: Array) -> Array:
        """Return the scaled real parts of excerpts."""
        encoded: Array = self._flatten(self.transform(excerpts).real) / self.scale
        return encoded

    def decode(self, output: Array) -> NDArray[np.float32]:
        """Return blocks of sound: the mean of the original and its mirror image in time."""
        if not len(output):
            return np.empty((0, self.lead + self.clock.max_samples_per_frame), np.float32)
        spectra = self.split_windows(to_numpy(output))[:, 0]
        window = _window(self.recipe.window, self.n_fft, spectra)
        sound = np.fft.irfft(spectra, self.n_fft) * (self.scale * float(window.sum()) / 2)
        begin, length = self.lead - self.lead_samples, self.lead + self.clock.max_samples_per_frame
        padded = np.zeros((len(sound), max(begin + self.n_fft, length)), np.float32)
        padded[:, begin : begin + self.n_fft] = sound
        return padded[:, :length]


class Magnitudes(Spectra):
    """The magnitude of the spectrum."""

    def encode(self, excerpts: Array) -> Array:
        """Return the scaled magnitudes of excerpts."""
        encoded: Array = self._flatten(abs(self.transform(excerpts))) / self.scale
        return encoded

    def decode(self, output: Array) -> NDArray[np.float32]:
        """Return magnitudes; negative output values count as 0."""
        values: NDArray[np.float32] = np.maximum(self.split_windows(to_numpy(output)), 0)
        return values * np.float32(self.scale)


class PolarSpectra(Spectra):
    """Magnitude and phase; decoded spectra are complex, with phases at the window's centre."""

    @property
    def numbers(self) -> int:
        """The number of output values per spectrum: magnitudes, then phases."""
        return 2 * self.bins

    def encode(self, excerpts: Array) -> Array:
        """Return scaled magnitudes, and phases at the window's centre in half turns."""
        library, spectra = library_of(excerpts), self.transform(excerpts)
        magnitude = abs(spectra)
        phase = library.angle(spectra * constant(self._centre_signs, spectra)) / math.pi
        phase = library.where(magnitude > 0, phase, 0)  # that of a negative zero is half a turn
        encoded: Array = self._flatten(library.concatenate([magnitude / self.scale, phase], -1))
        return encoded

    def log_magnitude(self, output: Array) -> Array:
        """Return log magnitudes, and phases unchanged."""
        phase = self.split_windows(output)[..., self.bins :]
        magnitude = super().log_magnitude(output)[..., : self.bins]
        both: Array = library_of(output).concatenate([magnitude, phase], -1)
        return both

    def decode(self, output: Array) -> NDArray[np.complex64]:
        """Return complex spectra ``(n, windows_per_frame, bins)``."""
        values = self.split_windows(to_numpy(output))
        magnitude = np.maximum(values[..., : self.bins], 0) * np.float32(self.scale)
        phase = values[..., self.bins :] * np.float32(math.pi)
        spectra = np.empty(magnitude.shape, np.complex64)
        spectra.real, spectra.imag = magnitude * np.cos(phase), magnitude * np.sin(phase)
        return spectra

    @cached_property
    def _centre_signs(self) -> NDArray[np.float32]:
        """The factors that move phases from the window's start to its centre."""
        return 1 - 2 * (np.arange(self.bins, dtype=np.float32) % 2)


class LogMagnitudes(Spectra):
    """The logarithm of the magnitude: decades above the floor, and 0 for silence.

    The first value of each spectrum is its level, the decades of the root of its power. Decoding
    scales the bins to this level, so that an error in a few loud bins changes the timbre but not
    the loudness.

    The windows are moved back until none reaches beyond the frame by more than the quiet end of its
    window. A sound that begins with the next frame is not visible in this one, and would be learned
    as a pre-echo.
    """

    recipe: LogMag | Mel

    @cached_property
    def centres(self) -> NDArray[np.int64]:
        """The centres of a frame's windows, in samples from the frame's start, ascending."""
        centres = super().centres
        overhang = int(centres[-1]) + self.n_fft // 2 - self.clock.max_samples_per_frame
        return centres - max(overhang - int(QUIET_LIMIT * self.n_fft), 0)

    @property
    def numbers(self) -> int:
        """The number of output values per spectrum: its level, and one per bin."""
        return 1 + self.bins

    @property
    def levels(self) -> NDArray[np.int64]:
        """The indices of the output values that are levels, ``(windows_per_frame,)``."""
        return np.arange(self.recipe.windows_per_frame) * self.numbers

    @property
    def floor(self) -> float:
        """The magnitude that counts as silence."""
        return float(self.scale * 10 ** (self.recipe.floor_db / 20))

    @property
    def max_decades(self) -> float:
        """The decades of the highest magnitude above the floor."""
        return MAX_LOG_MAGNITUDE - self.recipe.floor_db / 20

    def encode(self, excerpts: Array) -> Array:
        """Return levels and decades of excerpts."""
        power = self._power(excerpts)
        level = self._decades(power.sum(-1)[..., None]) * LEVEL_WEIGHT
        both = library_of(excerpts).concatenate([level, self._decades(power)], -1)
        encoded: Array = self._flatten(both)
        return encoded

    def log_magnitude(self, output: Array) -> Array:
        """Return the output, which is logarithmic already."""
        return output

    def decode(self, output: Array) -> NDArray[np.float32]:
        """Return magnitudes ``(n, windows_per_frame, bins)``, scaled to the levels."""
        values = self.split_windows(to_numpy(output))
        level = np.asarray(values[..., :1] / LEVEL_WEIGHT, np.float32)
        return self._scale_to_level(self._magnitude(values[..., 1:]), self._magnitude(level))

    def reconstruct(self, excerpts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return encoded and decoded excerpts, without taking logarithms and powers in between."""
        power = self._power(excerpts)
        highest = np.float32(self.floor * 10**self.max_decades)
        magnitude, level = np.sqrt(power), np.sqrt(power.sum(axis=-1, keepdims=True))
        return self._scale_to_level(np.minimum(magnitude, highest), np.minimum(level, highest))

    def _scale_to_level(
        self, magnitude: NDArray[np.float32], level: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return magnitudes of all bins, ``(..., bins)``, whose root of power is ``(..., 1)``."""
        norm = np.maximum(np.linalg.norm(magnitude, axis=-1, keepdims=True), self.floor)
        return self._over_bins(magnitude * np.clip(level / norm, 0, MAX_LIFT))

    def _power(self, excerpts: Array) -> Array:
        power: Array = library_of(excerpts).square(abs(self.transform(excerpts)))
        return power

    def _over_bins(self, magnitude: NDArray[np.float32]) -> NDArray[np.float32]:
        return magnitude

    def _decades(self, power: Array) -> Array:
        decades: Array = library_of(power).log1p(power / self.floor**2) * (0.5 / math.log(10))
        return decades

    def _magnitude(self, decades: NDArray[np.float32]) -> NDArray[np.float32]:
        power = np.expm1(np.clip(decades, 0, self.max_decades) * (2 * math.log(10)))
        magnitude: NDArray[np.float32] = self.floor * np.sqrt(power)
        return magnitude


class MelMagnitudes(LogMagnitudes):
    """The logarithm of the magnitude in mel bands."""

    recipe: Mel

    @property
    def numbers(self) -> int:
        """The number of output values per spectrum: its level, and one per band."""
        return 1 + self.recipe.bands

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """The mel filterbank ``(bins, bands)``, which sums power in bins to power in bands."""
        return mel_filterbank(self.recipe.bands, self.n_fft, self.clock.sample_rate)

    def _power(self, excerpts: Array) -> Array:
        power = super()._power(excerpts)
        bands: Array = power @ constant(self.weights, power)
        return bands

    def _over_bins(self, magnitude: NDArray[np.float32]) -> NDArray[np.float32]:
        power = bands_to_bins(magnitude.astype(np.float64) ** 2, self.weights)
        return np.sqrt(power).astype(np.float32)


def _window(kind: str, length: int, like: Array) -> Array:
    """Return a periodic window, ``(length,)``, of the library and device of an array."""
    window: Array
    if isinstance(like, np.ndarray):
        mean = 0.5 if kind == "hann" else 0.54
        turns = 2 * np.pi * np.arange(length) / length
        window = (mean - (1 - mean) * np.cos(turns)).astype(np.float32)
    else:
        window = getattr(library_of(like), f"{kind}_window")(length, device=like.device)
    return window
