"""Inputs: how the picture enters a network."""

from __future__ import annotations

import torch

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
