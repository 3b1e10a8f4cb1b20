"""Controls: the original soundtrack, silence, and the original with its seconds shuffled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.floating]

ORIGINAL, SILENCE, SHUFFLED_SECONDS = "its own sound", "silence", "shuffled seconds"
"""Names of the controls in tables and in files."""


def shuffle_seconds(samples: Samples, sample_rate: int, seed: int = 0) -> Samples:
    """Return the sound with every whole second at another place; the remainder stays last."""
    whole = len(samples) // sample_rate * sample_rate
    seconds = samples[:whole].reshape(-1, sample_rate)
    cycle = np.random.default_rng(seed).permutation(len(seconds))
    shuffled = np.empty_like(seconds)
    shuffled[cycle] = seconds[np.roll(cycle, 1)]
    return np.concatenate([shuffled.ravel(), samples[whole:]])
