"""Make a trained network silent for black and white screens, in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from frame2sound.brain.config import InputConfig
from frame2sound.brain.frame_encoding import encode_frames
from frame2sound.brain.networks import Network
from frame2sound.brain.screens import SCREEN_LEVELS
from frame2sound.film.small_frames import picture_shape

SETTLING_SECONDS = 2.0
"""Duration of black, or white, after which a recurrent network is taken to have settled."""


def silence_screens(
    network: Network, config: InputConfig, fps: float, levels: Sequence[int]
) -> None:
    """Move the head of a network to the nearest one that is silent for screens of some levels.

    Its weights and bias move to the nearest ones (in the Frobenius norm) for which the screens
    give silence: a projection on one linear constraint each.
    """
    frames = round(SETTLING_SECONDS * fps) if network.is_recurrent else 1
    hidden = hidden_for_screens(network, config, frames)
    rows = [SCREEN_LEVELS.index(level) for level in levels]
    _project(network.head, hidden[rows], network.silence_value)


def hidden_for_screens(network: Network, config: InputConfig, frame_count: int = 1) -> torch.Tensor:
    """Return the head's input after ``frame_count`` frames of black and white, ``(2, width)``."""
    device = next(network.parameters()).device
    shape = (2, 1 + config.past_frames, *picture_shape(config.colour))
    screens = torch.tensor(SCREEN_LEVELS, dtype=torch.uint8, device=device)
    screens = screens.reshape(2, *(1 for _ in shape[1:])).expand(shape)
    with torch.no_grad():
        features = network.extract_features(encode_frames(screens, config))
        return network.hidden(features[:, None].expand(-1, frame_count, -1))[:, -1]


def _project(head: nn.Linear, hidden: torch.Tensor, silence_value: float) -> None:
    """Move a layer to the nearest one that maps ``hidden`` to silence, up to rounding."""
    with torch.no_grad():
        error = head(hidden).cpu().double() - silence_value
        hidden = hidden.cpu().double()  # not every device has doubles
        hidden = torch.cat([hidden, torch.ones(len(hidden), 1, dtype=torch.float64)], 1)
        change = (torch.linalg.pinv(hidden) @ error).float()
        head.weight.sub_(change[:-1].T.to(head.weight))
        head.bias.sub_(change[-1].to(head.bias))
