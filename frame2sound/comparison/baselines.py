"""What any brain must do better than: what learned the same pairs without a network."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from frame2sound.brain.baselines import Linear, Mean, Nearest
from frame2sound.brain.sounding import Sounding
from frame2sound.brain.targets import Target
from frame2sound.clock import Clock
from frame2sound.film.picture import SIZE, luma
from frame2sound.training.material import MOST_SEEN, Material
from frame2sound.training.pairs import Pairs

TOGETHER = 128
"""Pairs that are looked at at once."""


def learned_baselines(clock: Clock, target: Target, material: Material) -> dict[str, Sounding]:
    """Return the mean, the nearest frame and the linear regression, fitted to pairs.

    Parameters
    ----------
    clock : Clock
    target : Target
        What they foretell, scaled as a brain's is.
    material : Material
        Its learned pairs are what they know, 8192 at most; what it holds out chooses how the
        regression is penalised.
    """
    frames, outputs = taken(material.learned, target)
    held_out = taken(material.held_out, target)
    return {
        "mean": Mean.of(clock, target, outputs),
        "nearest": Nearest(clock, target, frames, outputs),
        "linear": Linear.of(clock, target, frames, outputs, held_out),
    }


def taken(pairs: Pairs, target: Target) -> tuple[NDArray[np.uint8], torch.Tensor]:
    """Return grey frames, and what is wanted of them; spread over all pairs if these are many."""
    which = pairs.spread(MOST_SEEN)
    frames = np.empty((len(which), SIZE, SIZE), np.uint8)
    outputs = torch.empty(len(which), target.length)
    for at in range(0, len(which), TOGETHER):
        moments, excerpts = pairs.take(which[at : at + TOGETHER])
        frames[at : at + TOGETHER] = luma(moments[:, -1]) if moments.ndim == 5 else moments[:, -1]
        outputs[at : at + TOGETHER] = target.wanted(torch.from_numpy(excerpts))
    return frames, outputs
