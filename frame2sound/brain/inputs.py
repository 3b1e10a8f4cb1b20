"""Inputs: how the picture enters a network."""

from __future__ import annotations

import torch
from torch import nn

from frame2sound.brain.recipe import Eigenframes, Fft2, Pixels
from frame2sound.film.picture import SIZE

PIXELS = SIZE * SIZE
HALF = SIZE // 2 + 1
"""How many columns the Fourier transform of a real picture has."""


def size_of(kind: Pixels | Eigenframes | Fft2) -> int:
    """Return how many numbers enter a network."""
    return 2 * SIZE * HALF if isinstance(kind, Fft2) else PIXELS


def see(frames: torch.Tensor, kind: Pixels | Eigenframes | Fft2) -> torch.Tensor:
    """Turn uint8 frames, shape ``(n, 64, 64)``, into what enters a network, ``(n, size)``."""
    return fft2(frames) if isinstance(kind, Fft2) else pixels(frames)


def fft2(frames: torch.Tensor) -> torch.Tensor:
    """Turn frames into their two-dimensional Fourier transforms, real parts, then imaginary ones.

    Orthonormal, but for the mean grey, which would be 64 times as large: it stays in [0, 1].
    """
    if not len(frames):
        return frames.new_empty(0, 2 * SIZE * HALF, dtype=torch.float32)  # rfft2 wants some
    grey = pixels(frames).reshape(-1, SIZE, SIZE)
    spectra = torch.fft.rfft2(grey, norm="ortho")
    spectra[:, 0, 0] /= SIZE
    return torch.view_as_real(spectra).permute(0, 3, 1, 2).flatten(1)


FAINTEST = 0.1
"""Standard deviation below which a profile, or the light, is not brought up to one."""

POOLED = (1, 4, 16, 64)
"""Over how many rows, or columns, profiles are averaged."""

PROFILES = 4 * sum(SIZE // width for width in POOLED)
"""How many numbers `profiles` gives."""


def profiles(seen: torch.Tensor) -> torch.Tensor:
    """Return how bright the columns and rows of pictures are, ``(n, 4096)`` to ``(n, 340)``.

    The brightest and the mean of each column, then of each row; each as it is, and averaged over
    neighbours, up to the whole picture.
    """
    grey = seen.reshape(-1, 1, SIZE, SIZE)
    lines = [grey.amax(2), 4 * grey.mean(2), grey.amax(3), 4 * grey.mean(3)]
    pooled = [nn.functional.avg_pool1d(line, width) for line in lines for width in POOLED]
    return torch.cat(pooled, 2)[:, 0]


LIGHT = 3
"""How many numbers `light` gives."""


def light(seen: torch.Tensor) -> torch.Tensor:
    """Return how much light is in pictures, wherever it is, ``(n, 4096)`` to ``(n, 3)``.

    The means of the grey values' roots, of themselves and of their squares: together they tell
    much that is dim from little that is bright.
    """
    return torch.stack([seen.sqrt().mean(1), seen.mean(1), seen.square().mean(1)], 1)


class Eyes(nn.Module):
    """The layer that turns pixels into eigenframes, profiles, light; descent leaves it as it is.

    Parameters
    ----------
    count : int
        Eigenframes.
    with_profiles, with_light : bool
        Whether `profiles` come after them, and then `light`.
    """

    def __init__(self, count: int, with_profiles: bool, with_light: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(count, PIXELS), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(count), requires_grad=False)
        self._measures = [profiles] * with_profiles + [light] * with_light
        more = PROFILES * with_profiles + LIGHT * with_light
        self.gain = nn.Parameter(torch.zeros(more), requires_grad=False)
        self.mean = nn.Parameter(torch.zeros(more), requires_grad=False)

    @property
    def width(self) -> int:
        """How many numbers come out."""
        return len(self.bias) + len(self.gain)

    def open(self, seen: torch.Tensor, floor: float, seed: int) -> None:
        """Adapt to pictures ``(n, 4096)``: see `eigenframes`; the rest to variance one, or less."""
        weight, bias = eigenframes(seen, len(self.bias), floor, seed)
        state = {"weight": weight, "bias": bias, "gain": self.gain, "mean": self.mean}
        if len(self.gain):
            variance, mean = torch.var_mean(self._measured(seen), 0, correction=0)
            state |= {"gain": 1 / (variance.sqrt() + FAINTEST), "mean": mean}
        self.load_state_dict(state)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """Turn pixels ``(n, 4096)`` into ``(n, width)``."""
        components = nn.functional.linear(seen, self.weight, self.bias)
        if not len(self.gain):
            return components
        return torch.cat([components, (self._measured(seen) - self.mean) * self.gain], 1)

    def _measured(self, seen: torch.Tensor) -> torch.Tensor:
        return torch.cat([measure(seen) for measure in self._measures], 1)


def pixels(frames: torch.Tensor) -> torch.Tensor:
    """Turn uint8 frames, shape ``(n, 64, 64)``, into ``(n, 4096)`` float32 in [0, 1]."""
    return frames.reshape(len(frames), PIXELS).to(torch.float32).div_(255)


def eigenframes(
    seen: torch.Tensor, count: int, floor: float, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the linear layer that projects pictures on their whitened principal components.

    Eigenframes are to film what eigenfaces are to portraits (Turk and Pentland 1991). Pixels that
    move together enter as one number of mean zero and variance one, on which gradient descent
    goes many times farther than on the pixels themselves.

    Parameters
    ----------
    seen : tensor (n, 4096)
        Pictures to learn from, as `pixels` gives them.
    count : int
        Components; those that the pictures do not have are zero.
    floor : float
        Share of the mean variance that is added to each, against dividing by nearly nothing.
    seed : int
        Of the randomised decomposition (Halko, Martinsson and Tropp 2011).

    Returns
    -------
    weight : tensor (count, 4096)
    bias : tensor (count,)
    """
    mean = seen.mean(0)
    rank = min(count, *seen.shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        _, singular, basis = torch.svd_lowrank(seen - mean, q=rank, niter=4)
    variance = singular**2 / len(seen)
    # Pictures that are all alike have no variance; one grey level's keeps the division sound.
    spread = torch.sqrt(variance + floor * variance.mean() + 255.0**-2)
    weight = torch.zeros(count, seen.shape[1])
    weight[:rank] = (basis / spread).T
    return weight, -weight @ mean
