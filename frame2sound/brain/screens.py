"""Screens: black and white pictures, and which of them a network gives silence for."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from frame2sound.brain.config import InputConfig
from frame2sound.brain.inputs import encode_frames
from frame2sound.brain.networks import Network
from frame2sound.film.decoding.frame_resizer import SIZE

LEVELS = (0, 255)
"""The grey values of a black and of a white screen."""

ROUNDING_MARGIN = 2.0**-16
"""An output is silence, but for rounding, up to this share of what its terms add up to.

Sums of 4096 products of single precision are off by about 4096**0.5 * 2**-24, or 2**-18, of that;
a few layers, one after the other, by some times as much.
"""


def head_terms(head: nn.Linear, hidden: torch.Tensor) -> torch.Tensor:
    """Return what an output's terms add up to without their signs, ``(n, length)``.

    Each hidden value counts as one more than it is: weights round by a share of what they were
    before they were made silent, also where nothing enters them now.
    """
    return (hidden.abs() + 1) @ head.weight.abs().T + head.bias.abs()


def hidden_for_screens(network: Network, config: InputConfig, frame_count: int = 1) -> torch.Tensor:
    """Return what the top sees of black and of white after so many frames, ``(2, width)``."""
    device = next(network.parameters()).device
    shape = (2, 1 + config.past_frames, SIZE, SIZE, *([3] if config.colour else []))
    screens = torch.tensor(LEVELS, dtype=torch.uint8, device=device)
    screens = screens.reshape(2, *(1 for _ in shape[1:])).expand(shape)
    with torch.no_grad():
        looks = network.extract_features(encode_frames(screens, config))[:, None].expand(
            -1, frame_count, -1
        )
        return network.hidden(looks)[:, -1]


def silent_levels(network: Network, config: InputConfig) -> list[int]:
    """Return those of `LEVELS` for which a network gives silence, but for rounding.

    None for a network that remembers: what it gives depends on what came before.
    """
    if network.is_recurrent:
        return []
    top, hidden = network.head, hidden_for_screens(network, config)
    with torch.no_grad():
        error = (top(hidden) - network.silence_value).abs()
        silent = (error <= ROUNDING_MARGIN * head_terms(top, hidden)).all(1).tolist()
    return [level for level, is_silent in zip(LEVELS, silent, strict=True) if is_silent]


def uniform_levels(frames: NDArray[np.uint8], past: int) -> NDArray[np.int64]:
    """Return which of `LEVELS` frames and all their past are filled with; -1 where with neither.

    Parameters
    ----------
    run : uint8 array (past + n, 64, 64), or in colour
        The first are the past of those that follow.
    past : int
        How many frames back are seen.
    """
    flat = frames.reshape(len(frames), -1)
    plain = (flat == flat[:, :1]).all(1) & np.isin(flat[:, 0], LEVELS)
    shown = np.where(plain, flat[:, 0].astype(np.int64), -1)
    now = shown[past:]
    for back in range(1, past + 1):
        now = np.where(now == shown[past - back : len(shown) - back], now, -1)
    return now
