"""Black and white screens: where a film shows one, and whether a network is silent for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.numpy_network import Linear, NumpyNetwork
from frame2sound.film.small_frames import picture_shape

BLACK, WHITE = 0, 255
SCREEN_LEVELS = (BLACK, WHITE)
"""The grey values of a black and of a white screen."""

STANDING_SECONDS = 0.15
"""A screen stands from this time after it appeared; flashes of a strobe at 4 Hz are shorter."""

ROUNDING_MARGIN = 2.0**-16
"""An output within this share of the sum of its absolute terms counts as silence.

Sums of 4096 products in single precision are off by about 4096**0.5 * 2**-24 = 2**-18 of that sum;
a few layers in sequence are off by a few times as much.
"""


def uniform_levels(frames: NDArray[np.uint8], past: int) -> NDArray[np.int64]:
    """Return, for each frame, the level that fills it and its past, or -1 if none does.

    Parameters
    ----------
    frames : uint8 array (past + n, 64, 64), or in colour
        The first ``past`` frames are the past of those that follow.
    past : int
        Past frames that the network sees.

    Returns
    -------
    int64 array (n,)
        One of `SCREEN_LEVELS`, or -1.
    """
    flat = frames.reshape(len(frames), -1)
    is_uniform = (flat == flat[:, :1]).all(1) & np.isin(flat[:, 0], SCREEN_LEVELS)
    levels = np.where(is_uniform, flat[:, 0].astype(np.int64), -1)
    common = levels[past:]
    for back in range(1, past + 1):
        common = np.where(common == levels[past - back : len(levels) - back], common, -1)
    return common


def silent_levels(network: NumpyNetwork) -> list[int]:
    """Return the `SCREEN_LEVELS` for which a network gives silence up to rounding.

    The list is empty for a recurrent network, whose output depends on earlier frames.
    """
    if network.is_recurrent:
        return []
    shape = (1 + network.config.past_frames, *picture_shape(network.config.colour))
    screens = [np.full(shape, level, np.uint8) for level in SCREEN_LEVELS]
    with np.errstate(over="ignore", invalid="ignore"):  # if training has diverged
        hidden = np.concatenate([network.hidden(screen, ())[0] for screen in screens])
        error = np.abs(network.head(hidden) - network.silence_value)
        silent = (error <= ROUNDING_MARGIN * head_terms(network.head, hidden)).all(1).tolist()
    return [level for level, is_silent in zip(SCREEN_LEVELS, silent, strict=True) if is_silent]


def head_terms(head: Linear, hidden: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sum of the absolute terms of each output, ``(n, length)``.

    Each hidden value counts as one more than it is: weights round by a share of their size before
    they were made silent, also where their hidden value is 0 now.
    """
    terms: NDArray[np.float32] = (np.abs(hidden) + 1) @ np.abs(head.weight).T + np.abs(head.bias)
    return terms
