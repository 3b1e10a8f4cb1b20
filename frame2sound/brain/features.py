"""Eyes: layers between picture and network that are computed from the library, not trained."""

from __future__ import annotations

import torch
from torch import nn

from frame2sound.brain.config import Eigenframes, Fft2, InputConfig, Pixels
from frame2sound.brain.principal_components import BATCH_ROWS, principal_components
from frame2sound.film.decoding.frame_resizer import GREY_WEIGHTS, SIZE

PIXELS = SIZE * SIZE
HALF = SIZE // 2 + 1
"""How many columns the Fourier transform of a real picture has."""

MIN_STANDARD_DEVIATION = 0.1
"""Standard deviation below which a profile, or the light, is not brought up to one."""

POOLED_SIZE = (1, 4, 16, 64)
"""Over how many rows, or columns, profiles are averaged."""

PROFILE_COUNT = 4 * sum(SIZE // width for width in POOLED_SIZE)
"""How many numbers `profiles` gives."""

BRIGHTNESS_COUNT = 3
"""How many numbers `light` gives."""


def input_size(config: InputConfig) -> int:
    """Return how many numbers enter a network."""
    return view_size(config) * (config.still_frames + config.motion)


def view_size(config: InputConfig) -> int:
    """Return how many numbers one picture is."""
    plane = 2 * SIZE * HALF if _is_transformed(config) else PIXELS
    return plane * (3 if config.colour else 1)


def encode_frames(windows: torch.Tensor, config: InputConfig) -> torch.Tensor:
    """Turn moments into what enters a network, ``(n, size)``.

    First the frame itself, then those before it, the latest first, then the motion; red before
    green before blue.

    Parameters
    ----------
    moments : uint8 tensor (n, 1 + kind.past, 64, 64) or (n, 1 + kind.past, 64, 64, 3)
        Each frame after those before it.
    """
    planes = _planes(windows, colour=config.colour)
    latest_first = planes.flip(1)
    views = [latest_first[:, : config.still_frames]]
    if config.motion:
        views.append(latest_first[:, :1] - latest_first[:, 1:2])
    seen = views[0] if len(views) == 1 else torch.cat(views, 1)
    if _is_transformed(config):
        seen = _fft2(seen)
    return seen.reshape(len(windows), input_size(config))


def pixels(frames: torch.Tensor) -> torch.Tensor:
    """Turn uint8 frames ``(n, 64, 64)``, or in colour, into grey ``(n, 4096)`` in [0, 1]."""
    return encode_frames(frames[:, None], Pixels())


def _is_transformed(kind: InputConfig) -> bool:
    return isinstance(kind, Fft2) or (isinstance(kind, Eigenframes) and kind.of == "fft2")


def _planes(moments: torch.Tensor, *, colour: bool) -> torch.Tensor:
    """Return float32 planes in [0, 1], ``(n, 1 + past, planes, 64, 64)``."""
    values = moments.to(torch.float32) / 255
    if moments.ndim == 4:
        if colour:
            raise ValueError("got grey frames, expected colour")
        return values[:, :, None]
    values = values.movedim(-1, 2)
    if colour:
        return values
    return torch.einsum("nmchw,c->nmhw", values, values.new_tensor(GREY_WEIGHTS))[:, :, None]


def _fft2(planes: torch.Tensor) -> torch.Tensor:
    """Return Fourier transforms of planes ``(..., 64, 64)``: real parts, then imaginary ones.

    Orthonormal, but for the mean, which would be 64 times as large: it stays in [0, 1]. Shape
    ``(..., 2, 64, 33)``.
    """
    if not len(planes):
        return planes.new_empty(*planes.shape[:-2], 2, SIZE, HALF)  # rfft2 wants some
    spectra = torch.fft.rfft2(planes, norm="ortho")
    spectra[..., 0, 0] /= SIZE
    return torch.view_as_real(spectra).movedim(-1, -3)


def brightness_profiles(grey: torch.Tensor) -> torch.Tensor:
    """Return how bright the columns and rows of pictures are, ``(n, 4096)`` to ``(n, 340)``.

    The brightest and the mean of each column, then of each row; each as it is, and averaged over
    neighbours, up to the whole picture.
    """
    grey = grey.reshape(-1, 1, SIZE, SIZE)
    lines = [grey.amax(2), 4 * grey.mean(2), grey.amax(3), 4 * grey.mean(3)]
    pooled = [nn.functional.avg_pool1d(line, width) for line in lines for width in POOLED_SIZE]
    return torch.cat(pooled, 2)[:, 0]


def brightness_features(grey: torch.Tensor) -> torch.Tensor:
    """Return how much light is in pictures, wherever it is, ``(n, 4096)`` to ``(n, 3)``.

    The means of the grey values' roots, of themselves and of their squares: together they tell
    much that is dim from little that is bright.
    """
    return torch.stack([grey.sqrt().mean(1), grey.mean(1), grey.square().mean(1)], 1)


class Standardiser(nn.Module):
    """Brings measures of pictures to mean zero and variance one, or less where they hardly vary."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.zeros(width), requires_grad=False)
        self.mean = nn.Parameter(torch.zeros(width), requires_grad=False)

    def fit(self, measured: torch.Tensor) -> None:
        """Adapt to measures ``(n, width)``."""
        variance, mean = torch.var_mean(measured, 0, correction=0)
        self.load_state_dict({"gain": 1 / (variance.sqrt() + MIN_STANDARD_DEVIATION), "mean": mean})

    def forward(self, measured: torch.Tensor) -> torch.Tensor:
        """Scale ``(n, width)``."""
        return (measured - self.mean) * self.gain


class PcaFeatures(nn.Module):
    """How one picture, or one difference of pictures, is looked at: components and profiles."""

    def __init__(self, count: int, size: int, with_profiles: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(count, size), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(count), requires_grad=False)
        self.profiles = Standardiser(PROFILE_COUNT) if with_profiles else None

    @property
    def width(self) -> int:
        """How many numbers come out."""
        return len(self.bias) + (PROFILE_COUNT if self.profiles is not None else 0)

    def fit(self, views: torch.Tensor, floor: float, seed: int) -> None:
        """Adapt to views ``(n, size)``: see `eigenframes`."""
        weight, bias = fit_eigenframes(views, len(self.bias), floor, seed)
        with torch.no_grad():
            self.weight.copy_(weight)
            self.bias.copy_(bias)
        if self.profiles is not None:
            self.profiles.fit(brightness_profiles(_grey(views).abs()))

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """Turn views ``(n, size)`` into ``(n, width)``."""
        components = nn.functional.linear(views, self.weight, self.bias)
        if self.profiles is None:
            return components
        return torch.cat([components, self.profiles(brightness_profiles(_grey(views).abs()))], 1)


class FrameFeatures(nn.Module):
    """Looks at what `frame2sound.brain.features.see` gives; descent leaves it as it is.

    Parameters
    ----------
    kind : Eigenframes
    with_light : bool
        Whether `light` comes after all else.
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
        """How many numbers come out."""
        moving = 0 if self.motion is None else self.motion.width
        lit = 0 if self.brightness is None else BRIGHTNESS_COUNT
        return self.config.still_frames * self.still.width + moving + lit

    def fit(self, inputs: torch.Tensor, seed: int) -> None:
        """Adapt to what is seen, ``(n, size)``."""
        views = self._views(inputs)
        self.still.fit(views[:, 0], self.config.floor, seed)
        if self.motion is not None:
            self.motion.fit(views[:, -1], self.config.floor, seed)
        if self.brightness is not None:
            self.brightness.fit(brightness_features(_grey(views[:, 0])))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Turn ``(n, size)`` into ``(n, width)``."""
        views = self._views(inputs)
        stills = views[:, : self.config.still_frames].reshape(-1, views.shape[2])
        looks = [self.still(stills).reshape(len(inputs), -1)]
        if self.motion is not None:
            looks.append(self.motion(views[:, -1]))
        if self.brightness is not None:
            looks.append(self.brightness(brightness_features(_grey(views[:, 0]))))
        return looks[0] if len(looks) == 1 else torch.cat(looks, 1)

    def of_sequence(self, views: torch.Tensor) -> torch.Tensor:
        """Look at successive frames, at each only once.

        Gives what `forward` gives of moments whose pasts overlap, but for rounding.

        Parameters
        ----------
        views : tensor (kind.past + n, view size)
            A film's frames, each as one picture; the first are the past of those that follow.
        """
        past = self.config.past_frames
        now, still = views[past:], self.still(views)
        looks = [still[past - back :][: len(now)] for back in range(self.config.still_frames)]
        if self.motion is not None:
            looks.append(self.motion(now - views[past - 1 : -1]))
        if self.brightness is not None:
            looks.append(self.brightness(brightness_features(_grey(now))))
        return torch.cat(looks, 1)

    def _views(self, seen: torch.Tensor) -> torch.Tensor:
        return seen.reshape(len(seen), -1, view_size(self.config))


def _grey(views: torch.Tensor) -> torch.Tensor:
    if views.shape[1] == PIXELS:
        return views
    return torch.einsum(
        "ncp,c->np", views.reshape(len(views), 3, PIXELS), views.new_tensor(GREY_WEIGHTS)
    )


def fit_eigenframes(
    views: torch.Tensor, count: int, floor: float, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the linear layer that projects pictures on their whitened principal components.

    Eigenframes are to film what eigenfaces are to portraits (Turk and Pentland 1991). Pixels that
    move together enter as one number of mean zero and variance one, on which gradient descent
    goes many times farther than on the pixels themselves.

    Parameters
    ----------
    views : tensor (n, size)
        Pictures to learn from.
    count : int
        Components; those that the pictures do not have are zero.
    floor : float
        Share of the mean variance that is added to each, against dividing by nearly nothing.
    seed : int
        Of the randomised decomposition: see `principal_components`.

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
    # Pictures that are all alike have no variance; one grey level's keeps the division sound.
    spread = torch.sqrt(variance + floor * variance.mean() + 255.0**-2)
    weight = torch.zeros(count, views.shape[1], dtype=torch.float64)
    weight[:rank] = (basis / spread).T
    return weight.float(), (-weight @ mean).float()
