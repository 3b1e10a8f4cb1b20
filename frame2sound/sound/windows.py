"""Windows: tapers for joining blocks and for shaping grains."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rising(length: int) -> NDArray[np.float64]:
    """Return the rise of a Hann window, shape ``(length,)``, from above 0 to below 1.

    It and its mirror image add to one at every sample, exactly: ``sin**2 + cos**2``.

    >>> rise = rising(5)
    >>> bool(np.allclose(rise + rise[::-1], 1, rtol=0, atol=1e-15))
    True
    """
    return np.sin(np.pi * (np.arange(length) + 0.5) / (2 * max(length, 1))) ** 2


def envelope(kind: str, length: int) -> NDArray[np.float64]:
    """Return a grain's envelope, ``hann`` or ``triangle``, with its peak of 1 in the middle."""
    place = (np.arange(length) + 0.5) / max(length, 1)
    if kind == "triangle":
        return 1 - np.abs(2 * place - 1)
    return np.sin(np.pi * place) ** 2
