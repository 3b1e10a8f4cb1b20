"""Spectral targets: short-time Fourier transforms around a frame, in five scalings."""

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
"""80 dB below the scale: magnitudes around it and below count little for a logarithmic loss."""

QUIET_LIMIT = 1 / 32
"""Share of a Hann window that stays below 0.01."""

MAX_LOG_MAGNITUDE = 2.0
"""Decades above the scale: a brain that has diverged shall be loud, not endless."""

LEVEL_WEIGHT = 8.0
"""How many bins' worth a loss makes of a spectrum's level."""

MAX_LIFT = 4.0
"""By how much a level may lift its spectrum: 12 dB."""


@dataclass(frozen=True)
class Spectra(ABC):
    """Where the windows of a frame stand; a magnitude of 1 is a full-scale sine at its bin.

    A renderer takes magnitudes ``(n, windows_per_frame, bins)``, centred ``centres`` samples after the
    frame's start.
    """

    recipe: StftReal | StftMag | StftBoth | LogMag | Mel
    clock: Clock
    scale: float = 1.0

    @cached_property
    def centres(self) -> NDArray[np.int64]:
        """The middles of a frame's windows, in samples from the frame's start, ascending."""
        parts = 2 * self.recipe.windows_per_frame
        middles = [
            Fraction(2 * i + 1, parts) / self.clock.fps
            for i in range(self.recipe.windows_per_frame)
        ]
        return np.array([sample_at(middle, self.clock.sample_rate) for middle in middles])

    @property
    def n_fft(self) -> int:
        """The length of a window, in samples."""
        return self.recipe.window_length

    @property
    def bins(self) -> int:
        """How many frequencies a spectrum has."""
        return self.n_fft // 2 + 1

    @property
    def numbers(self) -> int:
        """How many numbers stand for one spectrum."""
        return self.bins

    @property
    def length(self) -> int:
        """How many numbers a network gives for a frame."""
        return self.recipe.windows_per_frame * self.numbers

    @property
    def lead_samples(self) -> int:
        """How far the first window reaches before the frame's start; below 0 where it does not."""
        return self.n_fft // 2 - int(self.centres[0])

    @property
    def excerpt_length(self) -> int:
        """From the first window's begin to the last one's end."""
        return int(self.centres[-1] - self.centres[0]) + self.n_fft

    @property
    def required_range(self) -> tuple[int, int]:
        """The frame's own samples; the windows may reach into unrecorded silence."""
        return 0, self.clock.max_samples_per_frame

    @property
    def silence_value(self) -> float:
        """The number that stands for silence."""
        return 0.0

    @abstractmethod
    def encode(self, excerpts: torch.Tensor) -> torch.Tensor:
        """Turn excerpts ``(n, extent)`` into what a network should give, ``(n, length)``."""

    @abstractmethod
    def decode(self, output: torch.Tensor) -> NDArray[Any]:
        """Turn what a network gives into what a renderer takes."""

    def transform(self, excerpts: torch.Tensor) -> torch.Tensor:
        """Return the complex spectra ``(n, windows_per_frame, bins)`` of excerpts, as from window starts."""
        window = _window(self.recipe.window, self.n_fft, excerpts.device)
        begins = (self.centres - self.centres[0]).tolist()
        windows = torch.stack([excerpts[:, at : at + self.n_fft] for at in begins], 1)
        if not len(windows):
            return windows.new_empty(0, len(begins), self.bins, dtype=torch.complex64)
        spectra: torch.Tensor = torch.fft.rfft(windows * window) * (2 / window.sum())
        return spectra

    def split_windows(self, output: torch.Tensor) -> torch.Tensor:
        """Return the numbers of each spectrum apart: ``(n, windows_per_frame, numbers)``."""
        return output.reshape(len(output), self.recipe.windows_per_frame, self.numbers)

    def largest(self, excerpts: torch.Tensor) -> float:
        """Return the largest magnitude, or real part, that is wanted of excerpts."""
        wanted = self.split_windows(self.encode(excerpts))[..., : self.bins]
        return float(wanted.abs().max() * self.scale)

    def log_magnitude(self, output: torch.Tensor) -> torch.Tensor:
        """Return log magnitudes in decades above 80 dB below the scale.

        Numbers below 0 give those of their amount, negative, so that signs are learned, too.
        """
        return torch.asinh(self.split_windows(output) / (2 * MIN_MAGNITUDE)).div(np.log(10))


class RealSpectra(Spectra):
    """The real part; a renderer takes blocks ``(n, lead + slice)``, each its own mirror image."""

    @property
    def lead(self) -> int:
        """How many samples of a block come before its frame."""
        return max(self.lead_samples, 0)

    def encode(self, excerpts: torch.Tensor) -> torch.Tensor:
        """Turn excerpts into real parts."""
        return self.transform(excerpts).real.flatten(1) / self.scale

    def decode(self, output: torch.Tensor) -> NDArray[np.float32]:
        """Turn real parts into blocks of sound, the mean of the sound and its mirror image."""
        if not len(output):
            return np.empty((0, self.lead + self.clock.max_samples_per_frame), np.float32)
        blocks = torch.fft.irfft(self.split_windows(output)[:, 0], self.n_fft) * self.scale
        window = _window(self.recipe.window, self.n_fft, output.device)
        sound = (blocks * window.sum() / 2).cpu().numpy()
        begin, length = self.lead - self.lead_samples, self.lead + self.clock.max_samples_per_frame
        whole = np.zeros((len(sound), max(begin + self.n_fft, length)), np.float32)
        whole[:, begin : begin + self.n_fft] = sound
        return whole[:, :length]


