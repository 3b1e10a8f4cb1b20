"""The distance between two sets of features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]


def kernel_distance(first: FloatArray, second: FloatArray, reference: FloatArray) -> float:
    """Return the squared maximum mean discrepancy of two sets of vectors, without bias.

    Each feature is taken as a share of its deviation in the reference; the kernel is a Gaussian
    whose width is the median distance there (Gretton et al. 2012, lemma 6). It is about 0 for two
    sets of one kind, also if they are small, and at most 2.

    Parameters
    ----------
    first, second, reference : float arrays (n, features)
        At least two vectors each.
    """
    scale = reference.std(axis=0)
    scale = np.maximum(scale, 0.02 * scale.max() + 1e-9)
    width = np.median(squared_distances(reference / scale, reference / scale))
    parts = [vectors / scale for vectors in (first, second)]

    def kernel(one: FloatArray, other: FloatArray) -> NDArray[np.float64]:
        return np.exp(-squared_distances(one, other) / max(width, 1e-9))

    within = sum(
        (kernel(part, part).sum() - len(part)) / (len(part) * (len(part) - 1)) for part in parts
    )
    return float(within - 2 * kernel(parts[0], parts[1]).mean())


def squared_distances(first: FloatArray, second: FloatArray) -> NDArray[np.float64]:
    """Return the squared distance of each vector of one set to each of another."""
    first, second = first.astype(np.float64), second.astype(np.float64)
    norms = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)
    return np.asarray(np.maximum(norms - 2 * first @ second.T, 0))
