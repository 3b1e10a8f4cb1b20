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

MIN_MAGNITUDE = 1e-4
"""80 dB below the scale: magnitudes around it and below count little for a logarithmic loss."""


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


def _window(kind: str, length: int, device: torch.device) -> torch.Tensor:
    windows = {"hann": torch.hann_window, "hamming": torch.hamming_window}
    return windows[kind](length, device=device)
