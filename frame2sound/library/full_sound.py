"""The sound of a film as it is heard, beside what brains learn from."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class FullSound(Protocol):
    """The sound of a film at its own rate, in one or two channels, read from disk as needed."""

    @property
    def sample_rate(self) -> int:
        """In Hz."""

    @property
    def channels(self) -> int:
        """One or two."""

    @property
    def samples(self) -> int:
        """Samples in each channel."""

    def read(self, begin: int, end: int) -> NDArray[np.float32]:
        """Return some samples, ``(end - begin, channels)``."""
