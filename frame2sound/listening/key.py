"""Key: the major or minor key whose pitch classes a sound has most of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.listening.chroma import PITCH_CLASSES

FloatArray = NDArray[np.float64]

PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
"""How well each class, from the tonic up, fits a key, in the ears of listeners (Krumhansl and
Kessler, "Tracing the dynamic changes in perceived tonal organization", 1982)."""

MIN_CORRELATION = 0.65
"""Below, there is no key."""

MIN_CONTRAST = 0.15
"""Without this relative deviation between the classes, as in noise, there is no key."""


@dataclass(frozen=True)
class Key:
    """A key.

    Attributes
    ----------
    name : str
        Such as "F# minor".
    correlation : float
        Of the classes with the key's profile, up to 1.
    """

    name: str
    correlation: float


def find_key(chroma: FloatArray) -> Key | None:
    """Return the key that fits a mean chroma best; None if none fits, or all classes are equal.

    The correlation with each of the 24 rotated profiles is compared (Krumhansl and Schmuckler; see
    Krumhansl, *Cognitive Foundations of Musical Pitch*, 1990).

    Parameters
    ----------
    chroma : array of shape (12,)
        From C up.

    Examples
    --------
    >>> find_key(np.array([3.0, 0, 1, 0, 2, 1, 0, 2, 0, 1, 0, 1])).name
    'C major'
    """
    mean = float(chroma.mean())
    if mean <= 0 or float(chroma.std()) < MIN_CONTRAST * mean:
        return None
    keys = [
        Key(f"{tonic} {mode}", float(np.corrcoef(np.roll(profile, at), chroma)[0, 1]))
        for mode, profile in PROFILES.items()
        for at, tonic in enumerate(PITCH_CLASSES)
    ]
    best = max(keys, key=lambda key: key.correlation)
    return best if best.correlation >= MIN_CORRELATION else None
