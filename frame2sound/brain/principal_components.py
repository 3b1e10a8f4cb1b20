"""Principal components that are the same on every computer.

The sign of a component is arbitrary, and components of equal variance may be rotated among each
other. Rounding would decide, and so the processor and the number of threads. Here sums have double
precision, and `_canonical` defines signs and rotations.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

ITERATIONS = 2

BATCH_ROWS = 512
"""Pictures that are converted to doubles at once."""

MIN_RELATIVE_DEVIATION = 1e-5
"""Components with a smaller standard deviation, relative to the largest, are dropped.

Grey values of single precision have rounding errors of 6e-8, which have components too.
"""

EQUAL_TOLERANCE = 1e-6
"""Variances, and absolute entries, that differ by a smaller share count as equal.

Rounding of doubles rotates vectors by about 1e-16 / 1e-6 = 1e-10, which is less than single
precision resolves.
"""


def principal_components(
    views: torch.Tensor, mean: torch.Tensor, count: int, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return variances, descending, and unit vectors of the largest principal components.

    Computed by randomised subspace iteration (Halko, Martinsson and Tropp 2011), then made
    canonical: components of equal variance are those of `canonical_basis`, and the first of the
    entries with the largest absolute value is positive. Components beyond the rank are zero.

    Parameters
    ----------
    views : float32 tensor (n, size)
    mean : float64 tensor (size,)
    count : int
        At most n and size.
    seed : int

    Returns
    -------
    variance : float64 tensor (count,)
    basis : float64 tensor (size, count)
    """
    random = np.random.default_rng(seed).standard_normal((views.shape[1], count))
    columns = torch.from_numpy(random)
    for _ in range(ITERATIONS):
        columns = torch.linalg.qr(_multiply_by_covariance(views, mean, columns))[0]
    projections = torch.cat([part @ columns for part in _centred(views, mean)])
    _, singular, rotation = torch.linalg.svd(torch.linalg.qr(projections, mode="r")[1])
    variance = singular.square() / len(views)
    exists = singular > MIN_RELATIVE_DEVIATION * singular[:1]
    return _canonical(variance * exists, columns @ rotation.T * exists)


def canonical_basis(basis: torch.Tensor) -> torch.Tensor:
    """Return an orthonormal basis of the same space that depends only on the space.

    Its first vector is the unit vector of the space that is nearest to a coordinate axis (to the
    first such axis); each next one is the nearest of those orthogonal to all before.

    Parameters
    ----------
    basis : float64 tensor (size, k)
        Orthonormal columns.
    """
    vectors: list[torch.Tensor] = []
    while basis.shape[1]:
        direction = basis[_first_largest(torch.linalg.vector_norm(basis, dim=1))]
        rotation = torch.linalg.qr(direction[:, None], mode="complete")[0]
        basis = basis @ rotation
        vectors.append(basis[:, :1])
        basis = basis[:, 1:]
    return torch.cat(vectors, 1)


def _canonical(variance: torch.Tensor, basis: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the components with the rotations and signs that `principal_components` defines."""
    variance, basis, first = variance.clone(), basis.clone(), 0
    while first < len(variance) and variance[first] > 0:
        stop = first + 1
        while stop < len(variance) and variance[stop] > (1 - EQUAL_TOLERANCE) * variance[stop - 1]:
            stop += 1
        if stop > first + 1:
            variance[first:stop] = variance[first:stop].mean()
            basis[:, first:stop] = canonical_basis(basis[:, first:stop])
        first = stop
    for vector in basis.T:
        if vector[_first_largest(vector.abs())] < 0:
            vector.neg_()
    return variance, basis


def _first_largest(values: torch.Tensor) -> int:
    return int((values >= (1 - EQUAL_TOLERANCE) * values.max()).nonzero()[0, 0])


def _multiply_by_covariance(
    views: torch.Tensor, mean: torch.Tensor, columns: torch.Tensor
) -> torch.Tensor:
    """Return the scatter matrix of pictures multiplied by columns ``(size, k)``."""
    total = torch.zeros_like(columns)
    for part in _centred(views, mean):
        total += part.T @ (part @ columns)
    return total


def _centred(views: torch.Tensor, mean: torch.Tensor) -> Iterator[torch.Tensor]:
    return (part.double() - mean for part in torch.split(views, BATCH_ROWS))
