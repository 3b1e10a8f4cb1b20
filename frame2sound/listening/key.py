"""Key: the major or minor key whose pitch classes a sound has most of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from frame2sound.listening.chroma import PITCH_CLASSES

FloatArray = NDArray[np.float64]

PROFILES = {
    "major": (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
    "minor": (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
}
"""How much of each class, from the tonic up, music in a key has (Albrecht and Shanahan, "The use of
large corpora to train a new type of key-finding algorithm", 2013)."""

MIN_CORRELATION = 0.5
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
    """Return the key that fits best; None if none fits, or all classes are equally strong.

    The mean share of each class is correlated with each of the 24 rotated profiles (Krumhansl,
    *Cognitive Foundations of Musical Pitch*, 1990). A key and its relative have the same tones, so
    a progression that does not dwell on its tonic may be taken for the other.

    Parameters
    ----------
    chroma : array of shape (n, 12)
        Of frames, from C up; rows of zeros do not count.

    Examples
    --------
    >>> find_key(np.array([[3.0, 0, 1, 0, 2, 1, 0, 2, 0, 1, 0, 1]])).name
    'C major'
    """
    sounding = chroma[chroma.sum(axis=1) > 0]
    if not len(sounding):
        return None
    shares = (sounding / sounding.sum(axis=1, keepdims=True)).mean(axis=0)
    if float(shares.std()) < MIN_CONTRAST * float(shares.mean()):
        return None
    keys = [
        Key(f"{tonic} {mode}", float(np.corrcoef(np.roll(profile, at), shares)[0, 1]))
        for mode, profile in PROFILES.items()
        for at, tonic in enumerate(PITCH_CLASSES)
    ]
    best = max(keys, key=lambda key: key.correlation)
    return best if best.correlation >= MIN_CORRELATION else None
