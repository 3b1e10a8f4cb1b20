"""Spectral targets: short-time Fourier transforms of a frame's sound, in five encodings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

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
    def encode(self, excerpts: torch.Tensor) -> torch.Tensor:
        """Return the ideal output ``(n, length)`` for excerpts ``(n, excerpt_length)``."""

    @abstractmethod
    def decode(self, output: torch.Tensor) -> NDArray[Any]:
        """Return what a renderer needs, from an output ``(n, length)``."""

    def transform(self, excerpts: torch.Tensor) -> torch.Tensor:
        """Return the complex spectra ``(n, windows_per_frame, bins)`` of excerpts.

        Phases refer to the start of each window.
        """
        window = _window(self.recipe.window, self.n_fft, excerpts.device)
        begins = (self.centres - self.centres[0]).tolist()
        windows = torch.stack([excerpts[:, at : at + self.n_fft] for at in begins], 1)
        if not len(windows):
            return windows.new_empty(0, len(begins), self.bins, dtype=torch.complex64)
        spectra: torch.Tensor = torch.fft.rfft(windows * window) * (2 / window.sum())
        return spectra

    def split_windows(self, output: torch.Tensor) -> torch.Tensor:
        """Return an output as ``(n, windows_per_frame, numbers)``."""
        return output.reshape(len(output), self.recipe.windows_per_frame, self.numbers)

    def largest(self, excerpts: torch.Tensor) -> float:
        """Return the largest magnitude, or absolute real part, of excerpts."""
        values = self.split_windows(self.encode(excerpts))[..., : self.bins]
        return float(values.abs().max() * self.scale)

    def log_magnitude(self, output: torch.Tensor) -> torch.Tensor:
        """Return log magnitudes in decades above a level 80 dB below the scale.

        Negative values give the negative log magnitude of their absolute value, so that a loss
        depends on the sign too.
        """
        return torch.asinh(self.split_windows(output) / (2 * MIN_MAGNITUDE)).div(np.log(10))


class RealSpectra(Spectra):
    """The real part of the spectrum.

    Decoded blocks are float32 ``(n, lead + samples of the longest frame)``, each symmetric in time.
    """

    @property
    def lead(self) -> int:
        """The number of samples of a block before its frame."""
        return max(self.lead_samples, 0)

    def encode(self, excerpts: torch.Tensor) -> torch.Tensor:
        """Return the scaled real parts of excerpts."""
        return self.transform(excerpts).real.flatten(1) / self.scale

    def decode(self, output: torch.Tensor) -> NDArray[np.float32]:
        """Return blocks of sound: the mean of the original and its mirror image in time."""
        if not len(output):
            return np.empty((0, self.lead + self.clock.max_samples_per_frame), np.float32)
        blocks = torch.fft.irfft(self.split_windows(output)[:, 0], self.n_fft) * self.scale
        window = _window(self.recipe.window, self.n_fft, output.device)
        sound = (blocks * window.sum() / 2).cpu().numpy()
        begin, length = self.lead - self.lead_samples, self.lead + self.clock.max_samples_per_frame
        padded = np.zeros((len(sound), max(begin + self.n_fft, length)), np.float32)
        padded[:, begin : begin + self.n_fft] = sound
        return padded[:, :length]


class Magnitudes(Spectra):
    """The magnitude of the spectrum."""

    def encode(self, excerpts: torch.Tensor) -> torch.Tensor:
        """Return the scaled magnitudes of excerpts."""
        return self.transform(excerpts).abs().flatten(1) / self.scale

    def decode(self, output: torch.Tensor) -> NDArray[np.float32]:
        """Return magnitudes; negative output values count as 0."""
        magnitude: NDArray[np.float32] = (
            (self.split_windows(output).clamp(0) * self.scale).cpu().numpy()
        )
        return magnitude


class PolarSpectra(Spectra):
    """Magnitude and phase; decoded spectra are complex, with phases at the window's centre."""

    @property
    def numbers(self) -> int:
        """The number of output values per spectrum: magnitudes, then phases."""
        return 2 * self.bins

    def encode(self, excerpts: torch.Tensor) -> torch.Tensor:
        """Return scaled magnitudes, and phases at the window's centre in half turns."""
        spectra = self.transform(excerpts)
        magnitude = spectra.abs()
        phase = (spectra * self._centre_signs(spectra.device)).angle() / torch.pi
        phase = phase.where(magnitude > 0, 0)  # a negative zero would have a phase of half a turn
        return torch.cat([magnitude / self.scale, phase], -1).flatten(1)

    def log_magnitude(self, output: torch.Tensor) -> torch.Tensor:
        """Return log magnitudes, and phases unchanged."""
        phase = self.split_windows(output)[..., self.bins :]
        return torch.cat([super().log_magnitude(output)[..., : self.bins], phase], -1)

    def decode(self, output: torch.Tensor) -> NDArray[np.complex64]:
        """Return complex spectra ``(n, windows_per_frame, bins)``."""
        values = self.split_windows(output)
        magnitude, phase = values[..., : self.bins], values[..., self.bins :]
        spectra: NDArray[np.complex64] = (
            torch.polar(magnitude.clamp(0) * self.scale, phase * torch.pi).cpu().numpy()
        )
        return spectra

    def _centre_signs(self, device: torch.device) -> torch.Tensor:
        """Return the factors that move phases from the window's start to its centre."""
        return 1 - 2 * (torch.arange(self.bins, device=device) % 2)


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

    def encode(self, excerpts: torch.Tensor) -> torch.Tensor:
        """Return levels and decades of excerpts."""
        power = self._power(excerpts)
        level = self._decades(power.sum(-1, keepdim=True)) * LEVEL_WEIGHT
        return torch.cat([level, self._decades(power)], -1).flatten(1)

    def log_magnitude(self, output: torch.Tensor) -> torch.Tensor:
        """Return the output, which is logarithmic already."""
        return output

    def decode(self, output: torch.Tensor) -> NDArray[np.float32]:
        """Return magnitudes ``(n, windows_per_frame, bins)``, scaled to the levels."""
        values = self.split_windows(output)
        level, magnitude = values[..., :1] / LEVEL_WEIGHT, self._magnitude(values[..., 1:])
        norm = torch.linalg.vector_norm(magnitude, dim=-1, keepdim=True)
        lift = self._magnitude(level) / norm.clamp(self.floor)
        return self._over_bins((magnitude * lift.clamp(0, MAX_LIFT)).cpu().numpy())

    def _power(self, excerpts: torch.Tensor) -> torch.Tensor:
        return self.transform(excerpts).abs().square()

    def _over_bins(self, magnitude: NDArray[np.float32]) -> NDArray[np.float32]:
        return magnitude

    def _decades(self, power: torch.Tensor) -> torch.Tensor:
        decades: torch.Tensor = torch.log1p(power / self.floor**2) * (0.5 / np.log(10))
        return decades

    def _magnitude(self, decades: torch.Tensor) -> torch.Tensor:
        max_decades = MAX_LOG_MAGNITUDE - self.recipe.floor_db / 20
        power = torch.expm1(decades.clamp(0, max_decades) * (2 * np.log(10)))
        return self.floor * torch.sqrt(power)


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

    def _power(self, excerpts: torch.Tensor) -> torch.Tensor:
        power = super()._power(excerpts)
        return power @ torch.from_numpy(self.weights).to(power)

    def _over_bins(self, magnitude: NDArray[np.float32]) -> NDArray[np.float32]:
        power = bands_to_bins(magnitude.astype(np.float64) ** 2, self.weights)
        return np.sqrt(power).astype(np.float32)


def _window(kind: str, length: int, device: torch.device) -> torch.Tensor:
    windows = {"hann": torch.hann_window, "hamming": torch.hamming_window}
    return windows[kind](length, device=device)
