"""Controls: the original soundtrack, silence, and the original with its seconds shuffled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.floating]

ORIGINAL, SILENCE, SHUFFLED_SECONDS = "its own sound", "silence", "shuffled seconds"
"""Names of the controls in tables and in files."""


def shuffle_seconds(samples: Samples, sample_rate: int, seed: int = 0) -> Samples:
    """Return the sound with every whole second at another place; the remainder stays last."""
    count = len(samples) // sample_rate
    whole = count * sample_rate
    cycle = np.random.default_rng(seed).permutation(count)
    shuffled = np.empty_like(samples)
    for to, source in zip(cycle, np.roll(cycle, 1), strict=True):
        shuffled[to * sample_rate :][:sample_rate] = samples[source * sample_rate :][:sample_rate]
    shuffled[whole:] = samples[whole:]
    return shuffled
