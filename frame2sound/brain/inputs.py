"""Inputs: how the picture, its past and its motion enter a network."""

from __future__ import annotations

import torch

from frame2sound.brain.config import Eigenframes, Fft2, InputConfig, Pixels
from frame2sound.film.decoding.frame_resizer import GREY_WEIGHTS, SIZE

PIXELS = SIZE * SIZE
HALF = SIZE // 2 + 1
"""How many columns the Fourier transform of a real picture has."""


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
