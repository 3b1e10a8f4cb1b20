"""Inputs: how the picture enters a network."""

from __future__ import annotations

import torch

from frame2sound.film.picture import SIZE

PIXELS = SIZE * SIZE


def pixels(frames: torch.Tensor) -> torch.Tensor:
    """Turn uint8 frames, shape ``(n, 64, 64)``, into ``(n, 4096)`` float32 in [0, 1]."""
    return frames.reshape(len(frames), PIXELS).to(torch.float32).div_(255)