class Magnitudes(Spectra):
    """The magnitude."""

    def encode(self, excerpts: torch.Tensor) -> torch.Tensor:
        """Turn excerpts into magnitudes."""
        return self.transform(excerpts).abs().flatten(1) / self.scale

    def decode(self, output: torch.Tensor) -> NDArray[np.float32]:
        """Scale magnitudes back; what is below 0 is none."""
        magnitude: NDArray[np.float32] = (
            (self.split_windows(output).clamp(0) * self.scale).cpu().numpy()
        )
        return magnitude


class PolarSpectra(Spectra):
    """Magnitude and phase; a renderer takes complex spectra, phases as from the window's middle."""

    @property
    def numbers(self) -> int:
        """Magnitudes, then phases."""
        return 2 * self.bins

    def encode(self, excerpts: torch.Tensor) -> torch.Tensor:
        """Turn excerpts into magnitudes and phases; the middle of the window has phase 0."""
        spectra = self.transform(excerpts)
        magnitude = spectra.abs()
        phase = (spectra * self._middle(spectra.device)).angle() / torch.pi
        phase = phase.where(magnitude > 0, 0)  # silence may have a zero's sign, which is a phase
        return torch.cat([magnitude / self.scale, phase], -1).flatten(1)

    def log_magnitude(self, output: torch.Tensor) -> torch.Tensor:
        """Return log magnitudes, and phases as they are."""
        phase = self.split_windows(output)[..., self.bins :]
        return torch.cat([super().log_magnitude(output)[..., : self.bins], phase], -1)

    def decode(self, output: torch.Tensor) -> NDArray[np.complex64]:
        """Turn magnitudes and phases into complex numbers."""
        both = self.split_windows(output)
        magnitude, phase = both[..., : self.bins], both[..., self.bins :]
        spectra: NDArray[np.complex64] = (
            torch.polar(magnitude.clamp(0) * self.scale, phase * torch.pi).cpu().numpy()
        )
        return spectra

    def _middle(self, device: torch.device) -> torch.Tensor:
        return 1 - 2 * (torch.arange(self.bins, device=device) % 2)


class LogMagnitudes(Spectra):
    """The logarithm of the magnitude: decades above the floor, and 0 for silence.

    Before the bins of each spectrum comes its level, the decades of the root of its power, which
    then scales them: an error in a few loud bins makes a wrong timbre, but not a wrong loudness.

    The windows stand so early that none looks past the frame by more than its faint end: what will
    begin with the next frame cannot be seen in this one, and would be learned as an echo ahead.
    """

    recipe: LogMag | Mel

    @cached_property
    def centres(self) -> NDArray[np.int64]:
        """The middles of a frame's windows, in samples from the frame's start, ascending."""
        middles = super().centres
        past = int(middles[-1]) + self.n_fft // 2 - self.clock.max_samples_per_frame
        return middles - max(past - int(QUIET_LIMIT * self.n_fft), 0)

    @property
    def numbers(self) -> int:
        """The level, and one for each bin."""
        return 1 + self.bins

    @property
    def levels(self) -> NDArray[np.int64]:
        """Which numbers of the output are levels, ``(windows_per_frame,)``."""
        return np.arange(self.recipe.windows_per_frame) * self.numbers

    @property
    def floor(self) -> float:
        """The magnitude that counts as none."""
        return float(self.scale * 10 ** (self.recipe.floor_db / 20))

    def encode(self, excerpts: torch.Tensor) -> torch.Tensor:
        """Turn excerpts into levels and decades."""
        power = self._power(excerpts)
        level = self._decades(power.sum(-1, keepdim=True)) * LEVEL_WEIGHT
        return torch.cat([level, self._decades(power)], -1).flatten(1)

    def log_magnitude(self, output: torch.Tensor) -> torch.Tensor:
        """Return the output itself."""
        return output

    def decode(self, output: torch.Tensor) -> NDArray[np.float32]:
        """Turn levels and decades into magnitudes."""
        apart = self.split_windows(output)
        level, magnitude = apart[..., :1] / LEVEL_WEIGHT, self._magnitude(apart[..., 1:])
        implied = torch.linalg.vector_norm(magnitude, dim=-1, keepdim=True)
        lift = self._magnitude(level) / implied.clamp(self.floor)
        return self._over_bins((magnitude * lift.clamp(0, MAX_LIFT)).cpu().numpy())

    def _power(self, excerpts: torch.Tensor) -> torch.Tensor:
        return self.transform(excerpts).abs().square()

    def _over_bins(self, magnitude: NDArray[np.float32]) -> NDArray[np.float32]:
        return magnitude

    def _decades(self, power: torch.Tensor) -> torch.Tensor:
        decades: torch.Tensor = torch.log1p(power / self.floor**2) * (0.5 / np.log(10))
        return decades

    def _magnitude(self, decades: torch.Tensor) -> torch.Tensor:
        most = MAX_LOG_MAGNITUDE - self.recipe.floor_db / 20
        power = torch.expm1(decades.clamp(0, most) * (2 * np.log(10)))
        return self.floor * torch.sqrt(power)


class MelMagnitudes(LogMagnitudes):
    """The same in bands."""

    recipe: Mel

    @property
    def numbers(self) -> int:
        """The level, and one for each band."""
        return 1 + self.recipe.bands

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """What sums bins into bands; ``(bins, bands)``."""
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
