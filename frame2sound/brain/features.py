"""The fixed features of encoded frames, as PyTorch's modules: principal components and profiles."""

from __future__ import annotations

import torch
from torch import nn

from frame2sound.brain.config import Eigenframes
from frame2sound.brain.frame_encoding import (
    BRIGHTNESS_COUNT,
    PROFILE_COUNT,
    brightness_features,
    brightness_profiles,
    grey_views,
    view_size,
)
from frame2sound.brain.principal_components import BATCH_ROWS, principal_components

MIN_STANDARD_DEVIATION = 0.1
"""Added to the standard deviation of a profile, or of the brightness, before dividing by it."""


class Standardiser(nn.Module):
    """Scales values to mean 0 and a variance of 1, or less if they hardly vary."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.zeros(width), requires_grad=False)
        self.mean = nn.Parameter(torch.zeros(width), requires_grad=False)

    def fit(self, values: torch.Tensor) -> None:
        """Compute gain and mean from values ``(n, width)``."""
        variance, mean = torch.var_mean(values, 0, correction=0)
        self.load_state_dict({"gain": 1 / (variance.sqrt() + MIN_STANDARD_DEVIATION), "mean": mean})

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return scaled values ``(n, width)``."""
        return (values - self.mean) * self.gain


class PcaFeatures(nn.Module):
    """The features of one picture, or of one difference of pictures: components and profiles."""

    def __init__(self, count: int, size: int, with_profiles: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(count, size), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(count), requires_grad=False)
        self.profiles = Standardiser(PROFILE_COUNT) if with_profiles else None

    @property
    def width(self) -> int:
        """The number of features."""
        return len(self.bias) + (PROFILE_COUNT if self.profiles is not None else 0)

    def fit(self, views: torch.Tensor, floor: float, seed: int) -> None:
        """Compute the components of pictures ``(n, size)``; see `fit_eigenframes`."""
        weight, bias = fit_eigenframes(views, len(self.bias), floor, seed)
        with torch.no_grad():
            self.weight.copy_(weight)
            self.bias.copy_(bias)
        if self.profiles is not None:
            self.profiles.fit(brightness_profiles(grey_views(views).abs()))

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """Return features ``(n, width)`` of pictures ``(n, size)``."""
        components = nn.functional.linear(views, self.weight, self.bias)
        if self.profiles is None:
            return components
        return torch.cat(
            [components, self.profiles(brightness_profiles(grey_views(views).abs()))], 1
        )


class FrameFeatures(nn.Module):
    """The features of encoded frames, computed from the library; gradient descent leaves them.

    Parameters
    ----------
    config : Eigenframes
    with_brightness : bool
        Whether `brightness_features` follow as the last features.
    """

    def __init__(self, config: Eigenframes, with_brightness: bool = False) -> None:
        super().__init__()
        self.config = config
        size = view_size(config)
        self.still = PcaFeatures(config.count, size, config.profiles)
        self.motion = PcaFeatures(config.count, size, config.profiles) if config.motion else None
        self.brightness = Standardiser(BRIGHTNESS_COUNT) if with_brightness else None

    @property
    def width(self) -> int:
        """The number of features."""
        motion = 0 if self.motion is None else self.motion.width
        brightness = 0 if self.brightness is None else BRIGHTNESS_COUNT
        return self.config.still_frames * self.still.width + motion + brightness

    def fit(self, inputs: torch.Tensor, seed: int) -> None:
        """Compute all features from encoded frames ``(n, input_size)``."""
        views = self._views(inputs)
        self.still.fit(views[:, 0], self.config.floor, seed)
        if self.motion is not None:
            self.motion.fit(views[:, -1], self.config.floor, seed)
        if self.brightness is not None:
            self.brightness.fit(brightness_features(grey_views(views[:, 0])))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return features ``(n, width)`` of encoded frames ``(n, input_size)``."""
        views = self._views(inputs)
        stills = views[:, : self.config.still_frames].reshape(-1, views.shape[2])
        parts = [self.still(stills).reshape(len(inputs), -1)]
        if self.motion is not None:
            parts.append(self.motion(views[:, -1]))
        if self.brightness is not None:
            parts.append(self.brightness(brightness_features(grey_views(views[:, 0]))))
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)

    def of_sequence(self, views: torch.Tensor) -> torch.Tensor:
        """Return features ``(n, width)`` of successive frames, computing each frame only once.

        Equal, up to rounding, to `forward` of windows that overlap in their past frames.

        Parameters
        ----------
        views : tensor (past_frames + n, view_size)
            A film's frames, each encoded as one picture; the first ``past_frames`` are the past of
            those that follow.
        """
        past = self.config.past_frames
        current, still = views[past:], self.still(views)
        parts = [still[past - back :][: len(current)] for back in range(self.config.still_frames)]
        if self.motion is not None:
            parts.append(self.motion(current - views[past - 1 : -1]))
        if self.brightness is not None:
            parts.append(self.brightness(brightness_features(grey_views(current))))
        return torch.cat(parts, 1)

    def _views(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs.reshape(len(inputs), -1, view_size(self.config))


def fit_eigenframes(
    views: torch.Tensor, count: int, floor: float, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the linear layer that projects pictures onto their whitened principal components.

    Eigenframes are to films what eigenfaces are to portraits (Turk and Pentland 1991). Whitened
    components are uncorrelated, so gradient descent converges much faster than on pixels.

    Parameters
    ----------
    views : tensor (n, size)
        Pictures.
    count : int
        Number of components; those beyond the rank of the pictures are zero.
    floor : float
        Share of the mean variance that is added to each variance, to avoid dividing by almost 0.
    seed : int
        Of the randomised decomposition; see `principal_components`.

    Returns
    -------
    weight : tensor (count, size)
    bias : tensor (count,)
    """
    mean = torch.stack([part.double().sum(0) for part in torch.split(views, BATCH_ROWS)]).sum(
        0
    ) / len(views)
    rank = min(count, *views.shape)
    variance, basis = principal_components(views, mean, rank, seed)
    # Identical pictures have no variance; that of one grey level avoids a division by 0.
    spread = torch.sqrt(variance + floor * variance.mean() + 255.0**-2)
    weight = torch.zeros(count, views.shape[1], dtype=torch.float64)
    weight[:rank] = (basis / spread).T
    return weight.float(), (-weight @ mean).float()
