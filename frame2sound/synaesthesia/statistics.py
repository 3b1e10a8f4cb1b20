"""Numbers that compare sets: kernel distance, diversity, retrieval and rank correlation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from frame2sound.evaluation.kernel_distance import kernel_distance as vector_distance
from frame2sound.evaluation.kernel_distance import squared_distances

FEATURE_SIDE = 8
"""Rows and columns of the squares over which pixels and gradients are averaged."""

FloatArray = NDArray[np.floating]


def rank_correlation(first: FloatArray, second: FloatArray) -> float:
    """Return Spearman's rank correlation; 0 if one is constant."""
    from scipy.stats import rankdata

    ranks = [rankdata(values) - (len(values) + 1) / 2 for values in (first, second)]
    norm = np.linalg.norm(ranks[0]) * np.linalg.norm(ranks[1])
    return float(ranks[0] @ ranks[1] / norm) if norm else 0.0


def permuted_correlation(first: FloatArray, second: FloatArray, rounds: int = 200) -> float:
    """Return the mean rank correlation with the second values in random orders."""
    rng = np.random.default_rng(0)
    return float(np.mean([rank_correlation(first, rng.permutation(second)) for _ in range(rounds)]))


def found_first(queries: FloatArray, targets: FloatArray) -> float:
    """Return the share of queries whose nearest target is the one of the same number."""
    nearest = squared_distances(queries, targets).argmin(axis=1)
    return float(np.mean(nearest == np.arange(len(queries))))


def diversity(rasters: FloatArray) -> float:
    """Return the mean distance between two rasters of a set, per root of the number of pixels."""
    flat = rasters.reshape(len(rasters), -1).astype(np.float64)
    squared = squared_distances(flat, flat)
    count = len(flat)
    return float(np.sqrt(squared).sum() / (count * (count - 1)) / np.sqrt(flat.shape[1]))


def pooled_features(rasters: FloatArray) -> NDArray[np.float64]:
    """Return averages of pixels, and of the sizes of gradients, ``(n, 3 * colours * 64)``."""
    pixels = rasters.astype(np.float64)
    down = np.abs(np.diff(pixels, axis=2, append=0))
    across = np.abs(np.diff(pixels, axis=3, append=0))
    return np.concatenate([_pool(part) for part in (pixels, down, across)], axis=1)


def kernel_distance(first: FloatArray, second: FloatArray, reference: FloatArray) -> float:
    """Return the squared maximum mean discrepancy of two sets of rasters, without bias.

    The features are those of `pooled_features`, each as a share of its deviation in the reference;
    the kernel is a Gaussian whose width is the median distance there (Gretton et al. 2012, lemma
    6). It is about 0 for two sets of one kind, and at most 2.
    """
    parts = (first, second, reference)
    return vector_distance(*map(pooled_features, parts))


def _pool(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    count, colours, side, _ = pixels.shape
    part = side // FEATURE_SIDE
    squares = pixels.reshape(count, colours, FEATURE_SIDE, part, FEATURE_SIDE, part)
    return np.asarray(squares.mean(axis=(3, 5)).reshape(count, -1))
