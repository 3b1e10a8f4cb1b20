"""Log-spectral targets: decades of magnitude, in bins or in bands, and each spectrum's level."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.brain.config import LogMag, Mel
from frame2sound.brain.spectra import Spectra
from frame2sound.sound.mel_scale import bands_to_bins, mel_filterbank

QUIET_LIMIT = 1 / 32
"""Share of a Hann window that stays below 0.01."""

MAX_LOG_MAGNITUDE = 2.0
"""Decades above the scale: a brain that has diverged shall be loud, not endless."""

LEVEL_WEIGHT = 8.0
"""How many bins' worth a loss makes of a spectrum's level."""

MAX_LIFT = 4.0
"""By how much a level may lift its spectrum: 12 dB."""


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
