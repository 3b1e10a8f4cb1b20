"""Principal components, found so that the same pictures give the same ones on every computer.

Where two components have the same variance, any turn of their plane is as good, and each may as
well point the other way: the last digit of a sum decides, and with it the processor and the number
of threads. Here sums are of double precision, and a rule decides.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

ITERATIONS = 2

BATCH_ROWS = 512
"""Pictures that are made doubles at once."""

MIN_RELATIVE_VARIANCE = 1e-5
"""Standard deviation below which a component is none, in shares of the largest one.

Grey values of single precision are off by 6e-8; what they are off by has components, too.
"""

EQUAL_TOLERANCE = 1e-6
"""Variances, and lengths of entries, that differ by a smaller share are equal.

Sums of doubles turn vectors by some 1e-16 over this: 1e-10, less than single precision holds.
"""


def principal_components(
    views: torch.Tensor, mean: torch.Tensor, count: int, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return variances, descending, and unit vectors of the largest principal components.

    By randomised subspace iteration (Halko, Martinsson and Tropp 2011), then made canonical:
    components of equal variance are those of `turned`, and of the entries that are the largest by
    amount the first is positive. Components that the pictures do not have are zero.

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
    seen = torch.cat([part @ columns for part in _centred(views, mean)])
    _, singular, turns = torch.linalg.svd(torch.linalg.qr(seen, mode="r")[1])
    variance, there = (
        singular.square() / len(views),
        singular > MIN_RELATIVE_VARIANCE * singular[:1],
    )
    return _canonical(variance * there, columns @ turns.T * there)


def with_canonical_signs(basis: torch.Tensor) -> torch.Tensor:
    """Return the basis of the same space that depends on nothing but the space.

    The first vector is the one that is nearest to an axis, the first such axis; the next the
    nearest of those that are left at right angles to it, and so on.

    Parameters
    ----------
    basis : float64 tensor (size, k)
        Unit vectors at right angles to each other.
    """
    done: list[torch.Tensor] = []
    while basis.shape[1]:
        along = basis[_first_largest(torch.linalg.vector_norm(basis, dim=1))]
        turn = torch.linalg.qr(along[:, None], mode="complete")[0]
        basis = basis @ turn
        done.append(basis[:, :1])
        basis = basis[:, 1:]
    return torch.cat(done, 1)


def _canonical(variance: torch.Tensor, basis: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    variance, basis, first = variance.clone(), basis.clone(), 0
    while first < len(variance) and variance[first] > 0:
        stop = first + 1
        while stop < len(variance) and variance[stop] > (1 - EQUAL_TOLERANCE) * variance[stop - 1]:
            stop += 1
        if stop > first + 1:
            variance[first:stop] = variance[first:stop].mean()
            basis[:, first:stop] = with_canonical_signs(basis[:, first:stop])
        first = stop
    for vector in basis.T:
        if vector[_first_largest(vector.abs())] < 0:
            vector.neg_()
    return variance, basis


def _first_largest(amounts: torch.Tensor) -> int:
    return int((amounts >= (1 - EQUAL_TOLERANCE) * amounts.max()).nonzero()[0, 0])


def _multiply_by_covariance(
    views: torch.Tensor, mean: torch.Tensor, columns: torch.Tensor
) -> torch.Tensor:
    """Return the scatter matrix of pictures, times columns ``(size, k)``."""
    total = torch.zeros_like(columns)
    for part in _centred(views, mean):
        total += part.T @ (part @ columns)
    return total


def _centred(views: torch.Tensor, mean: torch.Tensor) -> Iterator[torch.Tensor]:
    return (part.double() - mean for part in torch.split(views, BATCH_ROWS))
